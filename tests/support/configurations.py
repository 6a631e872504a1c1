"""The shipped configuration files, and what several tests of composed configurations need."""

from pathlib import Path
from typing import Any

import recipe.edge_grpo

CONFIG = Path(recipe.edge_grpo.__file__).parent / "config"
RECIPES = sorted(path.stem for path in (CONFIG / "recipe").glob("*.yaml"))
PROFILES = sorted(path.stem for path in (CONFIG / "profile").glob("*.yaml"))

# verl has no default for the engine that samples.
VLLM = "actor_rollout_ref.rollout.name=vllm"


def flat(block: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a.b.c": value} for each leaf; an empty block is a leaf."""
    leaves = {}
    for name, value in block.items():
        is_block = isinstance(value, dict) and value
        leaves.update(flat(value, f"{prefix}{name}.") if is_block else {f"{prefix}{name}": value})
    return leaves

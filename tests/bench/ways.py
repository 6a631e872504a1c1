"""Ways of training a step, the sizes of a step, what is known of one, and the settings of a way; starts no run."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "recipe" / "edge_grpo" / "config"

Turn = tuple[int, str]
"""The round of a step, whose number its prompts and seeds are drawn by, and its way."""


@dataclass(frozen=True)
class Way:
    """One way of training a step."""

    name: str
    recipe: str
    failure_share: float | None = None
    """Of the first passes, so many fail by chance, always the same; None: the reward says which are wrong."""
    is_authors: bool = False
    """Corrects as the authors' trainer does: behind the whole batch, every row once more, re-tokenised."""
    num_tokens: int | tuple[int, int] | None = None
    """Every first pass has so many tokens, or a number from here to there; None: it ends where the policy ends it."""


@dataclass(frozen=True)
class Step:
    """One measured step: verl's metrics, and what the policy's server was asked for."""

    way: str
    round: int
    metrics: Mapping[str, float]
    requests: Sequence[Mapping[str, Any]]

    def seconds(self, phase: str = "step") -> float:
        return self.metrics[f"timing_s/{phase}"]

    def tokens(self, *kinds: str) -> int:
        """Tokens that were sampled for `first`, `correction` or `discarded`; without kinds, all."""
        return sum(request["tokens"] for request in self.requests if not kinds or request["kind"] in kinds)


@dataclass(frozen=True)
class Size:
    """What a run trains on: prompts a step, responses of each, and the longest first pass."""

    num_prompts: int
    num_responses: int
    first_pass_tokens: int = 64

    def __str__(self) -> str:
        return f"{self.num_prompts}x{self.num_responses}"

    def overrides(self) -> list[str]:
        return [
            f"data.train_batch_size={self.num_prompts}",
            f"actor_rollout_ref.rollout.n={self.num_responses}",
            f"data.max_response_length={2 * self.first_pass_tokens}",
            f"edge_grpo.gec.first_pass_max_tokens={self.first_pass_tokens}",
        ]


@dataclass(frozen=True)
class Assets:
    """The data and the policy of a run."""

    train: Path
    model: Path


def first_pass_length(num_tokens: int | Sequence[int], seed: int) -> int:
    """Return the length of the first pass with this seed: `num_tokens`, or log-uniform between two numbers.

    >>> first_pass_length(256, seed=0), first_pass_length([32, 512], seed=0), first_pass_length([32, 512], seed=1)
    (256, 333, 46)
    """
    if isinstance(num_tokens, int):
        return num_tokens
    shortest, longest = map(math.log, num_tokens)
    return round(math.exp(random.Random(seed).uniform(shortest, longest)))


def turns_of(ways: Sequence[Way], num_rounds: int) -> list[Turn]:
    """Return the turns of so many rounds, every other one backwards, so that no way is always the first."""
    return [(number, way.name) for number in range(num_rounds) for way in ways[:: -1 if number % 2 else 1]]


def pairs_of(steps: Sequence[Step], way: str, base: str) -> list[tuple[Step, Step]]:
    """Return (step of the way, step of the base) of each round."""
    of_base = {step.round: step for step in steps if step.way == base}
    return [(step, of_base[step.round]) for step in steps if step.way == way]


def settings_of(recipe: str, size: Size) -> dict[str, Any]:
    """Return what a turn of the recipe sets: `algorithm` where it differs from verl's, and the block `edge_grpo`."""
    composed = recipe_config(recipe)
    profile = OmegaConf.load(CONFIG / "profile" / "cpu.yaml")
    block = OmegaConf.merge(composed.edge_grpo, profile.edge_grpo)  # type: ignore[union-attr]
    block.gec.first_pass_max_tokens = size.first_pass_tokens
    algorithm = {
        "adv_estimator": composed.algorithm.adv_estimator,
        "norm_adv_by_std_in_grpo": composed.algorithm.get("norm_adv_by_std_in_grpo", True),
    }
    return {"algorithm": algorithm, "edge_grpo": OmegaConf.to_container(block, resolve=True)}


def recipe_config(name: str) -> DictConfig:
    """Return a recipe with those that it is made of, as Hydra composes them: each parent first, then its own keys."""
    own = OmegaConf.load(CONFIG / "recipe" / f"{name}.yaml")
    assert isinstance(own, DictConfig)
    parents = [parent for parent in own.pop("defaults", []) if parent != "_self_"]
    merged = OmegaConf.merge(*(recipe_config(parent) for parent in parents), own)
    assert isinstance(merged, DictConfig)
    return merged

"""Which of verl's rollout engines can do what a run of ours asks of them.

Read in verl 0.9.1, `workers/rollout`: vLLM's and SGLang's servers take `max_tokens` of a request, TensorRT-LLM's puts
the whole response length in its place. The engine `hf`, which verl's configuration names as well, has no server, and
verl's V1 trainers sample from servers only.
"""

import importlib.util
from dataclasses import dataclass

from omegaconf import DictConfig, OmegaConf

from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings

KEY = "actor_rollout_ref.rollout.name"


@dataclass(frozen=True)
class RolloutEngine:
    """What is to be known of an engine before a run."""

    package: str
    how_to_install: str
    bounds_tokens: bool = True
    """It samples no more than a request's `max_tokens`."""


ROLLOUT_ENGINES = {
    "vllm": RolloutEngine(
        "vllm", "in a checkout of verl-edge-grpo run `make install` for the CPU, or pip install .[gpu]"
    ),
    "sglang": RolloutEngine("sglang", "run pip install 'verl[sglang]', or set it to vllm"),
    "trtllm": RolloutEngine("tensorrt_llm", "install TensorRT-LLM, or set it to vllm", bounds_tokens=False),
}
"""Those that verl has a server for, by their name in its configuration."""


def check_rollout_engine(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    """Refuse an engine that is not there, or ignores how many tokens it may sample where that matters.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    if OmegaConf.is_missing(config.actor_rollout_ref.rollout, "name"):
        raise ValueError(f"{KEY} is not set; set it to vllm")
    name = config.actor_rollout_ref.rollout.name
    engine = ROLLOUT_ENGINES.get(name)
    if engine is None:
        raise ValueError(
            f"{KEY}={name}: verl's V1 trainers sample from a server, which verl has for "
            f"{', '.join(ROLLOUT_ENGINES)}; set it to vllm"
        )
    if not engine.bounds_tokens:
        _check_nothing_bounds_tokens(name, settings)
    if not is_installed(engine.package):
        raise ValueError(f"{KEY}={name}, and {engine.package} is not installed: {engine.how_to_install}")


def is_installed(package: str) -> bool:
    """Return True if the package can be imported."""
    return importlib.util.find_spec(package) is not None


def _check_nothing_bounds_tokens(name: str, settings: EdgeGRPOSettings) -> None:
    gec = settings.gec
    asked = {}  # what asks for fewer tokens than the response length: how not to
    if gec.enabled:
        asked[f"{BLOCK}.gec.enabled=True"] = f"{BLOCK}.gec.enabled=False"
    if gec.first_pass_max_tokens is not None:
        key = f"{BLOCK}.gec.first_pass_max_tokens"
        asked[f"{key}={gec.first_pass_max_tokens}"] = f"{key}=null"
    if asked:
        raise ValueError(
            f"{KEY}={name} with {' and '.join(asked)}: verl's server of this engine ignores how many tokens a request "
            f"asks for; set {KEY}=vllm, or {' and '.join(asked.values())}"
        )

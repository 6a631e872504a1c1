"""The `edge_grpo:` block of the configuration, as frozen dataclasses that refuse bad values on construction.

Defaults live in `config/recipe/edge_grpo.yaml` and nowhere else, so every key has to be present here.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from recipe.edge_grpo.correction import ANSWER_PLACEHOLDER, Strategy

BLOCK = "edge_grpo"


@dataclass(frozen=True)
class EntropyDrivenAdvantageSettings:
    """`edge_grpo.eda`.

    Attributes:
        enabled: divide each advantage by the entropy ratio of its response.
        clip: bounds (low, high) on the ratio, 0 < low <= 1 <= high; None for the paper's unbounded ratio.
    """

    enabled: bool
    clip: tuple[float, float] | None

    def __post_init__(self) -> None:
        _require_type(f"{BLOCK}.eda.enabled", self.enabled, bool)
        if self.clip is None:
            return
        clip = tuple(self.clip) if isinstance(self.clip, list | tuple) else ()
        if len(clip) != 2 or not all(_is_number(bound) for bound in clip) or not 0 < clip[0] <= 1 <= clip[1]:
            raise ValueError(
                f"{BLOCK}.eda.clip={self.clip!r}: give two numbers [low, high] with 0 < low <= 1 <= high, or null"
            )
        object.__setattr__(self, "clip", (float(clip[0]), float(clip[1])))


@dataclass(frozen=True)
class GuidedErrorCorrectionSettings:
    """`edge_grpo.gec`.

    Attributes:
        enabled: correct failed responses while sampling. Never in validation.
        probabilities: of each strategy for a failed response; they sum to 1.
        reflection_text: appended by the reflection strategy before the policy continues.
        answer_text: appended by the answer strategy; `{answer}` stands for the ground truth.
        max_new_tokens: the policy continues a reflected response by at most so many tokens.
        first_pass_max_tokens: the policy samples at most so many tokens before correction; None for the whole
            response length, which leaves no room to correct a truncated response.
        max_prompt_tokens: prompts longer than this, chat template included, are not corrected; None for no gate.
        accuracy_key: the key of the reward function's result that is 0 for a failed response.
    """

    enabled: bool
    probabilities: Mapping[Strategy, float]
    reflection_text: str
    answer_text: str
    max_new_tokens: int
    first_pass_max_tokens: int | None
    max_prompt_tokens: int | None
    accuracy_key: str

    def __post_init__(self) -> None:
        key = f"{BLOCK}.gec"
        _require_type(f"{key}.enabled", self.enabled, bool)
        for name in ("reflection_text", "answer_text", "accuracy_key"):
            _require_type(f"{key}.{name}", getattr(self, name), str)
        object.__setattr__(self, "probabilities", _probabilities(f"{key}.probabilities", self.probabilities))
        if not self.reflection_text:
            raise ValueError(f"{key}.reflection_text is empty: give the text that makes the policy reflect")
        if ANSWER_PLACEHOLDER not in self.answer_text:
            raise ValueError(f"{key}.answer_text={self.answer_text!r} must contain {ANSWER_PLACEHOLDER}")
        _require_positive(f"{key}.max_new_tokens", self.max_new_tokens)
        for name in ("first_pass_max_tokens", "max_prompt_tokens"):
            if getattr(self, name) is not None:
                _require_positive(f"{key}.{name}", getattr(self, name))


@dataclass(frozen=True)
class EdgeGRPOSettings:
    """The block `edge_grpo`.

    Attributes:
        seed: of the draws of error correction.
        replay_poll_seconds: how often the trainer looks for finished groups. verl's own 2 s is right for steps of
            minutes, and most of a step that takes one second.
        eda: entropy-driven advantage.
        gec: guided error correction.
    """

    seed: int
    replay_poll_seconds: float
    eda: EntropyDrivenAdvantageSettings
    gec: GuidedErrorCorrectionSettings

    def __post_init__(self) -> None:
        _require_type(f"{BLOCK}.seed", self.seed, int)
        if not _is_number(self.replay_poll_seconds) or self.replay_poll_seconds <= 0:
            raise ValueError(
                f"{BLOCK}.replay_poll_seconds={self.replay_poll_seconds!r} must be a number of seconds above 0"
            )


def parse_settings(block: Mapping[str, Any] | None) -> EdgeGRPOSettings:
    """The settings of a composed `edge_grpo:` block.

    Args:
        block: plain dictionaries, lists and scalars, or None where the configuration has no such block.

    Raises:
        ValueError: naming the key, the value and the fix, if the block or a key is missing, unknown or out of range.
    """
    if block is None:
        raise ValueError(f"the configuration has no block `{BLOCK}:`; add +recipe=edge_grpo to the command line")
    values = _known_keys(EdgeGRPOSettings, BLOCK, block)
    values["eda"] = EntropyDrivenAdvantageSettings(
        **_known_keys(EntropyDrivenAdvantageSettings, f"{BLOCK}.eda", values["eda"])
    )
    values["gec"] = GuidedErrorCorrectionSettings(
        **_known_keys(GuidedErrorCorrectionSettings, f"{BLOCK}.gec", values["gec"])
    )
    return EdgeGRPOSettings(**values)


def _known_keys(settings_class: type, key: str, block: Any) -> dict[str, Any]:
    """The block as a dictionary that has exactly the fields of the class."""
    if not isinstance(block, Mapping):
        raise ValueError(f"{key}={block!r} must be a block of keys")
    known = [field.name for field in fields(settings_class)]
    for name in block:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {key}.{close[0]}?" if close else f"known keys: {', '.join(known)}"
            raise ValueError(f"unknown key {key}.{name}: {hint}")
    for name in known:
        if name not in block:
            raise ValueError(f"missing key {key}.{name}: +recipe=edge_grpo sets it; do not remove it")
    return dict(block)


def _probabilities(key: str, value: Any) -> dict[Strategy, float]:
    names = [strategy.value for strategy in Strategy]
    if not isinstance(value, Mapping) or sorted(value) != sorted(names):
        raise ValueError(f"{key}={value!r} must have exactly the keys {', '.join(names)}")
    for name, probability in value.items():
        if not _is_number(probability) or not 0 <= probability <= 1:
            raise ValueError(f"{key}.{name}={probability!r} must be a number between 0 and 1")
    total = math.fsum(value.values())
    if not math.isclose(total, 1.0, abs_tol=1e-6):
        raise ValueError(f"{key} sum to {total:g}; they must sum to 1")
    return {Strategy(name): float(probability) for name, probability in value.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _require_positive(key: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key}={value!r} must be a whole number of at least 1")


def _require_type(key: str, value: Any, expected: type) -> None:
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise ValueError(f"{key}={value!r} must be of type {expected.__name__}")

"""The `edge_grpo:` block of the configuration, as frozen dataclasses that refuse bad values on construction.

Defaults live in `config/recipe/edge_grpo.yaml` and nowhere else, so every key has to be present here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from recipe.edge_grpo.correction.draws import two_over_group_size
from recipe.edge_grpo.correction.failure import FailureDefinition
from recipe.edge_grpo.correction.tokens import ANSWER_PLACEHOLDER, Strategy
from recipe.edge_grpo.settings import validation as check
from recipe.edge_grpo.settings.choices import (
    CorrectionScope,
    CountedTokens,
    EntropyMean,
    EntropySource,
    InjectedLoss,
    LongSolution,
    ProbabilitySchedule,
)

BLOCK = "edge_grpo"


@dataclass(frozen=True)
class EntropyDrivenAdvantageSettings:
    """`edge_grpo.eda`.

    Attributes:
        enabled: divide each advantage by the entropy ratio of its response.
        clip: bounds (low, high) on the ratio, 0 < low <= 1 <= high; None for the paper's unbounded ratio.
        entropy: the full-vocabulary entropy of the old-log-prob pass, or the mean negative log-probability of the
            sampled tokens, which needs no such pass.
        tokens: all tokens of a response, injected ones too (paper), or only those that the policy sampled.
        mean: over the responses of one prompt (paper), or over the whole batch.
    """

    enabled: bool
    clip: tuple[float, float] | None
    entropy: EntropySource
    tokens: CountedTokens
    mean: EntropyMean

    def __post_init__(self) -> None:
        key = f"{BLOCK}.eda"
        check.require_type(f"{key}.enabled", self.enabled, bool)
        object.__setattr__(self, "clip", check.bounds(f"{key}.clip", self.clip))
        for name, choices in (("entropy", EntropySource), ("tokens", CountedTokens), ("mean", EntropyMean)):
            object.__setattr__(self, name, check.one_of(f"{key}.{name}", getattr(self, name), choices))


@dataclass(frozen=True)
class GuidedErrorCorrectionSettings:
    """`edge_grpo.gec`.

    Attributes:
        enabled: correct failed responses while sampling. Never in validation.
        scope: each failed response by itself (paper), or the whole group under the contrast guard.
        corrects_mixed_groups: with the guard, correct failures of a group that has contrast already.
        schedule: `fixed` takes `probabilities`, `2/G` those of the ICLR version.
        probabilities: of each strategy for a failed response; they sum to 1.
        failed: whether accuracy 0 makes a response failed, or format 0 as well.
        corrects_truncated: whether responses that were cut off are corrected, as the paper does.
        reflection_texts: one of these is drawn and appended before the policy continues.
        reflection_rounds: how often a response that is still wrong is made to reflect.
        answer_text: appended by the answer strategy; `{answer}` stands for the ground truth.
        max_new_tokens: the policy continues a reflected response by at most so many tokens in one round.
        token_budget: and by at most so many in all rounds together; None for no other bound.
        time_limit_seconds: a continuation that takes longer is given up; None waits for ever.
        first_pass_max_tokens: the policy samples at most so many tokens before correction; None for the whole
            response length, which leaves no room to correct a truncated response.
        max_prompt_tokens: prompts longer than this, chat template included, are not corrected; None for no gate.
        long_solution: whether a reference solution that does not fit is skipped or cut.
        injected_loss: how the loss treats injected tokens.
        injected_weight: factor on the loss of injected tokens, for `injected_loss` "weight" only.
        accuracy_key: the key of the reward function's result that is 0 for a failed response.
        format_key: the key of its result that is 0 for a response without the format asked for.
    """

    enabled: bool
    scope: CorrectionScope
    corrects_mixed_groups: bool
    schedule: ProbabilitySchedule
    probabilities: Mapping[Strategy, float]
    failed: FailureDefinition
    corrects_truncated: bool
    reflection_texts: tuple[str, ...]
    reflection_rounds: int
    answer_text: str
    max_new_tokens: int
    token_budget: int | None
    time_limit_seconds: float | None
    first_pass_max_tokens: int | None
    max_prompt_tokens: int | None
    long_solution: LongSolution
    injected_loss: InjectedLoss
    injected_weight: float | None
    accuracy_key: str
    format_key: str

    def __post_init__(self) -> None:
        key = f"{BLOCK}.gec"
        for name in ("enabled", "corrects_mixed_groups", "corrects_truncated"):
            check.require_type(f"{key}.{name}", getattr(self, name), bool)
        for name in ("answer_text", "accuracy_key", "format_key"):
            check.require_type(f"{key}.{name}", getattr(self, name), str)
        if ANSWER_PLACEHOLDER not in self.answer_text:
            raise ValueError(f"{key}.answer_text={self.answer_text!r} must contain {ANSWER_PLACEHOLDER}")
        for name in ("reflection_rounds", "max_new_tokens"):
            check.require_positive(f"{key}.{name}", getattr(self, name))
        for name in ("token_budget", "first_pass_max_tokens", "max_prompt_tokens"):
            if getattr(self, name) is not None:
                check.require_positive(f"{key}.{name}", getattr(self, name))
        check.require_seconds_or_null(f"{key}.time_limit_seconds", self.time_limit_seconds)
        for name, choices in _GEC_CHOICES.items():
            object.__setattr__(self, name, check.one_of(f"{key}.{name}", getattr(self, name), choices))
        object.__setattr__(self, "reflection_texts", check.texts(f"{key}.reflection_texts", self.reflection_texts))
        object.__setattr__(
            self, "probabilities", check.strategy_probabilities(f"{key}.probabilities", self.probabilities)
        )
        self._check_injected_weight(key)
        self._check_guard(key)

    def _check_injected_weight(self, key: str) -> None:
        is_needed = self.injected_loss is InjectedLoss.WEIGHT
        is_weight = check.is_number(self.injected_weight) and self.injected_weight >= 0  # type: ignore[operator]
        if is_needed and not is_weight:
            raise ValueError(
                f"{key}.injected_weight={self.injected_weight!r} must be a number of at least 0 with "
                f"{key}.injected_loss=weight"
            )
        if not is_needed and self.injected_weight is not None:
            raise ValueError(
                f"{key}.injected_weight={self.injected_weight!r} has no effect with "
                f"{key}.injected_loss={self.injected_loss}; set injected_loss=weight, or the weight to null"
            )

    def _check_guard(self, key: str) -> None:
        never_sure = self.probabilities[Strategy.REFLECTION] == 1 and self.schedule is ProbabilitySchedule.FIXED
        if self.scope is CorrectionScope.GROUP and never_sure:
            raise ValueError(
                f"{key}.scope=group with {key}.probabilities.reflection=1: the contrast guard needs a sure correction "
                "for a group that is all wrong; give answer or solution a probability above 0, or set scope=response"
            )

    def strategy_probabilities(self, group_size: int) -> Mapping[Strategy, float]:
        """Probability of each strategy in groups of this size."""
        return self.probabilities if self.schedule is ProbabilitySchedule.FIXED else two_over_group_size(group_size)


_GEC_CHOICES: dict[str, type[StrEnum]] = {
    "scope": CorrectionScope,
    "schedule": ProbabilitySchedule,
    "failed": FailureDefinition,
    "long_solution": LongSolution,
    "injected_loss": InjectedLoss,
}


@dataclass(frozen=True)
class EdgeGRPOSettings:
    """The block `edge_grpo`.

    Attributes:
        seed: of the draws of error correction.
        replay_poll_seconds: how often the trainer looks for finished groups. verl's own 2 s is right for steps of
            minutes, and most of a step that takes one second.
        stall_seconds: a run in which no response is finished and no part of a step ends for so long is ended; None for
            no such limit.
        eda: entropy-driven advantage.
        gec: guided error correction.
    """

    seed: int
    replay_poll_seconds: float
    stall_seconds: float | None
    eda: EntropyDrivenAdvantageSettings
    gec: GuidedErrorCorrectionSettings

    def __post_init__(self) -> None:
        check.require_type(f"{BLOCK}.seed", self.seed, int)
        check.require_seconds(f"{BLOCK}.replay_poll_seconds", self.replay_poll_seconds)
        check.require_seconds_or_null(f"{BLOCK}.stall_seconds", self.stall_seconds)


def parse_settings(block: Mapping[str, Any] | None) -> EdgeGRPOSettings:
    """The settings of a composed `edge_grpo:` block.

    Args:
        block: plain dictionaries, lists and scalars, or None where the configuration has no such block.

    Raises:
        ValueError: naming the key, the value and the fix, if the block or a key is missing, unknown or out of range.
    """
    if block is None:
        raise ValueError(f"the configuration has no block `{BLOCK}:`; add +recipe=edge_grpo to the command line")
    values = check.known_keys(EdgeGRPOSettings, BLOCK, block)
    parts = {"eda": EntropyDrivenAdvantageSettings, "gec": GuidedErrorCorrectionSettings}
    for name, part in parts.items():
        values[name] = part(**check.known_keys(part, f"{BLOCK}.{name}", values[name]))
    return EdgeGRPOSettings(**values)

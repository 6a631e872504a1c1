"""The `edge_grpo:` block of the configuration, as frozen dataclasses that refuse bad values on construction.

Defaults, and the meaning of each key, live in `config/recipe/edge_grpo.yaml` and nowhere else, so every key has to be
present here. None stands for the YAML's null: no bound, no limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from recipe.edge_grpo.settings import validation as check
from recipe.edge_grpo.settings.choices import (
    ANSWER_PLACEHOLDER,
    HINT_PLACEHOLDER,
    SMALLEST_GROUP_OF_SCHEDULE,
    CorrectionScope,
    CountedTokens,
    EntropyMean,
    EntropySource,
    FailedPrefixLoss,
    FailureDefinition,
    HintPrompt,
    InjectedLoss,
    LongSolution,
    ProbabilitySchedule,
    Strategy,
    two_over_group_size,
)

if TYPE_CHECKING:
    from omegaconf import DictConfig

BLOCK = "edge_grpo"


@dataclass(frozen=True)
class EntropyDrivenAdvantageSettings:
    """`edge_grpo.eda`."""

    enabled: bool
    """Divide each advantage by the entropy ratio of its response."""
    clip: tuple[float, float] | None
    """Bounds (low, high) on the ratio, 0 < low <= 1 <= high."""
    entropy: EntropySource
    """Of the old-log-prob pass, or the mean negative log-probability of the sampled tokens."""
    tokens: CountedTokens
    """All tokens of a response, or only those that the policy sampled."""
    mean: EntropyMean
    """Over the responses of one prompt, or over the whole batch."""

    def __post_init__(self) -> None:
        key = f"{BLOCK}.eda"
        check.require_type(f"{key}.enabled", self.enabled, bool)
        object.__setattr__(self, "clip", check.bounds(f"{key}.clip", self.clip))
        for name, choices in (("entropy", EntropySource), ("tokens", CountedTokens), ("mean", EntropyMean)):
            object.__setattr__(self, name, check.one_of(f"{key}.{name}", getattr(self, name), choices))


@dataclass(frozen=True)
class GuidedErrorCorrectionSettings:
    """`edge_grpo.gec`."""

    enabled: bool
    """Correct failed responses while sampling; never in validation."""
    scope: CorrectionScope
    """Each failed response by itself, or the whole group under the contrast guard."""
    corrects_mixed_groups: bool
    """With the guard, correct failures of a group that has contrast already."""
    solution_in_every_group: bool
    """Replace one response of each group by the reference solution, whatever its outcome, and correct no other."""
    schedule: ProbabilitySchedule
    """Whether `probabilities` hold, or those of the ICLR version."""
    probabilities: Mapping[Strategy, float]
    """Of each strategy for a failed response; they sum to 1."""
    failed: FailureDefinition
    """What a response must lack to count as failed."""
    corrects_truncated: bool
    """Correct responses that were cut off."""
    reflection_texts: tuple[str, ...]
    """One is drawn and appended before the policy continues."""
    reflection_rounds: int
    """How often a response that is still wrong is made to reflect."""
    answer_text: str
    """Appended by the answer strategy; `{answer}` stands for the ground truth."""
    max_new_tokens: int
    """Bound on the continuation in one round of reflection."""
    token_budget: int | None
    """Bound on the continuations of all rounds together."""
    time_limit_seconds: float | None
    """A continuation that takes longer is given up."""
    first_pass_max_tokens: int | None
    """Bound on what the policy samples before correction, also where that is off; None for no bound."""
    max_prompt_tokens: int | None
    """Longer prompts, chat template included, are not corrected."""
    long_solution: LongSolution
    """Whether a reference solution that does not fit is skipped or cut."""
    hint_shares: tuple[float, ...]
    """Of the reference solution, shown in the prompt one after the other until a response of the group is right."""
    hint_text: str
    """Added to the prompt; `{hint}` stands for that part."""
    hint_prompt: HintPrompt
    """The prompt that such responses are trained on."""
    injected_loss: InjectedLoss
    """How the loss treats injected tokens."""
    injected_weight: float | None
    """Factor on the loss of injected tokens, for `injected_loss` "weight" only."""
    failed_prefix_loss: Mapping[Strategy, FailedPrefixLoss]
    """How the loss treats what the policy sampled before the last injected text, by the strategy of the correction."""
    failed_prefix_weight: float | None
    """Factor on the loss of those tokens, for "weight" only."""
    accuracy_key: str
    """Key of the reward function's result that is 0 for a failed response."""
    format_key: str
    """Key of its result that is 0 for a response without the format asked for."""

    def __post_init__(self) -> None:
        key = f"{BLOCK}.gec"
        for name in ("enabled", "corrects_mixed_groups", "solution_in_every_group", "corrects_truncated"):
            check.require_type(f"{key}.{name}", getattr(self, name), bool)
        for name in ("answer_text", "hint_text", "accuracy_key", "format_key"):
            check.require_type(f"{key}.{name}", getattr(self, name), str)
        for name, placeholder in (("answer_text", ANSWER_PLACEHOLDER), ("hint_text", HINT_PLACEHOLDER)):
            if placeholder not in getattr(self, name):
                raise ValueError(f"{key}.{name}={getattr(self, name)!r} must contain {placeholder}")
        for name in ("reflection_rounds", "max_new_tokens"):
            check.require_positive(f"{key}.{name}", getattr(self, name))
        for name in ("token_budget", "first_pass_max_tokens", "max_prompt_tokens"):
            if getattr(self, name) is not None:
                check.require_positive(f"{key}.{name}", getattr(self, name))
        check.require_seconds_or_null(f"{key}.time_limit_seconds", self.time_limit_seconds)
        for name, choices in _GEC_CHOICES.items():
            object.__setattr__(self, name, check.one_of(f"{key}.{name}", getattr(self, name), choices))
        object.__setattr__(self, "reflection_texts", check.texts(f"{key}.reflection_texts", self.reflection_texts))
        object.__setattr__(self, "hint_shares", check.growing_shares(f"{key}.hint_shares", self.hint_shares))
        object.__setattr__(
            self, "probabilities", check.strategy_probabilities(f"{key}.probabilities", self.probabilities)
        )
        object.__setattr__(
            self, "failed_prefix_loss", check.failed_prefix_losses(f"{key}.failed_prefix_loss", self.failed_prefix_loss)
        )
        self._check_weights(key)
        self._check_guard(key)
        self._check_solution_in_every_group(key)

    def _check_weights(self, key: str) -> None:
        has_weight = self.injected_loss is InjectedLoss.WEIGHT
        check.require_weight(f"{key}.injected_weight", self.injected_weight, has_weight, f"{key}.injected_loss=weight")
        has_weight = FailedPrefixLoss.WEIGHT in self.failed_prefix_loss.values()
        needed_by = f"{key}.failed_prefix_loss.answer=weight or .reflection=weight"
        check.require_weight(f"{key}.failed_prefix_weight", self.failed_prefix_weight, has_weight, needed_by)

    def _check_guard(self, key: str) -> None:
        shares, is_fixed = self.probabilities, self.schedule is ProbabilitySchedule.FIXED
        never_sure = shares[Strategy.REFLECTION] > 0 and shares[Strategy.ANSWER] == shares[Strategy.SOLUTION] == 0
        if self.scope is CorrectionScope.GROUP and never_sure and is_fixed:
            raise ValueError(
                f"{key}.scope=group with {key}.probabilities.reflection={shares[Strategy.REFLECTION]:g} and neither "
                "answer nor solution: the contrast guard needs a sure correction for a group that is all wrong; give "
                "answer or solution a probability above 0, or set scope=response"
            )
        if shares[Strategy.HINT] > 0 and (self.scope is not CorrectionScope.GROUP or not is_fixed):
            raise ValueError(
                f"{key}.probabilities.hint={shares[Strategy.HINT]:g} with {key}.scope={self.scope} and "
                f"{key}.schedule={self.schedule}: a hint is for a whole group, and of the fixed schedule only; "
                f"set {key}.scope=group and {key}.schedule=fixed, or {key}.probabilities.hint=0"
            )

    def _check_solution_in_every_group(self, key: str) -> None:
        if not self.solution_in_every_group:
            return
        needed = {
            "scope": CorrectionScope.GROUP,
            "schedule": ProbabilitySchedule.FIXED,
            "corrects_mixed_groups": True,
            "corrects_truncated": True,
        }
        for name, value in needed.items():
            if getattr(self, name) != value:
                raise ValueError(
                    f"{key}.solution_in_every_group=True with {key}.{name}={getattr(self, name)}: one response of each "
                    f"group makes place for the solution, whatever it is; set {key}.{name}={value}"
                )
        if self.probabilities[Strategy.SOLUTION] != 1:
            raise ValueError(
                f"{key}.solution_in_every_group=True with {key}.probabilities.solution="
                f"{self.probabilities[Strategy.SOLUTION]:g}: nothing else is corrected then, and no strategy drawn; "
                f"set {key}.probabilities.solution=1 and the others to 0"
            )
        if self.injected_loss is InjectedLoss.MASK or self.injected_weight == 0:
            raise ValueError(
                f"{key}.solution_in_every_group=True with {key}.injected_loss={self.injected_loss}, which takes the "
                f"solution out of the loss: set {key}.injected_loss=shaped, or train, or weight with a weight above 0"
            )

    def strategy_probabilities(self, group_size: int) -> Mapping[Strategy, float]:
        """Return the probability of each strategy in groups of this size; one of fewer than 4 counts as one of 4."""
        if self.schedule is ProbabilitySchedule.FIXED:
            return self.probabilities
        return two_over_group_size(max(group_size, SMALLEST_GROUP_OF_SCHEDULE))


_GEC_CHOICES: dict[str, type[StrEnum]] = {
    "scope": CorrectionScope,
    "schedule": ProbabilitySchedule,
    "failed": FailureDefinition,
    "long_solution": LongSolution,
    "hint_prompt": HintPrompt,
    "injected_loss": InjectedLoss,
}


@dataclass(frozen=True)
class EdgeGRPOSettings:
    """The block `edge_grpo`."""

    seed: int
    """Of the draws of error correction, and of the seeds of sampling."""
    seeds_responses: bool
    """Give each response a sampling seed of its own."""
    replay_poll_seconds: float
    """How often the trainer looks for finished groups."""
    reliability: bool
    """Watch, stop, seal and resume the run; False leaves verl's trainer with the method only."""
    stall_seconds: float | None
    """A run in which nothing is finished for so long is ended."""
    max_lost_fraction: float | None
    """A run that loses a larger share of its responses is ended."""
    comparator: Mapping[str, Any] | None
    """Constants of a rival estimator (comparators.py); None without one."""
    eda: EntropyDrivenAdvantageSettings
    """Entropy-driven advantage."""
    gec: GuidedErrorCorrectionSettings
    """Guided error correction."""

    def __post_init__(self) -> None:
        check.require_type(f"{BLOCK}.seed", self.seed, int)
        for name in ("seeds_responses", "reliability"):
            check.require_type(f"{BLOCK}.{name}", getattr(self, name), bool)
        check.require_seconds(f"{BLOCK}.replay_poll_seconds", self.replay_poll_seconds)
        check.require_seconds_or_null(f"{BLOCK}.stall_seconds", self.stall_seconds)
        if self.stall_seconds is not None and self.stall_seconds <= self.replay_poll_seconds:
            raise ValueError(
                f"{BLOCK}.stall_seconds={self.stall_seconds} must exceed {BLOCK}.replay_poll_seconds="
                f"{self.replay_poll_seconds}: nothing is seen to be finished in between, and a healthy run would end"
            )
        check.require_share_or_null(f"{BLOCK}.max_lost_fraction", self.max_lost_fraction)


def parse_settings(block: Mapping[str, Any] | None) -> EdgeGRPOSettings:
    """Return the settings of a composed `edge_grpo:` block.

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


def read_settings(config: "DictConfig") -> EdgeGRPOSettings:
    """Return the settings of a composed configuration; see `parse_settings` for what it raises."""
    from omegaconf import OmegaConf  # late: whoever only needs the classes imports no configuration library

    block = config.get(BLOCK)
    return parse_settings(None if block is None else OmegaConf.to_container(block, resolve=True))  # type: ignore[arg-type]

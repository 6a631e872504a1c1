"""The choices that the block `edge_grpo:` offers, by the names that it uses for them; what each does is in the YAML."""

from enum import StrEnum

ANSWER_PLACEHOLDER = "{answer}"
"""Stands for the ground truth in the text of the answer strategy."""

HINT_PLACEHOLDER = "{hint}"
"""Stands for the part of the reference solution in the text of a hint."""

SMALLEST_GROUP_OF_SCHEDULE = 4
"""Below it the schedule 2/G would give reflection a negative probability."""


class Strategy(StrEnum):
    """How a failed response is corrected."""

    REFLECTION = "reflection"
    ANSWER = "answer"
    SOLUTION = "solution"
    HINT = "hint"
    """Of a whole group: it is sampled again."""


RESPONSE_STRATEGIES = (Strategy.REFLECTION, Strategy.ANSWER, Strategy.SOLUTION)
"""Those that correct a response by itself."""


class ProbabilitySchedule(StrEnum):
    """Where the probabilities of the strategies come from."""

    FIXED = "fixed"
    TWO_OVER_GROUP_SIZE = "2/G"


class FailureDefinition(StrEnum):
    """What a response must lack to count as failed."""

    ACCURACY = "accuracy"
    ACCURACY_OR_FORMAT = "accuracy_or_format"


class EntropySource(StrEnum):
    """Where the entropy of a response comes from."""

    EXACT = "exact"
    SAMPLED = "sampled"


class CountedTokens(StrEnum):
    """Which tokens the entropy of a response is a mean over."""

    RESPONSE = "response"
    SAMPLED = "sampled"


class EntropyMean(StrEnum):
    """What the entropy of a response is compared with."""

    GROUP = "group"
    BATCH = "batch"


class CorrectionScope(StrEnum):
    """What is looked at before a response is corrected."""

    RESPONSE = "response"
    GROUP = "group"


class LongSolution(StrEnum):
    """What happens with a reference solution that is longer than the response length."""

    SKIP = "skip"
    CUT = "cut"


class HintPrompt(StrEnum):
    """Which prompt a response is trained on that was sampled under a hint."""

    HINTED = "hinted"
    PLAIN = "plain"


class InjectedLoss(StrEnum):
    """How the loss treats tokens that the policy did not write."""

    TRAIN = "train"
    MASK = "mask"
    WEIGHT = "weight"
    SHAPED = "shaped"


class FailedPrefixLoss(StrEnum):
    """How the loss treats what the policy had sampled before a correction, and what had failed."""

    TRAIN = "train"
    MASK = "mask"
    WEIGHT = "weight"


def two_over_group_size(group_size: int) -> dict[Strategy, float]:
    """Probabilities of the ICLR version: answer and solution 2/G each, reflection 1 - 4/G.

    The paper states P_1 = 2/G only; at G = 8 this reading gives its 0.5 / 0.25 / 0.25.

    Raises:
        ValueError: if the group has fewer than four responses, where 1 - 4/G is negative.

    >>> list(two_over_group_size(8).values())
    [0.5, 0.25, 0.25, 0.0]
    """
    if group_size < SMALLEST_GROUP_OF_SCHEDULE:
        raise ValueError(f"2/G needs groups of at least {SMALLEST_GROUP_OF_SCHEDULE} responses, got {group_size}")
    return {
        Strategy.REFLECTION: 1 - 4 / group_size,
        Strategy.ANSWER: 2 / group_size,
        Strategy.SOLUTION: 2 / group_size,
        Strategy.HINT: 0.0,
    }

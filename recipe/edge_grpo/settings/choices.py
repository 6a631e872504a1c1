"""The choices that the configuration offers, by the names that it uses for them."""

from enum import StrEnum


class ProbabilitySchedule(StrEnum):
    """Probabilities of the strategies that depend on the group size."""

    FIXED = "fixed"
    TWO_OVER_GROUP_SIZE = "2/G"


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


class InjectedLoss(StrEnum):
    """How the loss treats tokens that the policy did not write."""

    TRAIN = "train"
    MASK = "mask"
    WEIGHT = "weight"
    SHAPED = "shaped"

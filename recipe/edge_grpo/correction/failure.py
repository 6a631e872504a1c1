"""Which responses count as failed, and which of them are truncated.

Where this differs from the authors' code, and why: theirs takes a response as failed whose rewards do not sum to 2, so
that with one reward function correct responses are "corrected" too. Here accuracy decides, and the format where asked.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum


class FailureDefinition(StrEnum):
    """What a response must lack to count as failed."""

    ACCURACY = "accuracy"
    ACCURACY_OR_FORMAT = "accuracy_or_format"


def is_failed(
    accuracy: float, format_score: float | None = None, definition: FailureDefinition = FailureDefinition.ACCURACY
) -> bool:
    """Whether a response failed: its accuracy is 0 or, where the definition says so, its format score is.

    Truncated and ungradable responses have accuracy 0.

    Args:
        accuracy: of the response.
        format_score: of the response; None where the reward function reports none, which is no failure.
        definition: what counts.
    """
    if accuracy <= 0.0:
        return True
    return definition is FailureDefinition.ACCURACY_OR_FORMAT and format_score is not None and format_score <= 0.0


def is_truncated(response_ids: Sequence[int], eos_token_ids: Collection[int]) -> bool:
    """Whether a response was cut off: it does not end with an end-of-sequence token. An empty one counts as cut off."""
    return not response_ids or response_ids[-1] not in eos_token_ids

"""Which responses failed, from what the reward function reported about them.

Where this differs from the authors' code, and why: theirs takes a response as failed whose rewards do not sum to 2, so
that with one reward function correct responses are "corrected" too. Here accuracy decides, and the format where asked.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings
from recipe.edge_grpo.settings.choices import FailureDefinition


def is_failed(
    accuracy: float, format_score: float | None = None, definition: FailureDefinition = FailureDefinition.ACCURACY
) -> bool:
    """Return True if the accuracy of a response is 0 or, where the definition says so, its format score is.

    Truncated and ungradable responses have accuracy 0. A format score of None, of a reward function that reports none,
    is no failure.

    >>> is_failed(1.0, 0.0), is_failed(1.0, 0.0, FailureDefinition.ACCURACY_OR_FORMAT)
    (False, True)
    """
    if accuracy <= 0.0:
        return True
    return definition is FailureDefinition.ACCURACY_OR_FORMAT and format_score is not None and format_score <= 0.0


def is_truncated(response_ids: Sequence[int], eos_token_ids: Collection[int]) -> bool:
    """Return True if a response was cut off: it is empty, or does not end with an end-of-sequence token.

    >>> is_truncated([5, 6], {0}), is_truncated([5, 0], {0})
    (True, False)
    """
    return not response_ids or response_ids[-1] not in eos_token_ids


def accuracy_of(extra_fields: Mapping[str, Any], reward: float, settings: GuidedErrorCorrectionSettings) -> float:
    """Return the accuracy of a response; its reward where the reward function reports no accuracy."""
    accuracy = _reported(extra_fields).get(settings.accuracy_key)
    return float(reward if accuracy is None else accuracy)


def has_failed(extra_fields: Mapping[str, Any], reward: float, settings: GuidedErrorCorrectionSettings) -> bool:
    """Return True if a response failed, by the definition of the settings."""
    format_score = _reported(extra_fields).get(settings.format_key)
    return is_failed(
        accuracy_of(extra_fields, reward, settings),
        None if format_score is None else float(format_score),
        settings.failed,
    )


def verify_status_of(extra_fields: Mapping[str, Any]) -> str | None:
    """Return how the reward function came to its latest score; None if it does not say.

    >>> verify_status_of({"reward_extra_info": {"acc": 0.0, "verify_status": "no_box"}})
    'no_box'
    """
    return _reported(extra_fields).get("verify_status")


def _reported(extra_fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return extra_fields.get("reward_extra_info") or {}

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


class UnreportedKeyError(ValueError):
    """The reward function does not report what decides whether a response failed; the run cannot go on."""


def accuracy_of(extra_fields: Mapping[str, Any], reward: float, settings: GuidedErrorCorrectionSettings) -> float:
    """Return the accuracy that the reward function reports; for one that returns a bare number that number.

    verl reports a bare number as `acc`, and a result that is a dictionary with all of its keys, `score` among them.
    An agent loop that scores its own response reports nothing: its reward is the accuracy.

    Raises:
        UnreportedKeyError: if there is a report without the accuracy, naming the keys that it has.
    """
    reported = _reported(extra_fields)
    accuracy = reported.get(settings.accuracy_key)
    if accuracy is None:
        is_bare_number = not reported or ("acc" in reported and "score" not in reported)
        if not is_bare_number:
            raise _unreported("accuracy_key", settings.accuracy_key, reported, "is 0 for a wrong response")
        accuracy = reported.get("acc", reward)
    return float(accuracy)


def has_failed(extra_fields: Mapping[str, Any], reward: float, settings: GuidedErrorCorrectionSettings) -> bool:
    """Return True if a response failed, by the definition of the settings.

    Raises:
        UnreportedKeyError: see `accuracy_of`; or if the format of a right response decides and is not reported.
    """
    accuracy = accuracy_of(extra_fields, reward, settings)
    if is_failed(accuracy) or settings.failed is FailureDefinition.ACCURACY:
        return is_failed(accuracy)
    reported = _reported(extra_fields)
    format_score = reported.get(settings.format_key)
    if format_score is None:
        fix = "is 0 for a response without the format (or set edge_grpo.gec.failed=accuracy)"
        raise _unreported("format_key", settings.format_key, reported, fix)
    return is_failed(accuracy, float(format_score), settings.failed)


def verify_status_of(extra_fields: Mapping[str, Any]) -> str | None:
    """Return how the reward function came to its latest score; None if it does not say.

    >>> verify_status_of({"reward_extra_info": {"acc": 0.0, "verify_status": "no_box"}})
    'no_box'
    """
    return _reported(extra_fields).get("verify_status")


def _reported(extra_fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return extra_fields.get("reward_extra_info") or {}


def _unreported(name: str, value: str, reported: Mapping[str, Any], meaning: str) -> UnreportedKeyError:
    keys = ", ".join(sorted(map(str, reported))) or "none"
    return UnreportedKeyError(
        f"edge_grpo.gec.{name}={value}: the reward function reports no number under this key; it reports the keys "
        f"{keys}. Set edge_grpo.gec.{name} to the one that {meaning}, or let the reward function report it"
    )

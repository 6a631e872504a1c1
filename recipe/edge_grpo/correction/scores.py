"""What the reward function reported about a response, read by the keys that the settings name."""

from collections.abc import Mapping
from typing import Any

from recipe.edge_grpo.correction.failure import is_failed
from recipe.edge_grpo.correction.record import CorrectionRecord
from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings


def accuracy_of(extra_fields: Mapping[str, Any], reward: float, settings: GuidedErrorCorrectionSettings) -> float:
    """Accuracy of a response; its reward where the reward function reports no accuracy."""
    accuracy = _reported(extra_fields).get(settings.accuracy_key)
    return float(reward if accuracy is None else accuracy)


def has_failed(extra_fields: Mapping[str, Any], reward: float, settings: GuidedErrorCorrectionSettings) -> bool:
    """Whether a response failed, by the settings' definition."""
    format_score = _reported(extra_fields).get(settings.format_key)
    return is_failed(
        accuracy_of(extra_fields, reward, settings),
        None if format_score is None else float(format_score),
        settings.failed,
    )


def verify_status_of(extra_fields: Mapping[str, Any]) -> str | None:
    """How the reward function came to its latest score; None if it does not say."""
    return _reported(extra_fields).get("verify_status")


def record_of_score(
    extra_fields: Mapping[str, Any], reward: float, settings: GuidedErrorCorrectionSettings
) -> CorrectionRecord:
    """The record of a response of which nothing but its score is known."""
    return CorrectionRecord(
        first_pass_reward=float(reward),
        first_pass_accuracy=accuracy_of(extra_fields, reward, settings),
        is_failed=has_failed(extra_fields, reward, settings),
        first_pass_verify_status=verify_status_of(extra_fields),
    )


def _reported(extra_fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return extra_fields.get("reward_extra_info") or {}

"""What error correction and grading did to a batch, as numbers under `edge_grpo/gec` and `edge_grpo/verify`; pure.

A quantity that is undefined in a step is absent from the result; it is never 0 or NaN.
"""

from collections.abc import Sequence

from recipe.edge_grpo.correction.record import CorrectionRecord, GuardRole, HintSkipped, Skipped
from recipe.edge_grpo.names import METRIC_PREFIX
from recipe.edge_grpo.settings.choices import Strategy

NOT_COMPARED = ("no_box", "no_gold", "limit", "timeout", "crash", "parse_error")
"""What `reward_fns.math_reward` reports as `verify_status` of a response that it could not compare with the answer."""


def correction_metrics(records: Sequence[CorrectionRecord], is_right: Sequence[bool]) -> dict[str, float]:
    """Return counts and success rates of error correction.

    The success rate of a strategy is the share of the responses corrected by it that are right then; it is absent where
    the strategy was not used.

    Args:
        records: one for each of R responses.
        is_right: R values, True where a response did not fail after correction.

    >>> metrics = correction_metrics([CorrectionRecord(0.0, 0.0, True, Strategy.ANSWER)], [True])
    >>> metrics["edge_grpo/gec/answer"], metrics["edge_grpo/gec/answer_success_rate"]
    (1, 1.0)
    """
    key = f"{METRIC_PREFIX}/gec"
    metrics: dict[str, float] = {f"{key}/failed_fraction": sum(record.is_failed for record in records) / len(records)}
    for strategy in Strategy:
        outcomes = [right for right, record in zip(is_right, records, strict=True) if record.strategy == strategy]
        metrics[f"{key}/{strategy}"] = len(outcomes)
        if outcomes:
            metrics[f"{key}/{strategy}_success_rate"] = sum(outcomes) / len(outcomes)
    for reason in Skipped:
        metrics[f"{key}/skipped_{reason}"] = sum(record.skipped == reason for record in records)
    for hint_reason in HintSkipped:
        metrics[f"{key}/hint_skipped_{hint_reason}"] = sum(record.hint_skipped == hint_reason for record in records)
    counted: dict[str, list[int]] = {
        "answer_for_missing_solution": [record.answer_for_missing_solution for record in records],
        "solution_cut": [record.is_solution_cut for record in records],
        "guard_sure": [record.guard_role == GuardRole.SURE for record in records],
        "guard_kept": [record.guard_role == GuardRole.KEPT for record in records],
        "guard_without_sure_correction": [record.is_without_sure_correction for record in records],
        "reflection_rounds": [record.reflection_rounds for record in records],
        "tokens_injected": [record.tokens_injected for record in records],
        "tokens_failed_prefix": [record.tokens_failed_prefix for record in records],
        "tokens_regenerated": [record.tokens_regenerated for record in records],
        "hint_without_success": [record.is_without_right_hint for record in records],
        "hints_tried": [record.hints_tried for record in records],
        "tokens_resampled": [record.tokens_resampled for record in records],
    }
    return metrics | {f"{key}/{name}": sum(values) for name, values in counted.items()}


def verify_metrics(records: Sequence[CorrectionRecord], final_statuses: Sequence[str | None]) -> dict[str, float]:
    """Return how many gradings ended without a comparison, by `verify_status`.

    Every response counts once, a corrected one twice: before and after. Gradings between rounds of reflection, and
    those of a correction that was taken back, do not count. Statuses other than those of `NOT_COMPARED` are not
    reported: `ok`, and those of a reward function of the user's own.

    Args:
        records: one for each of R responses.
        final_statuses: R values; where a response was corrected, the status after that.

    Returns:
        Nothing if no grading has a status.

    >>> record = CorrectionRecord(0.0, 0.0, True, Strategy.ANSWER, first_pass_verify_status="no_box")
    >>> verify_metrics([record], ["no_box"])["edge_grpo/verify/no_box"]  # before and after
    2
    """
    statuses = [record.first_pass_verify_status for record in records]
    statuses += [status for status, record in zip(final_statuses, records, strict=True) if record.strategy is not None]
    if all(status is None for status in statuses):
        return {}
    return {f"{METRIC_PREFIX}/verify/{status}": statuses.count(status) for status in NOT_COMPARED}

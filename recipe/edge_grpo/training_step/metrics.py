"""What the method does to a batch, as numbers under `edge_grpo/`: collapse, entropy, correction and grading metrics.

Pure functions of rewards, advantages, entropies and correction records. A quantity that is undefined in a step (the
entropy of correct responses when none is correct) is absent from the result; it is never 0 or NaN.

Where this differs from the authors' code, and why: theirs logs accuracy after correction only, so that its training
curve contains injected answers, and the advantage variance after the entropy scaling only, while the paper plots the
one before. Here both are reported, before and after.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_mean_of
from recipe.edge_grpo.correction.contrast_guard import GuardRole
from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped
from recipe.edge_grpo.correction.tokens import Strategy

PREFIX = "edge_grpo"

NOT_COMPARED = ("no_box", "no_gold", "limit", "timeout", "crash", "parse_error")
"""What `reward_fns.math_reward` reports as `verify_status` of a response that it could not compare with the answer."""


def group_metrics(rewards: Tensor, accuracies: Tensor, group_index: Tensor, stage: str) -> dict[str, float]:
    """Shares of groups without contrast.

    `zero_variance`: all rewards of the group are equal, so that every advantage is 0 (a group of one counts);
    `all_correct`, `all_wrong`: every accuracy is 1, or 0.

    Args:
        rewards: (B,).
        accuracies: (B,) in [0, 1].
        group_index: (B,) int64 in [0, num_groups), every number taken.
        stage: "before_gec" or "after_gec".
    """
    num_groups = len(torch.bincount(group_index))
    highest_reward, lowest_reward = _group_extremes(rewards, group_index, num_groups)
    highest_accuracy, lowest_accuracy = _group_extremes(accuracies, group_index, num_groups)
    # Exact comparison: a std of equal numbers can differ from 0 by rounding.
    shares = {
        "zero_variance": highest_reward == lowest_reward,
        "all_correct": lowest_accuracy >= 1,
        "all_wrong": highest_accuracy <= 0,
    }
    return {f"{PREFIX}/groups/{name}_{stage}": share.double().mean().item() for name, share in shares.items()}


def advantage_metrics(raw_advantages: Tensor, scaled_advantages: Tensor, group_index: Tensor) -> dict[str, float]:
    """Variance of the advantages within a group (sample variance), mean over the groups of two or more.

    Without the entropy scaling a group with contrast has (almost exactly) 1 and one without has 0: the paper's figure 5
    shows this number before the scaling.
    """
    metrics = {}
    for stage, advantages in (("before_eda", raw_advantages), ("after_eda", scaled_advantages)):
        variance = mean_group_variance(advantages, group_index)
        if variance is not None:
            metrics[f"{PREFIX}/advantage_variance/{stage}"] = variance
    return metrics


def mean_group_variance(values: Tensor, group_index: Tensor) -> float | None:
    """Mean over the groups of two or more of their sample variance; None if there is no such group."""
    values = values.double()
    group_size = torch.bincount(group_index)
    squares = (values - group_mean_of(values, group_index)[group_index]).square()
    sum_of_squares = values.new_zeros(len(group_size)).index_add(0, group_index, squares)
    has_contrast = group_size >= 2
    if not has_contrast.any():
        return None
    return (sum_of_squares[has_contrast] / (group_size[has_contrast] - 1)).mean().item()


def entropy_metrics(response_entropy: Tensor, accuracies: Tensor) -> dict[str, float]:
    """Mean policy entropy of all, of correct and of wrong responses, in nats, after correction."""
    selections = {
        "mean": torch.ones_like(accuracies, dtype=torch.bool),
        "correct": accuracies > 0,
        "wrong": accuracies <= 0,
    }
    return {
        f"{PREFIX}/entropy/{name}": response_entropy[selected].double().mean().item()
        for name, selected in selections.items()
        if selected.any()
    }


def ratio_metrics(unbounded_ratio: Tensor, ratio: Tensor) -> dict[str, float]:
    """Smallest and largest entropy ratio that was used, and the share of responses whose ratio met a bound."""
    return {
        f"{PREFIX}/entropy_ratio/min": ratio.min().item(),
        f"{PREFIX}/entropy_ratio/max": ratio.max().item(),
        f"{PREFIX}/entropy_ratio/clipped_fraction": (unbounded_ratio != ratio).double().mean().item(),
    }


def accuracy_metrics(records: Sequence[CorrectionRecord], accuracies: Tensor) -> dict[str, float]:
    """Mean accuracy of what the policy wrote by itself, and after correction."""
    first_pass = sum(record.first_pass_accuracy for record in records) / len(records)
    return {
        f"{PREFIX}/accuracy/first_pass": first_pass,
        f"{PREFIX}/accuracy/after_gec": accuracies.double().mean().item(),
    }


def correction_metrics(records: Sequence[CorrectionRecord], is_right: Sequence[bool]) -> dict[str, float]:
    """Counts and success rates of error correction.

    The success rate of a strategy is the share of the responses corrected by it that are right then; it is absent where
    the strategy was not used.

    Args:
        records: of each response.
        is_right: whether each response did not fail, after correction, by the failure definition of the run.
    """
    key = f"{PREFIX}/gec"
    metrics: dict[str, float] = {f"{key}/failed_fraction": sum(record.is_failed for record in records) / len(records)}
    for strategy in Strategy:
        outcomes = [right for right, record in zip(is_right, records, strict=True) if record.strategy == strategy]
        metrics[f"{key}/{strategy}"] = len(outcomes)
        if outcomes:
            metrics[f"{key}/{strategy}_success_rate"] = sum(outcomes) / len(outcomes)
    for reason in Skipped:
        metrics[f"{key}/skipped_{reason}"] = sum(record.skipped == reason for record in records)
    counted: dict[str, list[int]] = {
        "answer_for_missing_solution": [record.answer_for_missing_solution for record in records],
        "solution_cut": [record.is_solution_cut for record in records],
        "guard_sure": [record.guard_role == GuardRole.SURE for record in records],
        "guard_kept": [record.guard_role == GuardRole.KEPT for record in records],
        "guard_without_sure_correction": [record.is_without_sure_correction for record in records],
        "reflection_rounds": [record.reflection_rounds for record in records],
        "tokens_injected": [record.tokens_injected for record in records],
        "tokens_regenerated": [record.tokens_regenerated for record in records],
    }
    return metrics | {f"{key}/{name}": sum(values) for name, values in counted.items()}


def verify_metrics(records: Sequence[CorrectionRecord], final_statuses: Sequence[str | None]) -> dict[str, float]:
    """How many gradings ended without a comparison, by `verify_status`.

    Every response counts once, a corrected one twice: before and after. Gradings between rounds of reflection, and
    those of a correction that was taken back, do not count. Statuses other than those of `NOT_COMPARED` are not
    reported: `ok`, and those of a reward function of the user's own.

    Args:
        records: of each response.
        final_statuses: of each response; of a corrected one, after correction.

    Returns:
        Nothing if no grading has a status.
    """
    statuses = [record.first_pass_verify_status for record in records]
    statuses += [status for status, record in zip(final_statuses, records, strict=True) if record.strategy is not None]
    if all(status is None for status in statuses):
        return {}
    return {f"{PREFIX}/verify/{status}": statuses.count(status) for status in NOT_COMPARED}


def _group_extremes(values: Tensor, group_index: Tensor, num_groups: int) -> tuple[Tensor, Tensor]:
    """Highest and lowest value of each group."""
    start = values.new_zeros(num_groups)
    highest = start.scatter_reduce(0, group_index, values, "amax", include_self=False)
    lowest = start.scatter_reduce(0, group_index, values, "amin", include_self=False)
    return highest, lowest

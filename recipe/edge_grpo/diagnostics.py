"""What the method does to a batch, as numbers under `edge_grpo/`: collapse, entropy, correction and grading metrics.

Pure functions of rewards, advantages, entropies and correction records. A quantity that is undefined in a step (the
entropy of correct responses when none is correct) is absent from the result; it is never 0 or NaN.

Where this differs from the authors' code, and why: theirs logs accuracy after correction only, so that its training
curve contains injected answers, and the advantage variance after the entropy scaling only, while the paper plots the
one before. Here both are reported, before and after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_mean_of
from recipe.edge_grpo.correction import Strategy

PREFIX = "edge_grpo"

RECORD_KEY = "edge_grpo"
"""Key of an agent-loop output's `extra_fields` under which its correction record travels, as a dictionary."""

NOT_COMPARED = ("no_box", "no_gold", "limit", "timeout", "crash", "parse_error")
"""What `reward_fns.math_reward` reports as `verify_status` of a response that it could not compare with the answer."""


class Skipped(StrEnum):
    """Why a failed response was left as it was."""

    PROMPT_TOO_LONG = "prompt_too_long"
    NO_ROOM = "no_room"
    GENERATION_FAILED = "generation_failed"


@dataclass(frozen=True)
class CorrectionRecord:
    """What error correction did to one response.

    Attributes:
        first_pass_reward: before correction.
        first_pass_accuracy: before correction; 0 means failed.
        strategy: the correction applied, None for none.
        skipped: why a failed response was not corrected, None otherwise.
        answer_for_missing_solution: the solution strategy was drawn and the row has no solution.
        injected_start: where the text begins that the policy did not write, [start, end) in the response.
        injected_end: where it ends.
        tokens_regenerated: tokens that the policy sampled after the reflection text.
        first_pass_verify_status: before correction; None if the reward function reports none.
    """

    first_pass_reward: float
    first_pass_accuracy: float
    strategy: Strategy | None = None
    skipped: Skipped | None = None
    answer_for_missing_solution: bool = False
    injected_start: int = 0
    injected_end: int = 0
    tokens_regenerated: int = 0
    first_pass_verify_status: str | None = None


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


def correction_metrics(records: Sequence[CorrectionRecord], accuracies: Tensor) -> dict[str, float]:
    """Counts and success rates of error correction.

    A success is a corrected response of accuracy above 0. The success rate of a strategy that was not used is absent.
    """
    key = f"{PREFIX}/gec"
    failed = sum(record.first_pass_accuracy <= 0 for record in records)
    metrics: dict[str, float] = {f"{key}/failed_fraction": failed / len(records)}
    for strategy in Strategy:
        outcomes = [accuracies[row].item() > 0 for row, record in enumerate(records) if record.strategy == strategy]
        metrics[f"{key}/{strategy}"] = len(outcomes)
        if outcomes:
            metrics[f"{key}/{strategy}_success_rate"] = sum(outcomes) / len(outcomes)
    for reason in Skipped:
        metrics[f"{key}/skipped_{reason}"] = sum(record.skipped == reason for record in records)
    metrics[f"{key}/answer_for_missing_solution"] = sum(record.answer_for_missing_solution for record in records)
    metrics[f"{key}/tokens_injected"] = sum(record.injected_end - record.injected_start for record in records)
    metrics[f"{key}/tokens_regenerated"] = sum(record.tokens_regenerated for record in records)
    return metrics


def verify_status_of(extra_fields: Mapping[str, Any]) -> str | None:
    """How the reward function came to its latest score of an agent-loop output; None if it does not say."""
    return (extra_fields.get("reward_extra_info") or {}).get("verify_status")


def verify_metrics(records: Sequence[CorrectionRecord], final_statuses: Sequence[str | None]) -> dict[str, float]:
    """How many gradings ended without a comparison, by `verify_status`.

    Every response is graded once, a corrected one twice. Statuses other than those of `NOT_COMPARED` are not reported:
    `ok`, and those of a reward function of the user's own.

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

"""What the method does to a batch, as numbers under `edge_grpo/`: collapse, entropy and advantage; pure.

Functions of rewards, advantages, entropies and correction records; `step_metrics` puts all of them together, with those
of correction_metrics.py. A quantity that is undefined in a step (the entropy of correct responses when none is correct)
is absent from the result; it is never 0 or NaN.

Where this differs from the authors' code, and why: theirs logs accuracy after correction only, so that its training
curve contains injected answers, and the advantage variance after the entropy scaling only, while the paper plots the
one before. Here both are reported, before and after.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_mean_of, raw_and_scaled_advantages
from recipe.edge_grpo.correction.record import CorrectionRecord
from recipe.edge_grpo.names import METRIC_PREFIX
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch
from recipe.edge_grpo.training_step.correction_metrics import correction_metrics, verify_metrics
from recipe.edge_grpo.training_step.outcomes import ResponseOutcomes

COLLAPSE_STD = 1e-6
"""A group whose rewards have a smaller sample std has collapsed: tau of the Advantage Collapse Rate (2605.21125)."""


def step_metrics(
    stored: StoredBatch,
    entropy: BatchEntropy,
    outcomes: ResponseOutcomes,
    token_level_rewards: Tensor | None,
    scale_by_std: bool,
) -> dict[str, float]:
    """Return all metrics of one batch.

    The advantages are recomputed from the rewards: a response that the loss does not count at all, as a masked
    reference solution, has one here too.

    Args:
        stored: what verl has stored.
        entropy: from `batch_entropy`, (B,) each.
        outcomes: from `response_outcomes`, R rows that are no padding.
        token_level_rewards: (B, T) where verl's KL penalty changed the rewards, else None.
        scale_by_std: verl's `norm_adv_by_std_in_grpo`.
    """
    is_real = ~stored.is_padding
    group_index = torch.unique(stored.group_index[is_real], return_inverse=True)[1]
    rewards, ratio = stored.rewards[is_real], entropy.ratio[is_real]
    raw_advantages, scaled_advantages = response_advantages(stored, ratio, token_level_rewards, scale_by_std)
    first_pass_rewards = torch.tensor([record.first_pass_reward for record in outcomes.records])
    first_pass_accuracies = torch.tensor([record.first_pass_accuracy for record in outcomes.records])
    has_entropy = entropy.has_entropy[is_real]
    return {
        **group_metrics(first_pass_rewards, first_pass_accuracies, group_index, "before_gec"),
        **group_metrics(rewards, outcomes.accuracies, group_index, "after_gec"),
        **accuracy_metrics(outcomes.records, outcomes.accuracies),
        **advantage_metrics(raw_advantages, scaled_advantages, group_index),
        **entropy_metrics(entropy.response_entropy[is_real][has_entropy], outcomes.accuracies[has_entropy]),
        **ratio_metrics(entropy.unbounded_ratio[is_real], ratio),
        **correction_metrics(outcomes.records, outcomes.is_right),
        **verify_metrics(outcomes.records, outcomes.verify_statuses),
    }


def response_advantages(
    stored: StoredBatch, ratio: Tensor, token_level_rewards: Tensor | None, scale_by_std: bool
) -> tuple[Tensor, Tensor]:
    """Return A_i and Â_i of the R responses that are no padding; `ratio` (R,), the rest as in `step_metrics`."""
    is_real = ~stored.is_padding
    group_index = torch.unique(stored.group_index[is_real], return_inverse=True)[1]
    rewards = stored.rewards if token_level_rewards is None else token_level_rewards.sum(dim=1)
    return raw_and_scaled_advantages(rewards[is_real], group_index, ratio, scale_by_std)


def group_metrics(rewards: Tensor, accuracies: Tensor, group_index: Tensor, stage: str) -> dict[str, float]:
    """Return the shares of groups without contrast.

    `zero_variance`: the sample std of the group's rewards is below 1e-6, so that every advantage is 0 (a group of one
    counts). This is the Advantage Collapse Rate, (1/N) sum_j 1[std(R_j) < tau].
    `all_correct`, `all_wrong`: every accuracy is 1, or 0.

    Args:
        rewards: (B,).
        accuracies: (B,) in [0, 1].
        group_index: (B,) int64 in [0, num_groups), every number taken.
        stage: "before_gec" or "after_gec".

    >>> rewards, accuracies = torch.tensor([0.1, 0.0]), torch.tensor([0.0, 0.0])  # a format reward
    >>> list(group_metrics(rewards, accuracies, torch.tensor([0, 0]), "before_gec").values())
    [0.0, 0.0, 1.0]
    """
    num_groups = len(torch.bincount(group_index))
    highest_accuracy, lowest_accuracy = _group_extremes(accuracies, group_index, num_groups)
    shares = {
        "zero_variance": _group_variances(rewards, group_index).sqrt() < COLLAPSE_STD,
        "all_correct": lowest_accuracy >= 1,
        "all_wrong": highest_accuracy <= 0,
    }
    return {f"{METRIC_PREFIX}/groups/{name}_{stage}": share.double().mean().item() for name, share in shares.items()}


def advantage_metrics(raw_advantages: Tensor, scaled_advantages: Tensor, group_index: Tensor) -> dict[str, float]:
    """Return the variance of the advantages within a group (sample variance), mean over the groups of two or more.

    Without the entropy scaling a group with contrast has (almost exactly) 1 and one without has 0: the paper's figure 5
    shows this number before the scaling.

    >>> advantage_metrics(torch.tensor([1.0, -1.0]), torch.tensor([2.0, -2.0]), torch.tensor([0, 0]))
    {'edge_grpo/advantage_variance/before_eda': 2.0, 'edge_grpo/advantage_variance/after_eda': 8.0}
    """
    metrics = {}
    for stage, advantages in (("before_eda", raw_advantages), ("after_eda", scaled_advantages)):
        variance = mean_group_variance(advantages, group_index)
        if variance is not None:
            metrics[f"{METRIC_PREFIX}/advantage_variance/{stage}"] = variance
    return metrics


def mean_group_variance(values: Tensor, group_index: Tensor) -> float | None:
    """Return the mean over the groups of two or more of their sample variance; None if there is no such group.

    >>> mean_group_variance(torch.tensor([1.0, -1.0, 5.0]), torch.tensor([0, 0, 1]))  # (1 + 1) / (2 - 1)
    2.0
    """
    is_large = torch.bincount(group_index) >= 2
    return _group_variances(values, group_index)[is_large].mean().item() if is_large.any() else None


def entropy_metrics(response_entropy: Tensor, accuracies: Tensor) -> dict[str, float]:
    """Return the mean policy entropy of all, of correct and of wrong responses, in nats, after correction.

    >>> entropy_metrics(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.0]))
    {'edge_grpo/entropy/mean': 2.0, 'edge_grpo/entropy/wrong': 2.0}
    """
    selections = {
        "mean": torch.ones_like(accuracies, dtype=torch.bool),
        "correct": accuracies > 0,
        "wrong": accuracies <= 0,
    }
    return {
        f"{METRIC_PREFIX}/entropy/{name}": response_entropy[selected].double().mean().item()
        for name, selected in selections.items()
        if selected.any()
    }


def ratio_metrics(unbounded_ratio: Tensor, ratio: Tensor) -> dict[str, float]:
    """Return smallest and largest entropy ratio as used, and the share of responses whose ratio met a bound.

    >>> list(ratio_metrics(torch.tensor([0.25, 1.0]), torch.tensor([0.5, 1.0])).values())
    [0.5, 1.0, 0.5]
    """
    return {
        f"{METRIC_PREFIX}/entropy_ratio/min": ratio.min().item(),
        f"{METRIC_PREFIX}/entropy_ratio/max": ratio.max().item(),
        f"{METRIC_PREFIX}/entropy_ratio/clipped_fraction": (unbounded_ratio != ratio).double().mean().item(),
    }


def accuracy_metrics(records: Sequence[CorrectionRecord], accuracies: Tensor) -> dict[str, float]:
    """Return the mean accuracy of what the policy wrote by itself, and after correction.

    >>> accuracy_metrics([CorrectionRecord(0.0, 0.0, True)], torch.tensor([1.0]))
    {'edge_grpo/accuracy/first_pass': 0.0, 'edge_grpo/accuracy/after_gec': 1.0}
    """
    first_pass = sum(record.first_pass_accuracy for record in records) / len(records)
    return {
        f"{METRIC_PREFIX}/accuracy/first_pass": first_pass,
        f"{METRIC_PREFIX}/accuracy/after_gec": accuracies.double().mean().item(),
    }


def _group_variances(values: Tensor, group_index: Tensor) -> Tensor:
    """Return the sample variance of each group; 0 for a group of one."""
    values = values.double()
    group_size = torch.bincount(group_index)
    squares = (values - group_mean_of(values, group_index)[group_index]).square()
    return values.new_zeros(len(group_size)).index_add(0, group_index, squares) / (group_size - 1).clamp(min=1)


def _group_extremes(values: Tensor, group_index: Tensor, num_groups: int) -> tuple[Tensor, Tensor]:
    """Return highest and lowest value of each group."""
    start = values.new_zeros(num_groups)
    highest = start.scatter_reduce(0, group_index, values, "amax", include_self=False)
    lowest = start.scatter_reduce(0, group_index, values, "amin", include_self=False)
    return highest, lowest

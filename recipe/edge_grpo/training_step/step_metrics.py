"""All metrics under `edge_grpo/` of one batch, put together from diagnostics.py; pure.

The advantages are those of verl's GRPO and of the entropy scaling, from the rewards: a response that the loss does not
count at all, as a masked reference solution, has one here too.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import entropy_driven_advantage, group_relative_advantage
from recipe.edge_grpo.correction.record import CorrectionRecord
from recipe.edge_grpo.correction.scores import accuracy_of, has_failed, record_of_score, verify_status_of
from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings
from recipe.edge_grpo.training_step import metrics as diagnostics
from recipe.edge_grpo.training_step.batch import StoredBatch
from recipe.edge_grpo.training_step.batch_entropy import BatchEntropy


@dataclass(frozen=True)
class ResponseOutcomes:
    """What became of the R responses of a batch, padding left out.

    Attributes:
        records: of each; made up from the score where error correction did not look.
        accuracies: (R,) after correction.
        is_right: whether each did not fail, after correction.
        verify_statuses: of the latest grading of each.
    """

    records: list[CorrectionRecord]
    accuracies: Tensor
    is_right: list[bool]
    verify_statuses: list[str | None]


def response_outcomes(stored: StoredBatch, settings: GuidedErrorCorrectionSettings) -> ResponseOutcomes:
    """What became of each response that is no padding."""
    rows = [
        (record, extra, reward)
        for record, extra, reward, padding in zip(
            stored.records, stored.extra_fields, stored.rewards.tolist(), stored.is_padding.tolist(), strict=True
        )
        if not padding
    ]
    return ResponseOutcomes(
        records=[record or record_of_score(extra, reward, settings) for record, extra, reward in rows],
        accuracies=torch.tensor([accuracy_of(extra, reward, settings) for _, extra, reward in rows]),
        is_right=[not has_failed(extra, reward, settings) for _, extra, reward in rows],
        verify_statuses=[verify_status_of(extra) for _, extra, _ in rows],
    )


def step_metrics(
    stored: StoredBatch,
    entropy: BatchEntropy,
    outcomes: ResponseOutcomes,
    token_level_rewards: Tensor | None,
    scale_by_std: bool,
) -> dict[str, float]:
    """All metrics of one batch.

    Args:
        stored: what verl has stored.
        entropy: of the batch.
        outcomes: of its responses.
        token_level_rewards: (B, T) where verl's KL penalty changed the rewards, else None.
        scale_by_std: verl's `norm_adv_by_std_in_grpo`.
    """
    is_real = ~stored.is_padding
    group_index = torch.unique(stored.group_index[is_real], return_inverse=True)[1]
    rewards, ratio = stored.rewards[is_real], entropy.ratio[is_real]
    penalised = rewards if token_level_rewards is None else token_level_rewards.sum(dim=1)[is_real]
    raw_advantages = group_relative_advantage(penalised, group_index, scale_by_std)
    scaled_advantages = entropy_driven_advantage(raw_advantages, ratio)
    first_pass_rewards = torch.tensor([record.first_pass_reward for record in outcomes.records])
    first_pass_accuracies = torch.tensor([record.first_pass_accuracy for record in outcomes.records])
    has_entropy = entropy.has_entropy[is_real]
    return {
        **diagnostics.group_metrics(first_pass_rewards, first_pass_accuracies, group_index, "before_gec"),
        **diagnostics.group_metrics(rewards, outcomes.accuracies, group_index, "after_gec"),
        **diagnostics.accuracy_metrics(outcomes.records, outcomes.accuracies),
        **diagnostics.advantage_metrics(raw_advantages, scaled_advantages, group_index),
        **diagnostics.entropy_metrics(entropy.response_entropy[is_real][has_entropy], outcomes.accuracies[has_entropy]),
        **diagnostics.ratio_metrics(entropy.unbounded_ratio[is_real], ratio),
        **diagnostics.correction_metrics(outcomes.records, outcomes.is_right),
        **diagnostics.verify_metrics(outcomes.records, outcomes.verify_statuses),
    }

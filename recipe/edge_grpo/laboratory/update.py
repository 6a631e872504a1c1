"""One update of the policy: what verl's trainer and worker do with the responses of a step, in one forward pass.

The policy is the one that sampled, so that every importance ratio is 1 and no clip is met. The loss is verl's vanilla
loss there, and that of injected tokens as `edge_grpo.gec.injected_loss` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import raw_and_scaled_advantages
from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.laboratory.configuration import CONSTANT_LENGTH, LaboratoryConfig
from recipe.edge_grpo.laboratory.policy import Policy
from recipe.edge_grpo.settings.choices import EntropySource, InjectedLoss
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch, batch_entropy
from recipe.edge_grpo.training_step.comparator_estimators import ESTIMATORS, ComparatorInputs
from recipe.edge_grpo.training_step.injected_tokens import injected_mask, shaped_substitutes, weight_corrected
from recipe.edge_grpo.training_step.metrics import step_metrics
from recipe.edge_grpo.training_step.outcomes import response_outcomes
from recipe.edge_grpo.training_step.policy_loss import GAMMA


@dataclass(frozen=True)
class Update:
    """The loss of a step, with gradient, and what a run of verl would report."""

    loss: Tensor
    metrics: dict[str, float]
    advantages: Tensor
    """(B, T) of each token, 0 where the loss does not count it."""
    stored: StoredBatch
    """What verl would have stored about the responses."""


def make_update(
    config: LaboratoryConfig, policy: Policy, groups: Sequence[Sequence[Candidate]], max_response_length: int
) -> Update:
    """Return loss and metrics of the groups of one step; the policy is not changed."""
    candidates = [candidate for group in groups for candidate in group]
    outputs = [candidate.output for candidate in candidates]
    log_probs, exact = policy.token_statistics(
        [output.prompt_ids for output in outputs], [output.response_ids for output in outputs]
    )
    old_log_probs = log_probs.detach()
    token_entropy = exact if config.settings.eda.entropy is EntropySource.EXACT else -old_log_probs
    stored = stored_batch(groups, token_entropy)
    entropy = batch_entropy(stored, config.settings.eda)
    advantages = advantages_of(config, stored, entropy, old_log_probs)
    losses = token_losses(config, log_probs, advantages, stored)
    outcomes = response_outcomes(stored, config.settings.gec)
    metrics = step_metrics(stored, entropy, outcomes, None, config.scale_by_std)
    loss = aggregate(losses, stored.response_mask, config.loss_agg_mode, max_response_length)
    return Update(loss, metrics, advantages, stored)


def stored_batch(groups: Sequence[Sequence[Candidate]], token_entropy: Tensor) -> StoredBatch:
    """Return what verl would have stored about the groups."""
    candidates = [candidate for group in groups for candidate in group]
    length = token_entropy.shape[1]
    masks = [candidate.output.response_mask for candidate in candidates]
    return StoredBatch(
        keys=[f"{each.row['index']}_{each.session}_0" for each in candidates],
        is_padding=torch.zeros(len(candidates), dtype=torch.bool),
        group_index=torch.repeat_interleave(torch.arange(len(groups)), torch.tensor([len(group) for group in groups])),
        rewards=torch.tensor([float(candidate.output.reward_score) for candidate in candidates]),
        token_entropy=token_entropy,
        response_mask=torch.tensor([mask + [0] * (length - len(mask)) for mask in masks]),
        is_injected=injected_mask([candidate.record.injected_spans for candidate in candidates], length),
        is_failed_prefix=injected_mask([candidate.record.failed_prefix_spans for candidate in candidates], length),
        extra_fields=[candidate.output.extra_fields for candidate in candidates],
        records=[candidate.record for candidate in candidates],
        dataset_index=[candidate.row["index"] for candidate in candidates],
    )


def advantages_of(
    config: LaboratoryConfig, stored: StoredBatch, entropy: BatchEntropy, old_log_probs: Tensor
) -> Tensor:
    """Return the advantage of each token, (B, T); 0 where the loss does not count it."""
    if config.constants is None:  # without the entropy-driven advantage all ratios are 1
        ratio = entropy.ratio
        _, advantages = raw_and_scaled_advantages(stored.rewards, stored.group_index, ratio, config.scale_by_std)
    else:
        inputs = ComparatorInputs(config.constants, stored.token_entropy, old_log_probs, stored.is_padding)
        advantages = ESTIMATORS[config.estimator](stored.rewards, stored.group_index, stored.response_mask, inputs)
    if advantages.ndim == 1:
        advantages = advantages.unsqueeze(1) * stored.response_mask
    return weight_corrected(advantages, stored, config.settings.gec)


def token_losses(config: LaboratoryConfig, log_probs: Tensor, advantages: Tensor, stored: StoredBatch) -> Tensor:
    """Return the loss of each token, (B, T): -A times the ratio, which is 1 and has the gradient of log p."""
    old_log_probs, weights = log_probs.detach(), torch.ones_like(log_probs)
    if config.settings.gec.injected_loss is InjectedLoss.SHAPED:
        log_probs, weights = shaped_substitutes(log_probs, old_log_probs, stored.is_injected, weights, GAMMA)
    return -advantages * weights * (log_probs - old_log_probs).exp()


def aggregate(losses: Tensor, mask: Tensor, loss_agg_mode: str, max_response_length: int) -> Tensor:
    """Return the mean over the tokens that count; or, as Dr. GRPO, the sum of each response over a constant length.

    0 where no token counts.

    >>> aggregate(torch.tensor([[1.0, 3.0], [5.0, 9.0]]), torch.tensor([[1, 1], [1, 0]]), "token-mean", 2)
    tensor(3.)
    """
    total = torch.where(mask.bool(), losses, 0.0)
    if loss_agg_mode == CONSTANT_LENGTH:
        num_responses = mask.bool().any(dim=1).sum().clamp(min=1)
        return total.sum() / max_response_length / num_responses
    return total.sum() / mask.sum().clamp(min=1)

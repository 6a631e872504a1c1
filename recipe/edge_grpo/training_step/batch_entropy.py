"""Entropy ratio of each response of a batch, as the settings ask for it; pure.

Shapes: B responses, T response tokens.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import entropy_ratio, mean_response_entropy
from recipe.edge_grpo.settings.block import EntropyDrivenAdvantageSettings
from recipe.edge_grpo.settings.choices import CountedTokens, EntropyMean


@dataclass(frozen=True)
class BatchEntropy:
    """Entropies and ratios of a batch.

    Attributes:
        response_entropy: (B,) in nats.
        has_entropy: (B,) False for padding and for a response of which no token counts.
        unbounded_ratio: (B,) before the bounds; 1 where there is no entropy.
        ratio: (B,) what advantages are divided by; 1 everywhere without the entropy-driven advantage.
    """

    response_entropy: Tensor
    has_entropy: Tensor
    unbounded_ratio: Tensor
    ratio: Tensor


def batch_entropy(
    token_entropy: Tensor,
    response_mask: Tensor,
    is_injected: Tensor,
    is_padding: Tensor,
    group_index: Tensor,
    settings: EntropyDrivenAdvantageSettings,
) -> BatchEntropy:
    """Entropies and ratios of a batch.

    Args:
        token_entropy: (B, T) entropy of each token or, for the sampled estimate, its negative log-probability.
        response_mask: (B, T) of the loss.
        is_injected: (B, T) True where the policy did not write the token; whether the loss counts it does not matter.
        is_padding: (B,) rows that stand for no response.
        group_index: (B,) int64 in [0, num_groups).
        settings: which tokens count, what the ratio is taken to, its bounds.
    """
    is_counted = counted_tokens(response_mask, is_injected, settings.tokens)
    response_entropy = mean_response_entropy(token_entropy, is_counted)
    has_entropy = is_counted.any(dim=1) & ~is_padding
    if not settings.enabled:
        ones = torch.ones_like(response_entropy)
        return BatchEntropy(response_entropy, has_entropy, ones, ones)
    index = torch.zeros_like(group_index) if settings.mean is EntropyMean.BATCH else group_index
    return BatchEntropy(
        response_entropy,
        has_entropy,
        unbounded_ratio=entropy_ratio(response_entropy, index, None, has_entropy),
        ratio=entropy_ratio(response_entropy, index, settings.clip, has_entropy),
    )


def counted_tokens(response_mask: Tensor, is_injected: Tensor, tokens: CountedTokens) -> Tensor:
    """(B, T) which tokens the entropy of a response is a mean over; tokens of a tool never count."""
    if tokens is CountedTokens.SAMPLED:
        return response_mask.bool() & ~is_injected
    return response_mask.bool() | is_injected

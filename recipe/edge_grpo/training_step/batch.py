"""What is known of a batch, padding rows included, and the entropy of its responses as the settings ask for it; pure.

Shapes: B rows, T response tokens, padded to the longest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import entropy_ratio, mean_response_entropy
from recipe.edge_grpo.correction.record import CorrectionRecord
from recipe.edge_grpo.settings.block import EntropyDrivenAdvantageSettings
from recipe.edge_grpo.settings.choices import CountedTokens, EntropyMean


@dataclass(frozen=True)
class StoredBatch:
    """What verl has stored about a batch."""

    keys: list[str]
    """{uid}_{session}_{output} of each row."""
    is_padding: Tensor
    """(B,) rows that verl added to make the batch divisible."""
    group_index: Tensor
    """(B,) int64, the prompt of each row."""
    rewards: Tensor
    """(B,) after correction."""
    token_entropy: Tensor
    """(B, T) in nats; for the sampled estimate the negative log-probability of each token."""
    response_mask: Tensor
    """(B, T) of the loss."""
    is_injected: Tensor
    """(B, T) tokens that error correction put in, whether the loss counts them or not."""
    is_failed_prefix: Tensor
    """(B, T) failed tokens of the policy before a correction, where the loss does not train them as they are."""
    extra_fields: list[Mapping[str, Any]]
    """Of each row's agent-loop output."""
    records: list[CorrectionRecord | None]
    """Of error correction; None for padding and where it did not look."""
    dataset_index: list[Any]
    """Of each row's prompt; None where the data has none."""


@dataclass(frozen=True)
class BatchEntropy:
    """Entropies and ratios of a batch."""

    response_entropy: Tensor
    """(B,) in nats."""
    has_entropy: Tensor
    """(B,) False for padding and for a response of which no token counts."""
    unbounded_ratio: Tensor
    """(B,) before the bounds; 1 where there is no entropy."""
    ratio: Tensor
    """(B,) what advantages are divided by; 1 everywhere without the entropy-driven advantage."""


def batch_order(keys: Sequence[str], dataset_index: Sequence[Any]) -> list[int]:
    """Return the order of the rows by (dataset index, uid, session, output), whatever the order in which they came.

    The uid is drawn anew in each run: it orders prompts of one index only, and keeps their groups apart.

    Args:
        keys: {uid}_{session}_{output} of each row.
        dataset_index: of each row's prompt, a number or anything else; numbers come first.

    >>> batch_order(["x_10_0", "x_9_0", "a_0_0"], [3, 3, 20])
    [1, 0, 2]
    """

    def place(row: int) -> tuple[bool, float, str, str, int, int]:
        index, (uid, session, output) = dataset_index[row], keys[row].rsplit("_", 2)
        is_number = isinstance(index, int | float)
        return not is_number, index if is_number else 0, str(index), uid, int(session), int(output)

    return sorted(range(len(keys)), key=place)


def batch_entropy(stored: StoredBatch, settings: EntropyDrivenAdvantageSettings) -> BatchEntropy:
    """Return the entropy and the entropy ratio of each row, as the block `edge_grpo.eda` asks for them."""
    is_policys = stored.response_mask.bool() | stored.is_failed_prefix  # out of the loss or not
    is_counted = counted_tokens(is_policys, stored.is_injected, settings.tokens)
    response_entropy = mean_response_entropy(stored.token_entropy, is_counted)
    has_entropy = is_counted.any(dim=1) & ~stored.is_padding
    if not settings.enabled:
        ones = torch.ones_like(response_entropy)
        return BatchEntropy(response_entropy, has_entropy, ones, ones)
    index = torch.zeros_like(stored.group_index) if settings.mean is EntropyMean.BATCH else stored.group_index
    return BatchEntropy(
        response_entropy,
        has_entropy,
        unbounded_ratio=entropy_ratio(response_entropy, index, None, has_entropy),
        ratio=entropy_ratio(response_entropy, index, settings.clip, has_entropy),
    )


def counted_tokens(response_mask: Tensor, is_injected: Tensor, tokens: CountedTokens) -> Tensor:
    """Return (B, T) bool: the tokens that the entropy of a response is a mean over; those of a tool never count.

    >>> counted_tokens(torch.tensor([[1, 1, 0]]), torch.tensor([[False, True, True]]), CountedTokens.SAMPLED)
    tensor([[ True, False, False]])
    """
    if tokens is CountedTokens.SAMPLED:
        return response_mask.bool() & ~is_injected
    return response_mask.bool() | is_injected

"""What verl has stored about a batch, as tensors; padding rows included."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from recipe.edge_grpo.correction.record import CorrectionRecord


@dataclass(frozen=True)
class StoredBatch:
    """A batch of B rows with at most T response tokens.

    Attributes:
        keys: of the rows, {uid}_{session}_{output}.
        is_padding: (B,) rows that verl added to make the batch divisible.
        group_index: (B,) int64, the prompt of each row.
        rewards: (B,) after correction.
        token_entropy: (B, T).
        response_mask: (B, T).
        is_injected: (B, T) tokens that error correction put in.
        extra_fields: of each row's agent-loop output.
        records: of error correction; None for padding and where it did not look.
        dataset_index: of each row's prompt; None where the data has none.
    """

    keys: list[str]
    is_padding: Tensor
    group_index: Tensor
    rewards: Tensor
    token_entropy: Tensor
    response_mask: Tensor
    is_injected: Tensor
    extra_fields: list[Mapping[str, Any]]
    records: list[CorrectionRecord | None]
    dataset_index: list[Any]

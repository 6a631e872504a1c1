"""What became of each response of a batch, padding left out, and its columns in a dumped rollout; pure.

A dumped rollout has, beside verl's input, output, gts, score, step and uid:

dataset_index           of the prompt
strategy                the correction that was applied, null for none
skipped, guard_role     why a failed response was not corrected; what the contrast guard decided
hint_number             of the hint, from 1, under which it was sampled, null for none
hint_skipped            at a response of a group for which a hint was drawn, why it was not given
first_pass_text         of a corrected response, what it was before; null where `output` is the first pass
first_pass_score        reward before correction (`score` is the reward after)
first_pass_accuracy, accuracy
tokens_injected, tokens_regenerated
entropy, entropy_ratio  of the response after correction; null where it has no entropy
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recipe.edge_grpo.correction.failure import accuracy_of, has_failed, verify_status_of
from recipe.edge_grpo.correction.record import CorrectionRecord, record_of_score
from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch

_RECORD_COLUMNS = (
    "strategy",
    "skipped",
    "guard_role",
    "hint_number",
    "hint_skipped",
    "first_pass_text",
    "first_pass_accuracy",
    "tokens_injected",
    "tokens_regenerated",
)


@dataclass(frozen=True)
class ResponseOutcomes:
    """What became of the R responses of a batch, padding left out."""

    records: list[CorrectionRecord]
    """Made up from the score where error correction did not look."""
    accuracies: Tensor
    """(R,) after correction."""
    is_right: list[bool]
    """Each did not fail, after correction, by the failure definition of the run."""
    verify_statuses: list[str | None]
    """Of the latest grading of each."""


def response_outcomes(stored: StoredBatch, settings: GuidedErrorCorrectionSettings) -> ResponseOutcomes:
    """Return what became of each response that is no padding."""
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


def rollout_columns(
    stored: StoredBatch, entropy: BatchEntropy, outcomes: ResponseOutcomes
) -> dict[str, dict[str, Any]]:
    """Return {key of a row: its columns in a dumped rollout} for every row that is no padding."""
    rows = [row for row, padding in enumerate(stored.is_padding.tolist()) if not padding]
    columns = {}
    for row, record, accuracy in zip(rows, outcomes.records, outcomes.accuracies.tolist(), strict=True):
        has_entropy = entropy.has_entropy[row].item()
        columns[stored.keys[row]] = {
            "dataset_index": stored.dataset_index[row],
            **{name: getattr(record, name) for name in _RECORD_COLUMNS},
            "first_pass_score": record.first_pass_reward,
            "accuracy": accuracy,
            "entropy": entropy.response_entropy[row].item() if has_entropy else None,
            "entropy_ratio": entropy.ratio[row].item(),
        }
    return columns


def as_lists(columns: dict[str, dict[str, Any]], keys: list[str]) -> dict[str, list[Any]]:
    """Return {column: its value for each key}, as verl wants it; null for a key that is not known.

    >>> as_lists({"a_0_0": {"accuracy": 1.0}}, ["a_0_0", "b_0_0"])
    {'accuracy': [1.0, None]}
    """
    names = list(next(iter(columns.values()), {}))
    return {name: [columns.get(key, {}).get(name) for key in keys] for name in names}

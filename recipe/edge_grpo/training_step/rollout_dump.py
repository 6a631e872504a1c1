"""Columns that a dumped rollout has beside verl's input, output, gts, score, step and uid; pure.

dataset_index           of the prompt
strategy                the correction that was applied, null for none
skipped, guard_role     why a failed response was not corrected; what the contrast guard decided
first_pass_text         of a corrected response, what it was before; null where `output` is the first pass
first_pass_score        reward before correction (`score` is the reward after)
first_pass_accuracy, accuracy
tokens_injected, tokens_regenerated
entropy, entropy_ratio  of the response after correction; null where it has no entropy
"""

from typing import Any

from recipe.edge_grpo.training_step.batch import StoredBatch
from recipe.edge_grpo.training_step.batch_entropy import BatchEntropy
from recipe.edge_grpo.training_step.step_metrics import ResponseOutcomes

_OF_THE_RECORD = (
    "strategy",
    "skipped",
    "guard_role",
    "first_pass_text",
    "first_pass_accuracy",
    "tokens_injected",
    "tokens_regenerated",
)


def rollout_columns(
    stored: StoredBatch, entropy: BatchEntropy, outcomes: ResponseOutcomes
) -> dict[str, dict[str, Any]]:
    """{key of a row: its columns} for every row that is no padding."""
    rows = [row for row, padding in enumerate(stored.is_padding.tolist()) if not padding]
    columns = {}
    for row, record, accuracy in zip(rows, outcomes.records, outcomes.accuracies.tolist(), strict=True):
        has_entropy = entropy.has_entropy[row].item()
        columns[stored.keys[row]] = {
            "dataset_index": stored.dataset_index[row],
            **{name: getattr(record, name) for name in _OF_THE_RECORD},
            "first_pass_score": record.first_pass_reward,
            "accuracy": accuracy,
            "entropy": entropy.response_entropy[row].item() if has_entropy else None,
            "entropy_ratio": entropy.ratio[row].item(),
        }
    return columns


def as_lists(columns: dict[str, dict[str, Any]], keys: list[str]) -> dict[str, list[Any]]:
    """{column: its value for each key}, as verl wants it; null for the key of a padding row."""
    names = list(next(iter(columns.values()), {}))
    return {name: [columns.get(key, {}).get(name) for key in keys] for name in names}

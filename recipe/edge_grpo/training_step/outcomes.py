"""What became of each response of a batch, padding left out, and its columns in a dumped rollout; pure.

A dumped rollout has, beside verl's input, output, gts, score, step and uid:

group                   number of the prompt within the file
dataset_index           of the prompt
strategy                the correction that was applied, null for none
skipped, guard_role     why a response that was to be corrected was not; what the contrast guard decided
hint_number             of the hint, from 1, under which it was sampled, null for none
hint_skipped            at a response of a group for which a hint was drawn, why it was not given
first_pass_text         of a corrected response, what it was before; null where `output` is the first pass
first_pass_score        reward before correction (`score` is the reward after)
first_pass_accuracy, accuracy
tokens_injected, tokens_regenerated
injected_texts          the pieces of `output` that the policy did not write
entropy, entropy_ratio  of the response after correction; null where it has no entropy
advantage_before_eda    verl's group-relative advantage
advantage               what the estimator gave, mean over the tokens of the loss; null where the loss counts none
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recipe.edge_grpo.correction.failure import accuracy_of, has_failed, verify_status_of
from recipe.edge_grpo.correction.record import CorrectionRecord, record_of_score
from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch
from recipe.edge_grpo.training_step.estimator import group_numbers

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


@dataclass(frozen=True)
class DumpedAdvantages:
    """The advantages of a batch, as a dumped rollout says them."""

    before_eda: Tensor
    """(R,) verl's group-relative advantage of the responses that are no padding."""
    given: Tensor
    """(B, T) what the estimator gave to each token."""


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
    stored: StoredBatch, entropy: BatchEntropy, outcomes: ResponseOutcomes, advantages: DumpedAdvantages
) -> dict[str, dict[str, Any]]:
    """Return {key of a row: its columns in a dumped rollout} for every row that is no padding."""
    rows = [row for row, padding in enumerate(stored.is_padding.tolist()) if not padding]
    columns = {}
    accuracies, before_eda = outcomes.accuracies.tolist(), advantages.before_eda.tolist()
    for row, record, accuracy, before in zip(rows, outcomes.records, accuracies, before_eda, strict=True):
        given = advantages.given[row][stored.response_mask[row].bool()]
        has_entropy = entropy.has_entropy[row].item()
        columns[stored.keys[row]] = {
            "dataset_index": stored.dataset_index[row],
            **{name: getattr(record, name) for name in _RECORD_COLUMNS},
            "first_pass_score": record.first_pass_reward,
            "accuracy": accuracy,
            "entropy": entropy.response_entropy[row].item() if has_entropy else None,
            "entropy_ratio": entropy.ratio[row].item(),
            "advantage_before_eda": before,
            "advantage": given.mean().item() if len(given) else None,
        }
    return columns


def as_lists(columns: dict[str, dict[str, Any]], keys: list[str]) -> dict[str, list[Any]]:
    """Return {column: its value for each key}, as verl wants it; null for a key that is not known.

    >>> as_lists({"a_0_0": {"accuracy": 1.0}}, ["a_0_0", "b_0_0"])
    {'accuracy': [1.0, None]}
    """
    names = list(next(iter(columns.values()), {}))
    return {name: [columns.get(key, {}).get(name) for key in keys] for name in names}


def group_column(keys: list[str]) -> list[int]:
    """Return the number of each row's group, in the order in which the groups come; keys are {uid}_{session}_{output}.

    >>> group_column(["x_y_0_0", "b_0_0", "x_y_1_0"])
    [0, 1, 0]
    """
    names = np.array([key.rsplit("_", 2)[0] for key in keys], dtype=object)
    return list(group_numbers(names).tolist())

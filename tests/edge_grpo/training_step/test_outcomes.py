"""What became of each response: padding left out, with and without a record of error correction."""

import dataclasses
import re
from pathlib import Path

import pytest
import torch
from support.error_correction import settings

from recipe.edge_grpo.correction.record import CorrectionRecord, GuardRole, Skipped
from recipe.edge_grpo.settings.choices import Strategy
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch
from recipe.edge_grpo.training_step.outcomes import DumpedAdvantages, as_lists, response_outcomes, rollout_columns


def reported(accuracy, verify_status, **others):
    return {"reward_extra_info": {"acc": accuracy, "verify_status": verify_status, **others}}


CORRECTED = CorrectionRecord(
    first_pass_reward=0.25,
    first_pass_accuracy=0.0,
    is_failed=True,
    strategy=Strategy.ANSWER,
    guard_role=GuardRole.SURE,
    injected_spans=((2, 5), (7, 8)),
    tokens_regenerated=4,
    first_pass_verify_status="no_box",
    first_pass_text="it is 3",
)
SKIPPED = CorrectionRecord(0.5, 0.0, True, skipped=Skipped.NO_ROOM, first_pass_verify_status="limit")
NOT_LOOKED_AT = CorrectionRecord(1.5, 1.0, False, first_pass_verify_status="ok")

ENTROPY = BatchEntropy(
    response_entropy=torch.tensor([0.5, 7.0, 0.0, 2.0]),
    has_entropy=torch.tensor([True, False, False, True]),
    unbounded_ratio=torch.tensor([0.25, 1.0, 1.0, 4.0]),
    ratio=torch.tensor([0.5, 1.0, 1.0, 2.0]),
)
# The padding row has none before EDA; the loss counts every token but the last of each response.
ADVANTAGES = DumpedAdvantages(
    before_eda=torch.tensor([1.0, -1.0, 0.5]),
    given=torch.tensor([[2.0], [9.0], [-1.0], [0.25]]) * torch.tensor([[1.0] * 8 + [99.0]]),
)


@pytest.fixture
def stored():
    """A corrected response, a padding row, one that error correction did not look at, and one that it left alone."""
    return StoredBatch(
        keys=["a_0_0", "padding", "a_1_0", "b_0_0"],
        is_padding=torch.tensor([False, True, False, False]),
        group_index=torch.tensor([0, 1, 0, 2]),
        rewards=torch.tensor([1.25, 9.0, 1.5, 0.5]),
        token_entropy=torch.zeros(4, 9),
        response_mask=torch.tensor([[1] * 8 + [0]] * 3 + [[0] * 9]),
        is_injected=torch.zeros(4, 9, dtype=torch.bool),
        is_failed_prefix=torch.zeros(4, 9, dtype=torch.bool),
        extra_fields=[reported(1.0, "ok"), reported(1.0, "crash"), reported(1.0, "ok"), reported(0.0, "timeout")],
        records=[CORRECTED, None, None, SKIPPED],
        dataset_index=[17, None, 18, 19],
    )


def test_outcomes_are_of_the_rows_that_are_no_padding_in_their_order(stored):
    outcomes = response_outcomes(stored, settings().gec)
    assert outcomes.records == [CORRECTED, NOT_LOOKED_AT, SKIPPED]
    assert outcomes.accuracies.tolist() == [1.0, 1.0, 0.0]
    assert outcomes.is_right == [True, True, False]
    assert outcomes.verify_statuses == ["ok", "ok", "timeout"]


def test_where_no_accuracy_is_reported_the_reward_stands_for_it(stored):
    stored = dataclasses.replace(stored, extra_fields=[{}] * 4)
    outcomes = response_outcomes(stored, settings().gec)
    assert outcomes.accuracies.tolist() == [1.25, 1.5, 0.5]
    assert outcomes.records[1] == CorrectionRecord(1.5, 1.5, False)
    assert outcomes.is_right == [True, True, True]
    assert outcomes.verify_statuses == [None, None, None]


def test_a_batch_that_knows_not_the_same_of_every_row_is_refused(stored):
    for name in ("records", "extra_fields"):
        with pytest.raises(ValueError, match="zip"):
            response_outcomes(dataclasses.replace(stored, **{name: getattr(stored, name)[:-1]}), settings().gec)


def test_a_response_is_right_by_the_failure_definition_of_the_run(stored):
    stored = dataclasses.replace(stored, extra_fields=[reported(1.0, "ok", format=0.0)] * 4)
    assert response_outcomes(stored, settings().gec).is_right == [True, True, True]
    strict = response_outcomes(stored, settings(failed="accuracy_or_format").gec)
    assert strict.is_right == [False, False, False]
    assert [record.is_failed for record in strict.records] == [True, True, True]


def test_a_dumped_rollout_has_the_columns_of_each_row_under_its_key_and_none_of_padding(stored):
    columns = rollout_columns(stored, ENTROPY, response_outcomes(stored, settings().gec), ADVANTAGES)
    nothing_done = {
        **{"strategy": None, "skipped": None, "guard_role": None, "first_pass_text": None},
        **{"tokens_injected": 0, "tokens_regenerated": 0, "hint_number": None, "hint_skipped": None},
    }
    assert columns == {
        "a_0_0": {
            "dataset_index": 17,
            "strategy": "answer",
            "skipped": None,
            "guard_role": "sure",
            "hint_number": None,
            "hint_skipped": None,
            "first_pass_text": "it is 3",
            "first_pass_score": 0.25,
            "first_pass_accuracy": 0.0,
            "accuracy": 1.0,
            "tokens_injected": 4,  # 3 + 1
            "tokens_regenerated": 4,
            "entropy": 0.5,
            "entropy_ratio": 0.5,
            "advantage_before_eda": 1.0,
            "advantage": 2.0,
        },
        "a_1_0": nothing_done
        | {"dataset_index": 18, "first_pass_score": 1.5, "first_pass_accuracy": 1.0, "accuracy": 1.0}
        | {"entropy": None, "entropy_ratio": 1.0, "advantage_before_eda": -1.0, "advantage": -1.0},
        "b_0_0": nothing_done
        | {"dataset_index": 19, "first_pass_score": 0.5, "first_pass_accuracy": 0.0, "accuracy": 0.0}
        | {"skipped": "no_room", "entropy": 2.0, "entropy_ratio": 2.0}
        | {"advantage_before_eda": 0.5, "advantage": None},  # the loss counts none of its tokens
    }


def test_the_page_of_metrics_lists_the_columns_of_a_rollout_and_no_others(stored):
    page = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
    table = page.partition("| column | meaning |")[2].partition("\n\n")[0]
    listed = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    columns = rollout_columns(stored, ENTROPY, response_outcomes(stored, settings().gec), ADVANTAGES)["a_0_0"]
    assert listed == {*columns, "group", "injected_texts"}  # the trainer adds these when it dumps


def test_outcomes_of_another_batch_are_refused(stored):
    outcomes = response_outcomes(stored, settings().gec)
    with pytest.raises(ValueError, match="zip"):
        rollout_columns(stored, ENTROPY, dataclasses.replace(outcomes, records=outcomes.records[:-1]), ADVANTAGES)


def test_columns_become_lists_in_the_order_of_the_keys_with_null_for_padding():
    columns = {"a": {"entropy": 1.0, "skipped": None}, "b": {"entropy": 2.0, "skipped": "no_room"}}
    assert as_lists(columns, ["b", "padding", "a"]) == {
        "entropy": [2.0, None, 1.0],
        "skipped": ["no_room", None, None],
    }


def test_of_no_columns_there_are_no_lists():
    assert as_lists({}, ["padding"]) == {}

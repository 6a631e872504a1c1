"""The look at the training rows before the first step."""

import itertools

import pytest

from recipe.edge_grpo.run.training_rows import check_training_rows

indices = itertools.count()


def row(ground_truth="4", solution="2+2=4", index=None):
    """A row with an index of its own unless one is given."""
    index = next(indices) if index is None else index
    return {"reward_model": {"ground_truth": ground_truth}, "extra_info": {"solution": solution, "index": index}}


@pytest.mark.parametrize("bad", [row(None), row(""), row([]), {"extra_info": {}}, {"reward_model": None}])
def test_a_row_that_cannot_be_graded_is_refused_with_its_number(bad):
    with pytest.raises(ValueError, match=r"training row 2 \(from 0\) has no reward_model.ground_truth; add it or drop"):
        check_training_rows([row(), row(), bad, row()], corrects=True)


@pytest.mark.parametrize("ground_truth", [0, 0.0, "0", ["4", "four"], 7])
def test_falsy_numbers_and_alternatives_are_answers(ground_truth):
    check_training_rows([row(ground_truth)], corrects=True)


def test_rows_without_a_solution_are_counted_in_one_warning(caplog):
    rows = [row(), row(solution=""), row(solution=None)]
    check_training_rows(rows, corrects=True)
    (record,) = caplog.records
    assert "2 of 3 training rows have no extra_info.solution" in record.getMessage()
    assert "edge_grpo/gec/answer_for_missing_solution" in record.getMessage()


@pytest.mark.parametrize(("rows", "corrects"), [([row(solution=None)], False), ([row()], True), ([], True)])
def test_there_is_no_warning_where_no_solution_is_needed_or_missing(caplog, rows, corrects):
    check_training_rows(rows, corrects)
    assert not caplog.records


def test_rows_of_a_real_dataset_are_read(tmp_path):
    from datasets import Dataset

    dataset = Dataset.from_list([row(), row(solution=None), row(ground_truth="")])
    with pytest.raises(ValueError, match="training row 2"):
        check_training_rows(dataset, corrects=True)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(index=1), row(index=1), row(index=2)], "2 different ones in 3 rows"),
        ([{"reward_model": {"ground_truth": "4"}, "extra_info": {"solution": "4"}}] * 2, "0 different ones in 2 rows"),
    ],
)
def test_rows_that_would_draw_the_same_corrections_are_warned_of(caplog, rows, expected):
    check_training_rows(rows, corrects=True)
    (record,) = caplog.records
    assert "extra_info.index is missing or repeated" in record.getMessage()
    assert expected in record.getMessage()


def test_without_correction_the_index_does_not_matter(caplog):
    check_training_rows([row(index=1), row(index=1)], corrects=False)
    assert not caplog.records

"""What is said about the reference answers of the rows that were read."""

import pytest

from recipe.edge_grpo.run.preflight.data import check_golds
from recipe.edge_grpo.run.preflight.findings import Level

SENTENCE = "Anna is older than Ben and Cid"


def found(*golds, needs_gold=True, is_own_reward=True):
    rows = [{"reward_model": {"ground_truth": gold}} for gold in golds]
    return [(each.level, each.text) for each in check_golds("data.train_files", rows, needs_gold, is_own_reward)]


def test_final_answers_are_not_mentioned():
    assert found("72", ["0.01", "one"], 3, r"\(\boxed{77}\)", "no solution") == []


def test_some_answers_that_are_none_are_counted_by_fault_with_the_first_row():
    assert found("1", "x\n#### 2", "proof", "y\n#### 3", ["4", "NaN"]) == [
        (
            Level.WARNING,
            "data.train_files: reward_model.ground_truth is no final answer in 4 of 5 rows: '####' in the answer in 2, "
            "row 1 (from 0) first; placeholder as answer in 1, row 2 (from 0) first; "
            "not a number as answer in 1, row 4 (from 0) first",
        )
    ]


@pytest.mark.parametrize(
    ("needs_gold", "is_own_reward", "level"),
    [(True, True, Level.PROBLEM), (False, True, Level.WARNING), (True, False, Level.WARNING)],
)
def test_no_final_answer_at_all_is_refused_where_rows_need_one_and_answers_are_compared(
    needs_gold, is_own_reward, level
):
    golds = ("#### 2", "proof", r"It is \boxed{3}", "x\ny")
    assert [each for each, _ in found(*golds, needs_gold=needs_gold, is_own_reward=is_own_reward)] == [level]


def test_sentences_are_a_warning_from_half_of_the_rows_on():
    assert found(SENTENCE, "1", "2") == []
    ((level, text),) = found(SENTENCE, "1")
    assert level is Level.WARNING and "in 1 of 2 rows: prose as answer in 1, row 0 (from 0) first" in text
    assert [each for each, _ in found(SENTENCE, SENTENCE)] == [Level.WARNING]


def test_sentences_and_certain_faults_are_told_apart():
    assert [each for each, _ in found(SENTENCE, "proof")] == [Level.WARNING, Level.WARNING]


def test_a_row_without_an_answer_is_told_as_that_alone():
    ((level, text),) = found(None, "2")
    assert level is Level.PROBLEM and "1 of 2 rows have no reward_model.ground_truth" in text

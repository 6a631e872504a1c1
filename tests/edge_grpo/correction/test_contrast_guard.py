"""The contrast guard: a group keeps its contrast, and one that has none gets it where a sure correction can be made."""

import pytest
from support.guarded_groups import PAPER, RIGHT, STUCK, A, R, S, failed

from recipe.edge_grpo.correction.contrast_guard import (
    is_all_wrong,
    kept_failure,
    sure_attempts,
    to_correct,
)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([], False),
        ([failed()], False),
        ([RIGHT], False),
        ([failed(), failed()], True),
        ([failed(), STUCK], True),
        ([STUCK, STUCK], True),
        ([failed(), RIGHT], False),
        ([RIGHT, RIGHT], False),
    ],
)
def test_a_group_is_all_wrong_if_two_or_more_responses_failed_and_none_is_right(members, expected):
    assert is_all_wrong(members) is expected


def test_sure_attempts_follow_the_order_and_try_the_drawn_strategy_first():
    members = [failed(R), failed(S), STUCK, failed(A)]
    attempts = list(sure_attempts(members, [2, 3, 1, 0], PAPER))
    # the response that cannot be corrected is passed over; for a drawn reflection the answer comes first
    assert attempts == [(3, A), (3, S), (1, S), (1, A), (0, A), (0, S)]


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ({R: 0.5, A: 0.0, S: 0.5}, [(1, S), (0, S)]),
        ({R: 0.5, A: 0.5, S: 0.0}, [(1, A), (0, A)]),
        ({R: 0.0, A: 1e-9, S: 1 - 1e-9}, [(1, A), (1, S), (0, S), (0, A)]),
        ({R: 1.0, A: 0.0, S: 0.0}, []),
    ],
)
def test_a_strategy_of_probability_0_is_not_tried(probabilities, expected):
    assert list(sure_attempts([failed(S), failed(A)], [1, 0], probabilities)) == expected


@pytest.mark.parametrize(
    "members",
    [[failed(A)], [RIGHT], [failed(A), RIGHT], [RIGHT, RIGHT, failed(S)], [RIGHT, RIGHT], [STUCK, STUCK], []],
    ids=["one", "one right", "mixed", "mixed three", "all correct", "none correctable", "empty"],
)
def test_no_sure_correction_is_tried_where_none_is_needed_or_possible(members):
    assert list(sure_attempts(members, range(len(members)), PAPER)) == []


@pytest.mark.parametrize(
    ("members", "order", "corrected", "expected"),
    [
        ([RIGHT, failed(), failed(), RIGHT], [2, 0, 3, 1], [], 1),  # the last failure in the order
        ([RIGHT, failed(), failed(), RIGHT], [1, 2, 0, 3], [], 2),  # a right response behind it does not count
        ([RIGHT, failed()], [0, 1], [], 1),
        ([failed(), failed(), failed()], [0, 1, 2], [2], 1),  # the sure correction is not the kept failure
        ([failed(), failed()], [1, 0], [0], 1),
        ([failed(), STUCK], [0, 1], [], None),  # one stays failed anyway
        ([failed(), STUCK, RIGHT], [1, 2, 0], [], None),
        ([failed(), STUCK], [0, 1], [0], None),
        ([STUCK, STUCK], [0, 1], [], None),
        ([RIGHT, RIGHT], [0, 1], [], None),
        ([failed()], [0], [0], None),  # nothing is left that failed
        ([], [], [], None),
    ],
)
def test_the_kept_failure_is_the_last_correctable_one_unless_another_stays_anyway(members, order, corrected, expected):
    assert kept_failure(members, order, corrected) == expected


@pytest.mark.parametrize(
    ("members", "order", "corrected", "expected"),
    [
        ([RIGHT, failed()], [1, 0], [], []),  # the only failure stays
        ([failed(), RIGHT, failed()], [2, 1, 0], [], [2]),  # one of two
        ([failed(), RIGHT, failed(), failed()], [3, 0, 1, 2], [], [3, 0]),
        ([failed(), RIGHT, STUCK], [2, 1, 0], [], [0]),  # 2 stays failed: the other may be corrected
        ([failed(), failed(), RIGHT, STUCK], [1, 3, 0, 2], [], [1, 0]),
        ([STUCK, RIGHT], [0, 1], [], []),
        ([RIGHT, RIGHT], [0, 1], [], []),
        ([failed()], [0], [], []),  # a group of one
        ([STUCK], [0], [], []),
        ([RIGHT], [0], [], []),
        ([], [], [], []),
        ([failed(), failed()], [1, 0], [1], []),  # 1 is surely corrected, 0 stays
        ([failed(), failed()], [1, 0], [], [1]),  # without a sure correction one is corrected as drawn
        ([failed(), failed(), failed()], [2, 0, 1], [2], [0]),
        ([failed(), STUCK], [0, 1], [0], []),
        ([failed(), STUCK], [0, 1], [], [0]),
        ([STUCK, STUCK], [0, 1], [], []),
    ],
)
def test_all_correctable_failures_but_the_kept_one_are_corrected(members, order, corrected, expected):
    assert to_correct(members, order, corrected, corrects_mixed_groups=True) == expected


@pytest.mark.parametrize(
    ("members", "corrected", "expected"),
    [
        ([failed(), RIGHT, failed()], [], []),
        ([failed(), RIGHT, STUCK], [], []),
        ([failed(), failed(), failed()], [0], [1]),
        ([failed(), failed(), failed()], [], [0, 1]),
    ],
)
def test_mixed_groups_can_be_left_alone_and_all_wrong_ones_are_not(members, corrected, expected):
    order = range(len(members))
    assert to_correct(members, order, corrected, corrects_mixed_groups=False) == expected

"""Answers become texts, whatever type a dataset keeps them in."""

import datetime
from decimal import Decimal

import pytest

from data_prep.problems.answer_texts import accepted_answers


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("2", ("2",)),
        (" 9.6\n", ("9.6",)),
        ("25.0", ("25.0",)),
        (25.0, ("25",)),
        (-3.0, ("-3",)),
        (0.5, ("0.5",)),
        (7, ("7",)),
        (Decimal("25.00"), ("25",)),
        (Decimal("0.50"), ("0.50",)),
        (["0.01\n", "0.02\n"], ("0.01", "0.02")),
        (["7.5 \\times 10^7", "7.5 \\times 10^7\n"], ("7.5 \\times 10^7",)),
        (["$69$,$84$"], ("$69$,$84$",)),
        ([1.0, "one"], ("1", "one")),
        (True, ("True",)),
        (False, ("False",)),
        (datetime.date(2024, 5, 31), ("2024-05-31",)),
        (datetime.datetime(2024, 5, 31, 12, 30), ("2024-05-31 12:30:00",)),
    ],
)
def test_a_value_gives_these_accepted_answers(value, answers):
    assert accepted_answers(value) == answers


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (None, "gold is missing or empty"),
        ("", "gold is missing or empty"),
        ([], "gold is an empty list"),
        (["1", " "], "gold is missing or empty"),
        (["1", None], "gold is missing or empty"),
        (float("nan"), "gold must be a finite number, got nan"),
        (float("-inf"), "gold must be a finite number, got -inf"),
        ({"value": 1}, "gold must be a text, a number or a list of them, got dict"),
        ([["1"]], "gold must be a text, a number or a list of them, got list"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(value, named):
    with pytest.raises(ValueError, match=f"^{named}$"):
        accepted_answers(value, "gold")

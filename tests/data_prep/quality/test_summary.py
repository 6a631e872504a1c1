"""The tables of the summary."""

from data_prep.problems.reading import MathProblem
from data_prep.quality.summary import answer_table, length_table, row_table, verification_table
from data_prep.quality.verification import Verification


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_rows_are_counted_by_reason_with_the_first_that_were_dropped():
    table = row_table(1200, {"duplicate": [3, 4, 5, 6, 7, 8], "other": [9, 10, 11, 12, 13], "none": []}, 1189)
    assert cells(table) == [
        ["in", "1,200", ""],
        ["dropped: duplicate", "6", "3, 4, 5, 6, 7, …"],
        ["dropped: other", "5", "9, 10, 11, 12, 13"],
        ["dropped: none", "0", ""],
        ["out", "1,189", ""],
    ]


def test_answers_are_counted_by_kind():
    problems = [MathProblem(row, "x", answers) for row, answers in enumerate([("1",), ("2", "two"), (r"\pi",)], 1)]
    assert cells(answer_table(problems)) == [["integer", "2"], ["expression", "1"], ["several accepted", "1"]]


def test_failures_of_references_are_counted_with_the_first_rows():
    verification = Verification(
        checked=frozenset(range(1, 11)),
        failures={
            "answer not accepted": frozenset({9}),
            "wrong answer accepted": frozenset(),
            "solution not accepted": frozenset({9, 2, 10}),
            "placeholder as answer": frozenset({7}),
            "prose as answer": frozenset(),
        },
        without_solution=frozenset({1}),
    )
    assert cells(verification_table(verification)) == [
        ["answer not accepted", "10", "1", "9"],
        ["wrong answer accepted", "10", "0", ""],
        ["solution not accepted", "9", "3", "2, 9, 10"],
        ["placeholder as answer", "10", "1", "7"],
        ["any of these", "10", "4", "2, 7, 9, 10"],
    ]


def test_lengths_are_given_as_percentiles_and_left_out_where_there_are_none():
    table = length_table({"prompt": list(range(1, 101)), "solution": []})
    assert table.splitlines()[0] == "| tokens | 50 % | 90 % | 99 % | longest |"
    assert cells(table) == [["prompt", "50", "90", "99", "100"]]

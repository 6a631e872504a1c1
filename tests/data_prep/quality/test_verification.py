"""Which answers and solutions the verifier accepts, by the real verifier."""

import json
from pathlib import Path

import pytest

from data_prep.quality.verification import have_equal_answers, verify_references
from data_prep.sources.problems import MathProblem, parse_problem

AUTHORS_FILE = Path(__file__).parents[4] / "shared" / "data" / "deepscaler_hard-1k.json"


def test_each_row_lands_where_the_verifier_puts_it():
    verification = verify_references(
        [
            MathProblem(1, "x", ("2",), r"\boxed{2}"),
            MathProblem(2, "x", (r"\frac{1}{2}",), r"So \boxed{0.5}."),
            MathProblem(3, "x", ("2",), r"\boxed{3}"),
            MathProblem(4, "x", ("2",), "It is 2."),
            MathProblem(5, "x", ("2",)),
            MathProblem(6, "x", ("2",), " \n"),
            MathProblem(7, "x", ("3", "2"), r"\boxed{2}"),
            MathProblem(8, "x", ("}{",), r"\boxed{2}"),  # Unbalanced: in a box it is no answer.
            MathProblem(9, "x", ("2", "}{"), r"\boxed{2}"),
        ]
    )
    assert verification.checked == set(range(1, 10))
    assert verification.without_solution == {5, 6}
    assert verification.rejected_answers == {8, 9}
    assert verification.rejected_solutions == {3, 4, 8}
    assert (verification.num_accepted_answers, verification.num_accepted_solutions) == (7, 4)


def test_many_threads_give_the_verdicts_of_one():
    problems = [MathProblem(row, "x", (f"x+{row}",), rf"\boxed{{{row % 3}+x+{row - row % 3}}}") for row in range(30)]
    assert verify_references(problems, num_threads=8) == verify_references(problems, num_threads=1)


@pytest.mark.parametrize(
    ("first", "second", "are_equal"),
    [(("025",), ("25",), True), (("1/2",), ("0.5",), True), (("1",), ("2",), False), (("1", "2"), ("3", "2"), True)],
)
def test_answers_are_equal_if_the_verifier_accepts_one_for_the_other(first, second, are_equal):
    assert have_equal_answers(MathProblem(1, "x", first), MathProblem(2, "x", second)) is are_equal


@pytest.mark.skipif(not AUTHORS_FILE.exists(), reason="the authors' file is not part of this repository")
def test_of_the_papers_references_all_answers_and_nearly_all_solutions_are_accepted():
    records = json.loads(AUTHORS_FILE.read_text(encoding="utf-8"))
    verification = verify_references([parse_problem(record, row) for row, record in enumerate(records, start=1)])
    assert verification.num_accepted_answers == 1000
    assert verification.num_accepted_solutions >= 975  # The authors' own grader accepts 970.

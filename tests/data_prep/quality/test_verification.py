"""What is found about reference answers and solutions, by the real verifier."""

import json
from pathlib import Path

import pytest

from data_prep.problems.reading import MathProblem, parse_problem
from data_prep.quality import verification as checks
from data_prep.quality.verification import (
    FAILURES,
    REFERENCE_CHECKS,
    SOLUTION_NOT_ACCEPTED,
    Verification,
    find_failures,
    have_equal_answers,
    too_faulty,
    verify_references,
)

AUTHORS_FILE = Path(__file__).parents[4] / "shared" / "data" / "deepscaler_hard-1k.json"

GSM8K = [
    "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nNatalia sold 48+24 = <<48+24=72>>72 clips altogether.\n#### 72",
    "Weng earns 12/60 = $<<12/60=0.2>>0.2 per minute.\nIn 50 minutes, she earned 0.2 x 50 = $<<0.2*50=10>>10.\n#### 10",
]


def failures(text, answers, solution="", instruction=""):
    return find_failures(MathProblem(1, text, tuple(answers), solution), instruction)


@pytest.mark.slow
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
    assert verification.failures[SOLUTION_NOT_ACCEPTED] == {3, 4, 8}
    assert verification.failed == {3, 4, 8, 9}
    assert verification.num_accepted_answers == 7
    assert list(verification.failures) == list(FAILURES)


@pytest.mark.slow
def test_a_whole_solution_as_answer_is_accepted_in_a_box_and_fails_all_the_same():
    verification = verify_references(
        [MathProblem(row, "How many?", (gold,)) for row, gold in enumerate(GSM8K, start=1)]
    )
    found = {kind: rows for kind, rows in verification.failures.items() if rows}
    assert found == {"final answer alone not accepted": {1, 2}, "'####' in the answer": {1, 2}}
    assert verification.num_accepted_answers == 0
    message = too_faulty(verification)
    assert message.startswith(
        "2 of 2 reference answers are no final answers that the reward can grade: row 1 ('####' in"
    )
    assert "'Natalia sold 48/2 = <<48/2=24>>24 clips  … gether. #### 72'" in message
    assert failures("How many?", ["72"]) == set()


@pytest.mark.parametrize(
    ("text", "instruction", "is_another"),
    [
        ("1+1?", "", False),
        ("1+1?", r"Put it in \boxed{}.", False),
        ("1+1?", 'Write the answer after "####".', True),
        ("1+1? Answer:", "", True),
        (r"#### Task: 1+1? Use \boxed{}.", "", False),
    ],
)
def test_a_prompt_that_asks_for_what_the_reward_does_not_read_is_a_failure(text, instruction, is_another):
    assert failures(text, ["2"], instruction=instruction) == ({"another form asked for"} if is_another else set())


def test_which_forms_the_reward_reads_is_found_by_grading(monkeypatch):
    monkeypatch.setattr(checks, "grade", lambda response, gold: float(response.endswith(f"#### {gold}")))
    checks._forms_read.cache_clear()
    try:
        assert checks._forms_read() == {"####"}
    finally:
        checks._forms_read.cache_clear()


def test_a_reward_that_accepts_everything_accepts_a_wrong_answer(monkeypatch):
    monkeypatch.setattr(checks, "grade", lambda response, gold: 1.0)
    assert not checks._rejects_answer(MathProblem(1, "x", ("2",)), "x")
    assert checks._accepts_wrong_answer(MathProblem(1, "x", ("2",)), "x")


def test_one_more_than_one_answer_may_be_another_of_them():
    assert failures("x", ["1", "2"]) == set()


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (["proof"], "placeholder as answer"),
        (["2", "NaN"], "not a number as answer"),
        (["Anna is older than Ben and Cid"], "prose as answer"),
    ],
)
def test_what_the_text_of_an_answer_shows_is_a_failure(answers, kind):
    assert kind in failures("x", answers)


def test_prose_is_left_to_the_reader_where_answers_are_counted():
    verification = verify_references([MathProblem(1, "x", ("Anna is older than Ben and Cid",))])
    assert (verification.num_accepted_answers, verification.failed) == (1, {1})


def verification_of(num_checked, **failures):
    by_kind = {kind.replace("_", " "): frozenset(rows) for kind, rows in failures.items()}
    golds = {row: f"gold {row}" for rows in by_kind.values() for row in rows}
    return Verification(frozenset(range(1, num_checked + 1)), by_kind, failed_golds=golds)


def test_answers_are_too_faulty_from_more_than_half_on():
    assert too_faulty(verification_of(4, answer_not_accepted={1, 3})) is None
    assert too_faulty(verification_of(4, answer_not_accepted={1, 3}, placeholder_as_answer={3, 4})) == (
        "3 of 4 reference answers are no final answers that the reward can grade: "
        "row 3 (placeholder as answer) 'gold 3'; row 1 (answer not accepted) 'gold 1'"
    )


def test_solutions_and_prompts_are_no_faults_of_answers():
    rows = {1, 2, 3, 4}
    assert too_faulty(verification_of(4, solution_not_accepted=rows, another_form_asked_for=rows)) is None
    assert set(verification_of(1, **{"solution_not_accepted": {1}}).failures) <= set(REFERENCE_CHECKS)


def test_many_threads_give_the_verdicts_of_one():
    problems = [MathProblem(row, "x", (f"x+{row}",), rf"\boxed{{{row % 3}+x+{row - row % 3}}}") for row in range(30)]
    assert verify_references(problems, num_threads=8) == verify_references(problems, num_threads=1)


@pytest.mark.parametrize(
    ("first", "second", "are_equal"),
    [(("025",), ("25",), True), (("1/2",), ("0.5",), True), (("1",), ("2",), False), (("1", "2"), ("3", "2"), True)],
)
def test_answers_are_equal_if_the_verifier_accepts_one_for_the_other(first, second, are_equal):
    assert have_equal_answers(MathProblem(1, "x", first), MathProblem(2, "x", second)) is are_equal


@pytest.mark.slow
@pytest.mark.skipif(not AUTHORS_FILE.exists(), reason="the authors' file is not part of this repository")
def test_of_the_papers_references_all_answers_and_nearly_all_solutions_are_accepted():
    records = json.loads(AUTHORS_FILE.read_text(encoding="utf-8"))
    verification = verify_references([parse_problem(record, row) for row, record in enumerate(records, start=1)])
    assert verification.num_accepted_answers == 1000
    assert verification.without_solution == set()
    assert len(verification.failed) <= 25  # The authors' own grader rejects 30.
    assert verification.failed == verification.failures[SOLUTION_NOT_ACCEPTED]
    assert too_faulty(verification) is None

"""Records become problems with every value checked; what is wrong is named with its row and field."""

import pytest

from data_prep.sources.problems import Columns, MathProblem, parse_problem, read_problems

RECORD = {"problem": "What is $1+1$?", "answer": "2", "correctness_rate": 0.125, "solution": r"It is \boxed{2}."}


def test_a_record_becomes_a_problem():
    assert parse_problem(RECORD, row_number=3) == MathProblem(
        row_number=3, text="What is $1+1$?", answers=("2",), solution=r"It is \boxed{2}.", correctness_rate=0.125
    )


def test_columns_may_be_called_otherwise():
    columns = Columns(problem="question", answer="gold", solution="worked", correctness_rate="rate", index="id")
    record = {"question": "x", "gold": 1, "worked": "y", "rate": "0.5", "id": 7, "problem": "other"}
    assert parse_problem(record, columns=columns) == MathProblem(1, "x", ("1",), "y", 0.5, 7)


@pytest.mark.parametrize("absent", [None, ""])
def test_solution_and_rate_may_be_absent(absent):
    problem = parse_problem({**RECORD, "solution": absent, "correctness_rate": absent})
    assert (problem.solution, problem.correctness_rate) == ("", None)
    assert parse_problem({"problem": "x", "answer": "1"}) == MathProblem(1, "x", ("1",))


def test_the_prompt_is_the_problem_unless_there_is_an_instruction():
    problem = parse_problem({"problem": " x\n", "answer": "1"})
    assert problem.prompt() == " x\n"
    assert problem.prompt("Think.") == " x\n Think."


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"problem": ""}, "problem is missing or empty"),
        ({"problem": " \n"}, "problem is missing or empty"),
        ({"problem": None}, "problem is missing or empty"),
        ({"problem": 5}, "problem must be a text, got int"),
        ({"problem": [{"role": "user"}]}, "problem must be a text, got list"),
        ({"problem": "x" * 10_000_000}, "problem has 10,000,000 characters; the limit is 1,000,000"),
        ({"problem": "a\ud800"}, "problem has a character that UTF-8 cannot write, at position 1"),
        ({"answer": None}, "answer is missing or empty"),
        ({"answer": " "}, "answer is missing or empty"),
        ({"answer": "x" * 10_000_000}, "answer has 10,000,000 characters"),
        ({"solution": 5}, "solution must be a text, got int"),
        ({"solution": "x" * 10_000_000}, "solution has 10,000,000 characters"),
        ({"correctness_rate": 1.5}, "correctness_rate must be a number from 0 to 1, got 1.5"),
        ({"correctness_rate": "x" * 10_000_000}, "correctness_rate must be a number from 0 to 1"),
        ({"correctness_rate": float("nan")}, "correctness_rate must be a number from 0 to 1, got nan"),
    ],
)
def test_a_bad_value_is_refused_with_its_row_and_field(changes, named):
    with pytest.raises(ValueError) as caught:
        read_problems([RECORD, {**RECORD, **changes}], "in.json")
    assert str(caught.value).startswith(f"in.json, row 2: {named}")
    assert len(str(caught.value)) < 200


def test_the_limit_of_a_field_can_be_set():
    with pytest.raises(ValueError, match="row 1: problem has 14 characters; the limit is 13"):
        read_problems([RECORD], "in.json", Columns(max_field_characters=13))
    assert read_problems([RECORD], "in.json", Columns(max_field_characters=16))


@pytest.mark.parametrize("column", ["problem", "answer"])
def test_a_missing_column_is_answered_with_those_that_are_there(column):
    records = [{"question": "x", **{name: "1" for name in ("problem", "answer") if name != column}}]
    with pytest.raises(ValueError, match=f"^in.csv: no column '{column}'; it has: question, "):
        read_problems(records, "in.csv")


def test_a_column_that_was_named_must_be_there():
    with pytest.raises(ValueError, match="no column 'worked'; it has: problem, answer, correctness_rate, solution"):
        read_problems([RECORD], "in.json", Columns(solution="worked"), required_columns=["worked"])
    with pytest.raises(ValueError, match="no column 'id'"):
        read_problems([RECORD], "in.json", Columns(index="id"))


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="in.json: no rows"):
        read_problems([], "in.json")


@pytest.mark.parametrize(("value", "index"), [(7, 7), ("7", 7), (7.0, 7), (0, 0)])
def test_an_index_of_the_input_is_taken_over(value, index):
    assert parse_problem({**RECORD, "id": value}, columns=Columns(index="id")).index == index


@pytest.mark.parametrize("value", [None, "", "a", "-1", -1, 1.5, True, 2**63, float("inf"), "٣"])
def test_an_index_that_is_no_natural_number_is_refused(value):
    with pytest.raises(ValueError, match="^id must be an integer from 0 on"):
        parse_problem({**RECORD, "id": value}, columns=Columns(index="id"))


def test_an_index_that_occurs_twice_is_refused_with_both_rows():
    records = [{**RECORD, "id": index} for index in (4, 5, 4)]
    with pytest.raises(ValueError, match="^in.json, row 3: id 4 is that of row 1 too$"):
        read_problems(records, "in.json", Columns(index="id"))

"""Records become problems with every value checked; what is wrong is named with its row and field."""

from dataclasses import replace

import pytest

from data_prep.presets.fields import BadRow, Field
from data_prep.presets.table import COLUMNS_PRESET
from data_prep.problems.reading import MathProblem, Reading, parse_problem, read_problems
from data_prep.sources.records import LocatedRecord

INDEXED = replace(COLUMNS_PRESET, index=Field(("id",)))

RECORD = {"problem": "What is $1+1$?", "answer": "2", "correctness_rate": 0.125, "solution": r"It is \boxed{2}."}


def read(records, *arguments, **settings):
    located = (LocatedRecord(record, "in.json", row) for row, record in enumerate(records, start=1))
    return read_problems(located, *arguments, **settings)


def refuse(records, *arguments, **settings):
    """What is said of records that cannot all be used."""
    with pytest.raises(ValueError) as caught:
        read(records, *arguments, **settings).refuse_bad_rows()
    return str(caught.value)


def test_a_record_becomes_a_problem():
    assert parse_problem(RECORD, row_number=3) == MathProblem(
        row_number=3, text="What is $1+1$?", answers=("2",), solution=r"It is \boxed{2}.", correctness_rate=0.125
    )


def test_columns_may_be_called_otherwise():
    names = {"problem": "question", "answer": "gold", "solution": "worked", "correctness_rate": "rate", "index": "id"}
    preset = replace(COLUMNS_PRESET, **{field: Field((name,)) for field, name in names.items()})
    record = {"question": "x", "gold": 1, "worked": "y", "rate": "0.5", "id": 7, "problem": "other"}
    assert parse_problem(record, preset=preset) == MathProblem(1, "x", ("1",), "y", 0.5, 7)


@pytest.mark.parametrize("absent", [None, ""])
def test_solution_and_rate_may_be_absent(absent):
    problem = parse_problem({**RECORD, "solution": absent, "correctness_rate": absent})
    assert (problem.solution, problem.correctness_rate) == ("", None)
    assert parse_problem({"problem": "x", "answer": "1"}) == MathProblem(1, "x", ("1",))


def test_the_prompt_is_the_problem_unless_there_is_an_instruction():
    problem = parse_problem({"problem": " x\n", "answer": "1"})
    assert problem.prompt() == " x\n"
    assert problem.prompt("Think.") == " x\n Think."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"problem": ""}, "problem is missing or empty"),
        ({"problem": " \n"}, "problem is missing or empty"),
        ({"problem": None}, "problem is missing or empty"),
        ({"problem": 5}, "problem must be a text or a list of messages, got int"),
        ({"problem": [{"role": "user"}]}, "problem is missing or empty"),
        ({"problem": "<image> What is this?"}, "problem refers to an image: <image>"),
        ({"image": {"bytes": b"x"}}, "problem comes with an image in column 'image'"),
        ({"options": ["1", "2"]}, "problem refers to choices that only column 'options' has"),
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
    message = refuse([RECORD, {**RECORD, **changes}])
    assert message.startswith(f"in.json, row 2: {named}")
    assert message.endswith("; mend them, or add --skip-bad-rows")
    assert len(message) < 250


def test_the_limit_of_a_field_can_be_set():
    assert "row 1: problem has 14 characters; the limit is 13" in refuse([RECORD], max_field_characters=13)
    assert len(read([RECORD], max_field_characters=16).problems) == 1


def test_bad_rows_are_counted_by_reason_and_the_first_is_named_with_the_number_of_others():
    records = [RECORD, {**RECORD, "answer": None}, {**RECORD, "problem": ""}, {**RECORD, "answer": " "}, RECORD]
    reading = read(records)
    assert [problem.row_number for problem in reading.problems] == [1, 5]
    assert reading.bad_rows == {"no answer": [2, 4], "no problem": [3]}
    assert reading.num_rows == 5
    assert refuse(records) == (
        "in.json, row 2: answer is missing or empty; 2 more cannot be used (in all no answer: 2, no problem: 1); "
        "mend them, or add --skip-bad-rows"
    )


def test_system_messages_are_left_out_and_counted():
    chat = [{"role": "system", "content": "Think."}, {"role": "user", "content": "1+1?"}]
    reading = read([{**RECORD, "problem": chat, "prompt": chat}, RECORD])
    assert (reading.problems[0].text, reading.num_system_texts) == ("1+1?", 1)


def test_a_dataset_without_a_name_is_called_like_its_file():
    assert read([RECORD]).problems[0].data_source == "in"
    assert read([RECORD], replace(COLUMNS_PRESET, data_source="mine")).problems[0].data_source == "mine"
    preset = replace(COLUMNS_PRESET, data_source=Field(("source",)))
    problems = read([{**RECORD, "source": "book"}, {**RECORD, "source": None}], preset).problems
    assert [problem.data_source for problem in problems] == ["book", "in"]


def test_rows_that_are_bad_for_an_allowed_reason_are_left_out_and_others_still_named():
    reading = read([{**RECORD, "answer": None}, {**RECORD, "problem": ""}])
    with pytest.raises(ValueError, match="^in.json, row 2: problem is missing or empty; mend"):
        reading.refuse_bad_rows(allowed_reasons=["no answer"])
    reading.refuse_bad_rows(allowed_reasons=["no answer", "no problem"])
    Reading().refuse_bad_rows()


@pytest.mark.parametrize("column", ["problem", "answer"])
def test_a_missing_column_is_answered_with_those_that_are_there(column):
    records = [{"question": "x", **{name: "1" for name in ("problem", "answer") if name != column}}]
    assert refuse(records).startswith(f"in.json: no column '{column}'; it has: question, ")


def test_a_column_that_was_named_must_be_there():
    worked = replace(COLUMNS_PRESET, solution=Field(("worked",)))
    assert "no column 'worked'; it has: problem, answer, correctness_rate" in refuse([RECORD], worked, ["solution"])
    assert "no column 'id'" in refuse([RECORD], INDEXED, ["index"])


def test_no_rows_are_refused():
    assert refuse([]) == "the input has no rows"


@pytest.mark.parametrize(("value", "index"), [(7, 7), ("7", 7), (7.0, 7), (0, 0)])
def test_an_index_of_the_input_is_taken_over(value, index):
    assert parse_problem({**RECORD, "id": value}, preset=INDEXED).index == index


@pytest.mark.parametrize("value", [None, "", "a", "-1", -1, 1.5, True, 2**63, float("inf"), "٣"])
def test_an_index_that_is_no_natural_number_is_refused(value):
    with pytest.raises(BadRow, match="^id must be an integer from 0 on"):
        parse_problem({**RECORD, "id": value}, preset=INDEXED)


def test_an_index_that_occurs_twice_is_refused_with_both_rows():
    records = [{**RECORD, "id": index} for index in (4, 5, 4)]
    assert refuse(records, INDEXED) == "in.json, row 3: id 4 is that of row 1 too"

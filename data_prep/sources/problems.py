"""Turns records into problems with every value checked, whatever the columns of the input are called."""

import math
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from data_prep.sources.records import Record

# The longest reference solution of the paper's training set has 6,715 characters. What is far longer is a mistake of
# the input, such as a whole file in one field, and would be tokenised at every step.
MAX_FIELD_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Columns:
    """What the columns of the input are called, and how long their texts may be.

    Without `index`, rows are numbered when they are written.
    """

    problem: str = "problem"
    answer: str = "answer"
    solution: str = "solution"
    correctness_rate: str = "correctness_rate"
    index: str | None = None
    max_field_characters: int = MAX_FIELD_CHARACTERS


@dataclass(frozen=True, slots=True)
class MathProblem:
    """One problem of the input.

    `row_number` counts the rows of the input from 1. `answers` are the accepted ones, at least one. `solution` is empty
    and `correctness_rate` (share of sampled responses that were right, 0 to 1) None where the input has none.
    """

    row_number: int
    text: str
    answers: tuple[str, ...]
    solution: str = ""
    correctness_rate: float | None = None
    index: int | None = None

    def prompt(self, instruction: str = "") -> str:
        """Return the problem as it is, followed by a space and `instruction` if there is one."""
        return f"{self.text} {instruction}" if instruction else self.text


def read_problems(
    records: Iterable[Record],
    source: str,
    columns: Columns = Columns(),
    required_columns: Iterable[str] = (),
) -> list[MathProblem]:
    """Check `records` and turn them into problems.

    Raises ValueError, naming `source`, for no records at all, for a required column (problem, answer and index always
    are, and `required_columns`) that no record has, for the first record at fault, with its row and field (see
    `parse_problem`), and for two rows with the same index.
    """
    records = list(records)
    if not records:
        raise ValueError(f"{source}: no rows")
    index_column = () if columns.index is None else (columns.index,)
    for column in (columns.problem, columns.answer, *index_column, *required_columns):
        if not any(column in record for record in records):
            raise ValueError(f"{source}: no column {column!r}; it has: {', '.join(map(str, records[0]))}")
    problems = []
    row_number_of_index: dict[int, int] = {}
    for row_number, record in enumerate(records, start=1):
        try:
            problem = parse_problem(record, row_number, columns)
            if problem.index is not None:
                first = row_number_of_index.setdefault(problem.index, row_number)
                if first != row_number:
                    raise ValueError(f"{columns.index} {problem.index} is that of row {first} too")
        except ValueError as error:
            raise ValueError(f"{source}, row {row_number}: {error}") from error
        problems.append(problem)
    return problems


def parse_problem(record: Mapping[str, Any], row_number: int = 1, columns: Columns = Columns()) -> MathProblem:
    """Turn one record into a problem.

    Raises ValueError, naming the field, for a problem or answer that is missing or empty, a value of the wrong type, a
    text over `max_field_characters` or one that UTF-8 cannot write, a rate outside 0 to 1, and an index that is not an
    integer from 0 on.

    >>> parse_problem({"question": "1+1?", "answer": 2}, columns=Columns(problem="question")).answers
    ('2',)
    """

    def text_of(column: str, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{column} must be a text, got {type(value).__name__}")
        if len(value) > columns.max_field_characters:
            limit = f"the limit is {columns.max_field_characters:,}"
            raise ValueError(f"{column} has {len(value):,} characters; {limit}")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{column} has a character that UTF-8 cannot write, at position {error.start}") from error
        return value

    problem, solution = record.get(columns.problem), record.get(columns.solution)
    if problem is None or problem == "" or (isinstance(problem, str) and problem.isspace()):
        raise ValueError(f"{columns.problem} is missing or empty")
    answers = accepted_answers(record.get(columns.answer), columns.answer)
    return MathProblem(
        row_number=row_number,
        text=text_of(columns.problem, problem),
        answers=tuple(text_of(columns.answer, answer) for answer in answers),
        solution="" if solution is None or solution == "" else text_of(columns.solution, solution),
        correctness_rate=_rate(record.get(columns.correctness_rate), columns.correctness_rate),
        index=None if columns.index is None else _index(record.get(columns.index), columns.index),
    )


def accepted_answers(value: Any, field: str = "answer") -> tuple[str, ...]:
    """Return the accepted answers as texts without outer spaces: the one that `value` is, or those that it lists.

    A list means alternatives, each of which is right, as in the authors' evaluation; a repeated one is left out. Whole
    numbers lose their decimals: 25.0 is `25`.

    Raises ValueError, naming `field`, for a missing or empty answer, an empty list, a number that is not finite, and a
    value that is none of these.

    >>> accepted_answers([25.0, " one "])
    ('25', 'one')
    """
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError(f"{field} is an empty list")
        return tuple(dict.fromkeys(_answer_text(alternative, field) for alternative in value))
    return (_answer_text(value, field),)


def _answer_text(value: Any, field: str) -> str:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"{field} must be a finite number, got {value}")
        return str(int(value) if value == int(value) else value)
    if value is None or value == "" or (isinstance(value, str) and value.isspace()):
        raise ValueError(f"{field} is missing or empty")
    if not isinstance(value, str):
        raise ValueError(f"{field} must be a text, a number or a list of them, got {type(value).__name__}")
    return value.strip()


def _rate(value: Any, field: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = math.nan
    if not 0 <= rate <= 1:
        raise ValueError(f"{field} must be a number from 0 to 1, got {reprlib.repr(value)}")
    return rate


def _index(value: Any, field: str) -> int:
    if isinstance(value, float) and value.is_integer():  # What a column of integers with a gap in it becomes.
        return _index(int(value), field)
    if isinstance(value, str) and value.isascii() and value.isdecimal():  # What a CSV file has.
        return _index(int(value), field)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"{field} must be an integer from 0 on, got {reprlib.repr(value)}")
    return value

"""Turns records into problems with every value checked, wherever the dataset keeps them."""

import functools
import math
import re
import reprlib
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from data_prep.presets.chats import has_system_message
from data_prep.presets.fields import BadRow, Field
from data_prep.presets.table import COLUMNS_PRESET, PRESETS, Preset, presets_that_fit
from data_prep.problems.answer_texts import accepted_answers
from data_prep.problems.golds import GOLD_FAULTS, check_gold
from data_prep.sources.records import LocatedRecord

# The longest reference solution of the paper's training set has 6,715 characters. What is far longer is a mistake of
# the input, such as a whole file in one field, and would be tokenised at every step.
MAX_FIELD_CHARACTERS = 1_000_000

# Shards, splits, and the folder that a dataset of the hub keeps them in.
_NAMES_NO_DATASET = re.compile(
    r"(?i)(?:data|train|test|dev|validation|valid|val|default|main|part|shard)(?:[-_]?\d.*|[-_]of.*)?$|\d+$"
)


@dataclass(frozen=True, slots=True)
class MathProblem:
    """One problem of the input.

    `row_number` counts the rows of all inputs from 1. `answers` are the accepted ones, at least one. `solution` is
    empty and `correctness_rate` (share of sampled responses that were right, 0 to 1) None where the input has none.
    `data_source` is what verl calls the dataset, None where the input does not say.
    """

    row_number: int
    text: str
    answers: tuple[str, ...]
    solution: str = ""
    correctness_rate: float | None = None
    index: int | None = None
    data_source: str | None = None

    def prompt(self, instruction: str = "") -> str:
        """Return the problem as it is, followed by a space and `instruction` if there is one."""
        return f"{self.text} {instruction}" if instruction else self.text


@dataclass
class Reading:
    """What came of reading: the problems, and the rows that cannot be used, by reason.

    first_errors: for each reason, what is wrong with its first row, with source, row and field.
    num_system_texts: rows with a system message, which is left out.
    """

    problems: list[MathProblem] = field(default_factory=list)
    bad_rows: dict[str, list[int]] = field(default_factory=dict)
    first_errors: dict[str, str] = field(default_factory=dict)
    num_system_texts: int = 0

    @property
    def num_rows(self) -> int:
        """The number of rows that were read."""
        return len(self.problems) + sum(map(len, self.bad_rows.values()))

    def refuse_bad_rows(self, allowed_reasons: Collection[str] = ()) -> None:
        """Raise ValueError for the first row that cannot be used, saying how many more there are and why.

        Rows that are bad for one of `allowed_reasons` are left out without a word: they are counted in `bad_rows`.
        """
        rows = {reason: rows for reason, rows in self.bad_rows.items() if reason not in allowed_reasons}
        if not rows:
            return
        num_more = sum(map(len, rows.values())) - 1
        reasons = ", ".join(f"{reason}: {len(bad):,}" for reason, bad in rows.items())
        more = f"; {num_more:,} more cannot be used (in all {reasons})" if num_more else ""
        raise ValueError(f"{self.first_errors[next(iter(rows))]}{more}; mend them, or add --skip-bad-rows")


def read_problems(
    records: Iterable[LocatedRecord],
    preset: Preset = COLUMNS_PRESET,
    required_fields: Iterable[str] = (),
    max_field_characters: int = MAX_FIELD_CHARACTERS,
) -> Reading:
    """Check `records`, turn those that are right into problems, and count the others by reason.

    `required_fields` are the fields of the preset, beside problem and answer, whose columns the input must have.

    Raises ValueError, naming the source, for no records at all, for a required column that no record has, and for two
    rows with the same index.
    """
    reading, name_of = Reading(), functools.cache(dataset_name)
    first: LocatedRecord | None = None
    missing = {"problem", "answer", *required_fields}
    row_of_index: dict[int, int] = {}
    for row_number, located in enumerate(records, start=1):
        first = first or located
        missing = {name for name in missing if not getattr(preset, name).has_column(located.record)}
        try:
            problem = parse_problem(located.record, row_number, preset, max_field_characters)
        except BadRow as error:
            _note_bad_row(reading, located, row_number, error, preset)
            continue
        reading.num_system_texts += has_system_message(located.record)
        if problem.index is not None and row_of_index.setdefault(problem.index, row_number) != row_number:
            earlier = row_of_index[problem.index]
            repeated = f"{preset.index.paths[0] if preset.index else 'index'} {problem.index}"
            raise ValueError(f"{located.source}, row {located.row}: {repeated} is that of row {earlier} too")
        if problem.data_source is None:
            problem = replace(problem, data_source=name_of(located.source))
        reading.problems.append(problem)
    if first is None:
        raise ValueError("the input has no rows")
    for name in ("problem", "answer", *required_fields):
        if name in missing:
            raise ValueError(_describe_missing(getattr(preset, name), first))
    return reading


def parse_problem(
    record: Mapping[str, Any],
    row_number: int = 1,
    preset: Preset = COLUMNS_PRESET,
    max_field_characters: int = MAX_FIELD_CHARACTERS,
) -> MathProblem:
    """Turn one record into a problem.

    Raises BadRow (a ValueError), naming the field, for a problem or answer that is missing or empty, a value of the
    wrong type, a text over `max_field_characters` or one that UTF-8 cannot write, a rate outside 0 to 1, an index that
    is not an integer from 0 on, and whatever a reader of the preset refuses.

    >>> parse_problem({"problem": "1+1?", "answer": 2}).answers
    ('2',)
    """

    def read(name: str) -> tuple[str, Any]:
        found: Field | None = getattr(preset, name)
        return (name, None) if found is None else (found.paths[0], found.value(record))

    def text_of(name: str, value: Any) -> str:
        return _checked_text(name, value, max_field_characters)

    problem_name, problem = read("problem")
    if problem is None or (isinstance(problem, str) and not problem.strip()):
        raise BadRow("no problem", f"{problem_name} is missing or empty")
    answer_name, answer = read("answer")
    solution_name, solution = read("solution")
    index_name, index = read("index")
    return MathProblem(
        row_number=row_number,
        text=text_of(problem_name, problem),
        answers=tuple(
            check_gold(answer_name, text_of(answer_name, each)) for each in accepted_answers(answer, answer_name)
        ),
        solution="" if solution is None else text_of(solution_name, solution),
        correctness_rate=_rate(*read("correctness_rate")),
        index=None if preset.index is None else _index(index_name, index),
        data_source=_data_source(record, preset),
    )


def dataset_name(source: str) -> str:
    """Return what the dataset of a file or of a dataset's name is called, when nothing else says it.

    It is the name of the file without endings, of a file that is named for a split that of its folder, and the name of
    a dataset on the hub as it is.

    >>> dataset_name("data/olympiad.jsonl.gz"), dataset_name("gsm8k/data/train-00000-of-00002.parquet")
    ('olympiad', 'gsm8k')
    """
    path = PurePath(source)
    if not path.suffix and not path.is_absolute():
        return source
    parts = [part.split(".")[0] for part in path.parts]
    return next((part for part in reversed(parts) if part and not _NAMES_NO_DATASET.match(part)), "problems")


def _data_source(record: Mapping[str, Any], preset: Preset) -> str | None:
    found = preset.data_source.value(record) if isinstance(preset.data_source, Field) else preset.data_source
    return sys.intern(found) if isinstance(found, str) and found.strip() else None  # One text for all rows.


def _note_bad_row(reading: Reading, located: LocatedRecord, row_number: int, error: BadRow, preset: Preset) -> None:
    if error.reason not in reading.bad_rows:
        hint = _hint_at_presets(located.record, preset) if error.reason in GOLD_FAULTS else ""
        reading.first_errors[error.reason] = f"{located.source}, row {located.row}: {error}{hint}"
    reading.bad_rows.setdefault(error.reason, []).append(row_number)


def _describe_missing(missing: Field, first: LocatedRecord) -> str:
    names = " or ".join(map(repr, missing.paths))
    hint = _hint_at_presets(first.record)
    return f"{first.source}: no column {names}; it has: {', '.join(map(str, first.record))}{hint}"


def _hint_at_presets(record: Mapping[str, Any], used: Preset | None = None) -> str:
    fitting = [name for name in presets_that_fit(record) if PRESETS[name] is not used]
    return f"; --preset {' or '.join(fitting)} reads these columns" if fitting else ""


def _checked_text(name: str, value: Any, max_characters: int) -> str:
    if not isinstance(value, str):
        raise BadRow("wrong type", f"{name} must be a text, got {type(value).__name__}")
    if len(value) > max_characters:
        raise BadRow("too long", f"{name} has {len(value):,} characters; the limit is {max_characters:,}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        detail = f"{name} has a character that UTF-8 cannot write, at position {error.start}"
        raise BadRow("not UTF-8", detail) from error
    return value


def _rate(name: str, value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = math.nan
    if not 0 <= rate <= 1:
        raise BadRow("no rate", f"{name} must be a number from 0 to 1, got {reprlib.repr(value)}")
    return rate


def _index(name: str, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():  # What a column of integers with a gap in it becomes.
        return _index(name, int(value))
    if isinstance(value, str) and value.isascii() and value.isdecimal():  # What a CSV file has.
        return _index(name, int(value))
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise BadRow("no index", f"{name} must be an integer from 0 on, got {reprlib.repr(value)}")
    return value

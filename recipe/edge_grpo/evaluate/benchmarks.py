"""Reads the problems of an evaluation from files of verl rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from data_prep.problems.answer_texts import accepted_answers
from data_prep.sources.records import read_records


@dataclass(frozen=True)
class BenchmarkProblem:
    """One problem: `data_source`, `extra_info.index`, `prompt` and accepted answers of a row, and where that stands."""

    benchmark: str
    index: int
    messages: Sequence[Mapping[str, str]]
    answers: tuple[str, ...]
    place: str


def read_benchmarks(paths: Sequence[Path], limit: int | None = None) -> list[BenchmarkProblem]:
    """Read the first `limit` rows, or all, of each Parquet file. A row needs no more than an evaluation uses.

    Raises ValueError, naming file, row and field, for what is missing or of another type, and for a problem whose
    benchmark and index another row has too; OSError for a file that cannot be opened.
    """
    problems: dict[tuple[str, int], BenchmarkProblem] = {}
    for path in paths:
        if path.suffix != ".parquet":
            raise ValueError(f"{path}: expected a .parquet file of verl rows")
        num_before = len(problems)
        for row_number, row in enumerate(islice(read_records(str(path)), limit), start=1):
            problem = _problem(row, place=f"{path}, row {row_number}")
            first = problems.setdefault((problem.benchmark, problem.index), problem)
            if first is not problem:
                raise ValueError(
                    f"{problem.place}: problem {problem.index} of {problem.benchmark!r} is that of {first.place} too"
                )
        if len(problems) == num_before:
            raise ValueError(f"{path}: no rows")
    return list(problems.values())


def _problem(row: Mapping[str, Any], place: str) -> BenchmarkProblem:
    benchmark, messages = row.get("data_source"), row.get("prompt")
    index = _field(row.get("extra_info"), "index")
    if not isinstance(benchmark, str) or not benchmark.strip():
        raise ValueError(f"{place}: data_source must be a text that is not empty, got {benchmark!r}")
    if not isinstance(messages, list) or not messages or not all(_is_message(message) for message in messages):
        raise ValueError(f"{place}: prompt must be a list of messages with role and content, got {messages!r}")
    if not isinstance(index, int) or isinstance(index, bool):
        raise ValueError(f"{place}: extra_info.index must be an integer, got {index!r}")
    try:
        answers = accepted_answers(_field(row.get("reward_model"), "ground_truth"), "reward_model.ground_truth")
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    return BenchmarkProblem(benchmark, index, messages, answers, place)


def _field(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _is_message(value: object) -> bool:
    return isinstance(_field(value, "role"), str) and isinstance(_field(value, "content"), str)

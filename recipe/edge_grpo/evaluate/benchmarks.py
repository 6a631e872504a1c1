"""Reads the problems of an evaluation from files: rows of verl as they are, others through the presets of data_prep."""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from data_prep.presets.table import COLUMNS_PRESET, PRESETS, Preset
from data_prep.problems.answer_texts import accepted_answers
from data_prep.problems.golds import check_gold
from data_prep.problems.problem_records import is_verl_row
from data_prep.problems.reading import read_problems
from data_prep.sources.records import LocatedRecord, read_located
from reward_fns.math_reward import read_gold_answers

_MOST_FAULTS_SHOWN = 10


@dataclass(frozen=True)
class BenchmarkProblem:
    """One problem: what its results are called, its number there, its chat and accepted answers, and where it stands.

    Of a row of verl these are `data_source`, `extra_info.index`, `prompt` and `reward_model.ground_truth`; the prompt
    is kept as it is, with all its messages.
    """

    benchmark: str
    index: int
    messages: Sequence[Mapping[str, str]]
    answers: tuple[str, ...]
    place: str


class RowReading(NamedTuple):
    """How rows are read that are none of verl: a name of `PRESETS`, and a text to append instead of the preset's."""

    preset: str | None = None
    instruction: str | None = None


_AS_PREPARED = RowReading()


def read_benchmarks(
    paths: Sequence[Path], limit: int | None = None, reading: RowReading = _AS_PREPARED
) -> list[BenchmarkProblem]:
    """Read the first `limit` rows, or all, of each file of a kind that data_prep reads.

    A file has rows of verl if its first row does and no preset is named that finds its columns there. Problems that
    were read through a preset have the prompt that `data_prep.prepare` gives them, and are numbered by their rows.
    Where two files have problems of the same benchmark and index, all results of that benchmark are named for the
    file as well.

    Raises ValueError, naming file, row and reason, for rows that cannot be used, those without an answer among them,
    all at once; for an index that a benchmark has twice in one file; and for a file given twice, one that cannot be
    read, and a preset or an instruction that no file needs. Raises OSError for a file that cannot be opened.
    """
    problems: dict[Path, list[BenchmarkProblem]] = {}
    faults: list[str] = []
    has_preset_rows = False
    for path in paths:
        if path.resolve() in problems:
            raise ValueError(f"{path}: given twice; leave one out")
        if not path.is_file():
            raise ValueError(f"{path}: is no file; give the files in it")
        records = list(islice(read_located([str(path)]), limit))
        preset = _preset_for(records[0].record, reading)
        has_preset_rows = has_preset_rows or preset is not None
        read = _read_verl_rows(records) if preset is None else _read_through(preset, records, reading.instruction)
        problems[path.resolve()] = read.problems
        faults += read.faults
    _refuse_faults(faults)
    for option, value in reading._asdict().items():
        if value is not None and not has_preset_rows:
            raise ValueError(f"--{option} is for rows that are none of verl, and all files have those; leave it out")
    return _distinct(problem for each in _name_for_files(problems).values() for problem in each)


class _ReadFile(NamedTuple):
    problems: list[BenchmarkProblem]
    faults: list[str]


def _preset_for(record: Mapping[str, Any], reading: RowReading) -> Preset | None:
    """Return the preset that reads a file with this first record; None for rows of verl."""
    named = None if reading.preset is None else PRESETS[reading.preset]
    if named is not None and named.problem.has_column(record) and named.answer.has_column(record):
        return named
    return None if is_verl_row(record) else named or COLUMNS_PRESET


def _read_through(preset: Preset, records: Sequence[LocatedRecord], instruction: str | None) -> _ReadFile:
    read = read_problems(records, preset)
    source = records[0].source
    ending = preset.instruction if instruction is None else instruction
    problems = [
        BenchmarkProblem(
            str(problem.data_source),
            problem.row_number - 1 if problem.index is None else problem.index,
            [{"role": "user", "content": problem.prompt(ending)}],
            problem.answers,
            f"{source}, row {problem.row_number}",
        )
        for problem in read.problems
    ]
    if read.num_system_texts:
        left_out = f"{read.num_system_texts:,} system messages left out, as data_prep.prepare does"
        print(f"{source}: {left_out}; rows of verl keep theirs", file=sys.stderr)
    faults = {row: f"{source}, row {row}: {reason}" for reason, rows in read.bad_rows.items() for row in rows}
    faults |= {rows[0]: read.first_errors[reason] for reason, rows in read.bad_rows.items()}
    return _ReadFile(problems, [faults[row] for row in sorted(faults)])


def _read_verl_rows(records: Sequence[LocatedRecord]) -> _ReadFile:
    read = _ReadFile([], [])
    for located in records:
        place = f"{located.source}, row {located.row}"
        try:
            read.problems.append(_read_verl_row(located.record, place))
        except ValueError as error:
            read.faults.append(f"{place}: {error}")
    return read


def _read_verl_row(row: Mapping[str, Any], place: str) -> BenchmarkProblem:
    benchmark, messages = row.get("data_source"), row.get("prompt")
    index = _field(row.get("extra_info"), "index")
    if not isinstance(benchmark, str) or not benchmark.strip():
        raise ValueError(f"data_source must be a text that is not empty, got {benchmark!r}")
    if not isinstance(messages, list) or not messages or not all(_is_message(message) for message in messages):
        raise ValueError(f"prompt must be a list of messages with role and content, got {messages!r}")
    if not isinstance(index, int) or isinstance(index, bool):
        raise ValueError(f"extra_info.index must be an integer, got {index!r}")
    answers = accepted_answers(_field(row.get("reward_model"), "ground_truth"), "reward_model.ground_truth")
    for answer in read_gold_answers(answers):  # What the reward compares: the content of a box, if there is one.
        check_gold("reward_model.ground_truth", answer)
    return BenchmarkProblem(benchmark, index, messages, answers, place)


def _refuse_faults(faults: Sequence[str]) -> None:
    more = [f"and {len(faults) - _MOST_FAULTS_SHOWN:,} more"] if len(faults) > _MOST_FAULTS_SHOWN else []
    shown = "\n  ".join([*faults[:_MOST_FAULTS_SHOWN], *more])
    counted = "1 row" if len(faults) == 1 else f"{len(faults):,} rows"
    if faults:
        raise ValueError(f"{counted} cannot be evaluated; mend them, or leave them out of the file:\n  {shown}")


def _name_for_files(problems: Mapping[Path, list[BenchmarkProblem]]) -> dict[Path, list[BenchmarkProblem]]:
    """Return the problems with the file in the name of each benchmark of which two files have the same problem."""
    files_of: dict[tuple[str, int], set[Path]] = defaultdict(set)
    for path, of_file in problems.items():
        for problem in of_file:
            files_of[problem.benchmark, problem.index].add(path)
    shared = {benchmark for (benchmark, _), files in files_of.items() if len(files) > 1}
    names = dict(zip(problems, names_of_files(list(problems)), strict=True))
    return {path: [_named(each, names[path], shared) for each in of_file] for path, of_file in problems.items()}


def _named(problem: BenchmarkProblem, file: str, shared: Collection[str]) -> BenchmarkProblem:
    name = problem.benchmark
    return replace(problem, benchmark=f"{name} ({file})") if name in shared else problem


def names_of_files(paths: Sequence[Path]) -> list[str]:
    """Return a name for each of different files: without ending and folder where that tells them apart.

    >>> names_of_files([Path("a/amc.jsonl"), Path("a/own.jsonl")])
    ['amc', 'own']
    >>> names_of_files([Path("a/own.jsonl"), Path("b/own.jsonl")])
    ['a/own.jsonl', 'b/own.jsonl']
    """
    names = [path.name.partition(".")[0] for path in paths]
    depth = 0
    while len(set(names)) < len(set(paths)):
        depth += 1
        names = ["/".join(path.parts[-depth:]) for path in paths]
    return names


def _distinct(problems: Iterable[BenchmarkProblem]) -> list[BenchmarkProblem]:
    found: dict[tuple[str, int], BenchmarkProblem] = {}
    for problem in problems:
        first = found.setdefault((problem.benchmark, problem.index), problem)
        if first is not problem:
            name = f"problem {problem.index} of {problem.benchmark!r}"
            raise ValueError(f"{problem.place}: {name} is that of {first.place} too")
    return list(found.values())


def _field(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _is_message(value: object) -> bool:
    return isinstance(_field(value, "role"), str) and isinstance(_field(value, "content"), str)

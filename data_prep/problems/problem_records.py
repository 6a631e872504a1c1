"""Reads problems as records that keep all their columns, and writes them again with a rate."""

import json
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from data_prep.presets.table import Preset
from data_prep.problems.reading import parse_problem
from data_prep.sources.records import LocatedRecord, Record
from data_prep.writing.files import replacing_files
from reward_fns.math_reward import read_gold_answers

RATE = "correctness_rate"


@dataclass(frozen=True)
class ProblemRecord:
    """A record as it was read; the chat that puts its problem, and its accepted answers."""

    record: Record
    messages: Sequence[Mapping[str, str]]
    answers: tuple[str, ...]

    def with_rate(self, rate: float) -> Record:
        """Return the record with `rate` under its name: in `extra_info` of a verl row, else as a column."""
        if is_verl_row(self.record):
            return {**self.record, "extra_info": {**(self.record.get("extra_info") or {}), RATE: rate}}
        return {**self.record, RATE: rate}


def read_problem_records(records: Iterable[LocatedRecord], preset: Preset) -> list[ProblemRecord]:
    """Find problem and answers of `records`, which are rows that verl can train on, or what `preset` reads.

    Raises ValueError, naming the source and the row, for a problem or answer that is missing or empty, and for no rows
    at all.
    """
    problems = []
    for located in records:
        try:
            problems.append(_read(located.record, preset))
        except ValueError as error:
            raise ValueError(f"{located.source}, row {located.row}: {error}") from error
    if not problems:
        raise ValueError("the input has no rows")
    return problems


def is_verl_row(record: Mapping[str, Any]) -> bool:
    """Return True for a row that verl can train on, to judge by its columns.

    >>> is_verl_row({"prompt": [], "reward_model": {}}), is_verl_row({"prompt": "1+1?", "answer": "2"})
    (True, False)
    """
    return "prompt" in record and "reward_model" in record


def encode(records: Sequence[Record], path: Path) -> bytes:
    """Return the content of a file of these records in the format that the ending of `path` names.

    Raises ValueError, naming `path`, for another ending, and for values that the format cannot hold, such as a text and
    a list in one column of Parquet.

    >>> encode([{"a": 1}, {"a": 2}], Path("x.jsonl"))
    b'{"a": 1}\\n{"a": 2}\\n'
    """
    if path.suffix not in _ENCODERS:
        raise ValueError(f"{path}: unknown kind of file; expected {', '.join(_ENCODERS)}")
    try:
        return _ENCODERS[path.suffix](records)
    except (ValueError, TypeError, pyarrow.ArrowException) as error:
        raise ValueError(f"{path}: {error}") from error


def write_records(records: Sequence[Record], path: Path) -> None:
    """Write the records, whole or not at all; raises what `encode` raises."""
    content = encode(records, path)
    with replacing_files(path.parent) as folder:
        (folder / path.name).write_bytes(content)


def _read(record: Record, preset: Preset) -> ProblemRecord:
    if not is_verl_row(record):
        problem = parse_problem(record, preset=preset)
        return ProblemRecord(record, [{"role": "user", "content": problem.text}], problem.answers)
    reward_model = record["reward_model"]
    gold = reward_model.get("ground_truth") if isinstance(reward_model, Mapping) else None
    return ProblemRecord(record, _messages(record["prompt"]), tuple(read_gold_answers(gold)))


def _messages(prompt: Any) -> list[Mapping[str, str]]:
    is_chat = isinstance(prompt, list) and all(
        isinstance(message, Mapping) and all(isinstance(message.get(key), str) for key in ("role", "content"))
        for message in prompt
    )
    if not is_chat or not any(message["role"] == "user" and message["content"].strip() for message in prompt):
        raise ValueError(f"prompt must be a list of messages with one of a user among them, got {reprlib.repr(prompt)}")
    return list(prompt)


def _encode_json(records: Sequence[Record]) -> bytes:
    return (json.dumps(records, ensure_ascii=False, indent=1) + "\n").encode()


def _encode_json_lines(records: Sequence[Record]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def _encode_parquet(records: Sequence[Record]) -> bytes:
    names = dict.fromkeys(name for record in records for name in record)  # A record may lack what others have.
    table = pyarrow.Table.from_pylist([{name: record.get(name) for name in names} for record in records])
    stream = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, stream)
    return bytes(stream.getvalue().to_pybytes())


_ENCODERS: dict[str, Callable[[Sequence[Record]], bytes]] = {
    ".json": _encode_json,
    ".jsonl": _encode_json_lines,
    ".parquet": _encode_parquet,
}

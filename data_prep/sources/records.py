"""Reads records, one mapping a row, from the files that datasets come in and from the Hugging Face hub."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from data_prep.sources.hub import find_split, load_splits

Record = dict[str, Any]


def read_records(source: str, split: str = "train", config: str | None = None) -> Iterator[Record]:
    """Yield the records of a file, chosen by its ending, or else of a Hugging Face dataset (see `hub.load_splits`).

    Files: `.json` (a list of objects), `.jsonl` (an object a line; blank lines are skipped), `.csv` (with a header;
    all values are texts) and `.parquet`. `split` and `config` apply to Hugging Face datasets only.

    Raises ValueError, naming the file and the line or row (both from 1), for what cannot be read, and OSError, naming
    the file, for a file that cannot be opened.
    """
    path = Path(source)
    read_file = _READERS.get(path.suffix.lower())
    if read_file is not None and not path.is_dir():
        records = read_file(path)
    elif path.is_file():
        raise ValueError(f"{path}: unknown kind of file; expected {', '.join(_READERS)}")
    else:
        records = find_split(load_splits(source, config), (split,), source)
    for row_number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise ValueError(f"{source}, row {row_number}: expected an object, got {type(record).__name__}")
        yield record


def _read_json(path: Path) -> list[Any]:
    records = _parse_json(path.read_bytes(), path, first_line=1)
    if not isinstance(records, list):
        raise ValueError(f"{path}: expected a list of objects, got {type(records).__name__}")
    return records


def _read_json_lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for line_number, line in enumerate(file, start=1):
            if line.strip():
                yield _parse_json(line.strip(), path, first_line=line_number)


def _parse_json(content: bytes, path: Path, first_line: int) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {first_line + error.lineno - 1}: {error.msg}") from error
    except UnicodeDecodeError as error:
        line = first_line + content.count(b"\n", 0, error.start)
        raise ValueError(f"{path}, line {line}: not UTF-8") from error
    except (RecursionError, ValueError) as error:  # Nested too deeply; an integer of thousands of digits.
        raise ValueError(f"{path}, from line {first_line}: {error}") from error


def _read_csv(path: Path) -> Iterator[Record]:
    csv.field_size_limit(sys.maxsize)  # Its own limit is lower than ours and does not say which field it was.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            for record in reader:
                if None in record:
                    raise ValueError(f"{path}, line {reader.line_num}: more fields than the header has")
                yield record
        except csv.Error as error:  # Where the record begins: a quotation mark left open ends with the file.
            raise ValueError(f"{path}, line {reader.line_num + 1}: {error}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}, after line {reader.line_num}: not UTF-8") from error


def _read_parquet(path: Path) -> Iterator[Record]:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path}: {error}") from error


_READERS: dict[str, Callable[[Path], Iterable[Any]]] = {
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}

"""Reads the rows of text files: JSON, JSON Lines, CSV and TSV."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from data_prep.sources.decoding import open_text


def read_json(path: Path, encoding: str) -> Iterator[Any]:
    """Yield the rows of a file that is one list, an object with a list called `data`, or, despite its name, JSON Lines.

    Raises ValueError, naming the file and the line, for what is none of these.
    """
    if _has_value_on_first_line(path, encoding):
        yield from read_json_lines(path, encoding)
        return
    with open_text(path, encoding) as file:
        text = file.read().rstrip()
    document = _parse_json(text, path, first_line=1) if text.strip() else []
    rows = document.get("data") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        found = (
            f"an object with {', '.join(islice(document, 5))}"
            if isinstance(document, dict)
            else type(document).__name__
        )
        raise ValueError(f"{path}: expected a list of objects, or an object with a list called data, got {found}")
    yield from rows


def read_json_lines(path: Path, encoding: str) -> Iterator[Any]:
    """Yield the value on each line that is not blank; raises ValueError, naming the file and the line, without one."""
    with open_text(path, encoding) as file:
        for line_number, line in enumerate(file, start=1):
            if not line.isspace():
                yield _parse_json(line.strip(), path, first_line=line_number)


def read_delimited(path: Path, encoding: str, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Yield the rows of a file with a header as texts by the name of their column; blank lines are skipped.

    Raises ValueError, naming the file and the line on which the row begins, for a row with more or fewer fields than
    the header, a quotation mark left open, and a header with one name twice.
    """
    csv.field_size_limit(sys.maxsize)  # Its own limit is lower than ours and does not say which field it was.
    with open_text(path, encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        names: list[str] = []
        line = 1
        try:
            for fields in reader:
                if not names:
                    names = fields
                    check_names(names, f"{path}, line {line}")
                elif len(fields) == len(names):
                    yield dict(zip(names, fields, strict=True))
                elif fields:
                    expected = f"the header has {len(names)} fields, this row {len(fields)}"
                    raise ValueError(f"{path}, line {line}: {expected}; quote fields that hold {delimiter!r}")
                line = reader.line_num + 1
        except csv.Error as error:  # A quotation mark left open ends with the file.
            raise ValueError(f"{path}, line {line}: {error}") from error


def check_names(names: Sequence[str], place: str) -> None:
    """Raise ValueError, naming the place and the column, if two columns have one name: the second would hide the first.

    >>> check_names(["problem", "answer"], "in.csv, line 1")
    """
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ValueError(f"{place}: two columns are called {name!r}; rename one of them")


def _has_value_on_first_line(path: Path, encoding: str) -> bool:
    """Return True if more follows on a line that is a whole value of JSON, as in JSON Lines alone."""
    with open_text(path, encoding) as file:
        lines = list(islice((line for line in file if not line.isspace()), 2))
    if len(lines) < 2:
        return False
    try:
        json.loads(lines[0])
    except (ValueError, RecursionError):
        return False
    return True


def _parse_json(text: str, path: Path, first_line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {first_line + error.lineno - 1}: {error.msg}") from error
    except (RecursionError, ValueError) as error:  # Nested too deeply; an integer of thousands of digits.
        raise ValueError(f"{path}, from line {first_line}: {error}") from error

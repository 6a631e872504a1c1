"""The table of the kinds of files that can be read, chosen by the ending of their names."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from data_prep.sources.arrow_files import read_arrow, read_parquet
from data_prep.sources.decoding import PACKED_ENDING
from data_prep.sources.text_files import read_delimited, read_json, read_json_lines

_TEXT_READERS: dict[str, Callable[[Path, str], Iterable[Any]]] = {
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".csv": read_delimited,
    ".tsv": partial(read_delimited, delimiter="\t"),
}
_ARROW_READERS: dict[str, Callable[[Path], Iterable[Any]]] = {".parquet": read_parquet, ".arrow": read_arrow}

KNOWN_KINDS = f"{', '.join([*_TEXT_READERS, *_ARROW_READERS])}, or a text file with {PACKED_ENDING} after its ending"


def is_text(path: Path) -> bool:
    """Return True if a file holds text, to judge by its name.

    >>> is_text(Path("a.CSV.gz")), is_text(Path("a.parquet"))
    (True, False)
    """
    return _text_ending(path) in _TEXT_READERS


def is_known(path: Path) -> bool:
    """Return True if there is a reader for a file, to judge by its name.

    >>> is_known(Path("a.jsonl")), is_known(Path("a.parquet.gz"))
    (True, False)
    """
    return is_text(path) or path.suffix.lower() in _ARROW_READERS


def read_rows(path: Path, encoding: str) -> Iterable[Any]:
    """Yield the rows of a file; `encoding` applies to text.

    Raises ValueError or OSError, naming the file; for a damaged file, what gzip and pyarrow raise, which do not.
    """
    if is_text(path):
        return _TEXT_READERS[_text_ending(path)](path, encoding)
    return _ARROW_READERS[path.suffix.lower()](path)


def _text_ending(path: Path) -> str:
    return Path(path.name.lower().removesuffix(PACKED_ENDING)).suffix

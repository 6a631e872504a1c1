"""Reads records, one mapping a row, from files, folders and the Hugging Face hub, and says where each stands."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow

from data_prep.sources.decoding import UTF_8, check_encoding
from data_prep.sources.formats import is_text, read_rows
from data_prep.sources.hub import load_splits, read_split
from data_prep.sources.inputs import Part, expand_inputs
from data_prep.sources.shards import DEFAULT_SPLIT

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LocatedRecord:
    """A record, and where it stands: its row, from 1, within a file or a dataset."""

    record: Record
    source: str
    row: int


def read_located(
    inputs: Sequence[str], split: str | None = None, config: str | None = None, encoding: str = UTF_8
) -> Iterator[LocatedRecord]:
    """Yield the records of all inputs in their order, and of each in its own; a row that is a list has keys "0", "1", …

    An input is a file of a kind in `formats`, a glob, a folder of such files, a folder that `save_to_disk` wrote, or
    the name of a dataset on the hub. `split` (`train` if it is None) and `config` are for the last three, `encoding`
    for text files.

    Raises ValueError or OSError, naming the file or dataset and the line or row (both from 1), for what cannot be read:
    before the first record if an input is not there or an option does not apply to it, else where it is met. An input
    without rows is refused too.
    """
    is_default = check_encoding(encoding) == UTF_8
    parts = expand_inputs(inputs, split, config)
    if not is_default and not any(part.is_file and is_text(Path(part.source)) for part in parts):
        raise ValueError(f"--encoding {encoding} is for text files, and no input is one; leave it out")
    return (located for part in parts for located in _read_part(part, split, config, encoding))


def read_records(source: str, split: str = DEFAULT_SPLIT, config: str | None = None) -> Iterator[Record]:
    """Yield the records of one input as `read_located` does, which a file allows no split but `train` for."""
    located = read_located([source], None if split == DEFAULT_SPLIT else split, config)
    return (each.record for each in located)


def _read_part(part: Part, split: str | None, config: str | None, encoding: str) -> Iterator[LocatedRecord]:
    row = 0
    try:
        for row, value in enumerate(_rows_of_part(part, split, config, encoding), start=1):
            yield LocatedRecord(_as_record(value, part.source, row), part.source, row)
    except (EOFError, OSError, zlib.error, pyarrow.ArrowException) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        place = f"{part.source}, after row {row}" if row else part.source
        raise ValueError(f"{place}: damaged, or not what its name says: {error}") from error
    if row == 0:
        raise ValueError(f"{part.source}: no rows")


def _rows_of_part(part: Part, split: str | None, config: str | None, encoding: str) -> Iterable[Any]:
    if part.is_file:
        return read_rows(Path(part.source), encoding)
    return read_split(load_splits(part.source, config), split or DEFAULT_SPLIT, part.source)


def _as_record(value: Any, source: str, row: int) -> Record:
    if isinstance(value, list):  # As the viewer of the hub has it.
        return {str(position): item for position, item in enumerate(value)}
    if not isinstance(value, dict):
        raise ValueError(f"{source}, row {row}: expected an object, got {type(value).__name__}")
    return value

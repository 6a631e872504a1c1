"""Reads the rows of Parquet and Arrow files, some hundred at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from data_prep.sources.text_files import check_names

_ROWS_AT_A_TIME = 512
_ARROW_FILE_MARK = b"ARROW1"


def read_parquet(path: Path) -> Iterator[Any]:
    """Yield the rows of a Parquet file; raises ValueError, naming it, for two columns of one name."""
    with path.open("rb") as file, pyarrow.parquet.ParquetFile(file) as parquet:
        check_names(parquet.schema_arrow.names, str(path))
        for batch in parquet.iter_batches(_ROWS_AT_A_TIME):
            yield from _rows(batch)


def read_arrow(path: Path) -> Iterator[Any]:
    """Yield the rows of an Arrow file, of the format that its first bytes say: file or stream.

    Raises ValueError, naming it, for two columns of one name.
    """
    with path.open("rb") as file:
        is_file_format = file.read(len(_ARROW_FILE_MARK)) == _ARROW_FILE_MARK
    with pyarrow.memory_map(str(path)) as memory:
        reader = pyarrow.ipc.open_file(memory) if is_file_format else pyarrow.ipc.open_stream(memory)
        check_names(reader.schema.names, str(path))
        batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file_format else reader
        for batch in batches:
            batch.validate(full=True)  # Arrow has no checksums, and a wrong offset reads memory of others.
            for start in range(0, batch.num_rows, _ROWS_AT_A_TIME):
                yield from _rows(batch.slice(start, _ROWS_AT_A_TIME))


def _rows(batch: pyarrow.RecordBatch) -> list[Any]:
    try:
        rows: list[Any] = batch.to_pylist()
        return rows
    except (ValueError, OverflowError) as error:  # A text that is not UTF-8; a date that Python does not have.
        raise pyarrow.ArrowInvalid(str(error)) from error

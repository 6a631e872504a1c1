"""Reads the problems of files whose problems must not be trained on, such as benchmarks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_prep.presets.fields import BadRow
from data_prep.presets.table import PRESETS
from data_prep.sources.decoding import UTF_8
from data_prep.sources.formats import is_text
from data_prep.sources.hub import load_splits
from data_prep.sources.inputs import expand_inputs
from data_prep.sources.records import LocatedRecord, read_located


def read_excluded_texts(inputs: Sequence[str], encoding: str = UTF_8) -> Iterator[str]:
    """Yield the problem of each record, without known instructions: of files, and of datasets with all their splits.

    Raises ValueError, naming the source and the row, for a record in which no preset finds a problem, and what
    `read_located` raises.
    """
    for located in _read_all_splits(inputs, encoding):
        text = problem_text(located.record)
        if text is None:
            has = ", ".join(map(str, located.record))
            raise ValueError(f"{located.source}, row {located.row}: no problem in it to exclude; its columns are {has}")
        yield text


def problem_text(record: Mapping[str, Any]) -> str | None:
    """Return the problem that the first preset finds in a record; None if none does.

    >>> problem_text({"question": "1+1?", "label": 2}), problem_text({"label": 2})
    ('1+1?', None)
    """
    for preset in PRESETS.values():
        try:
            text = preset.problem.value(record)
        except BadRow:  # Another preset's reader may take it.
            continue
        if isinstance(text, str) and text.strip():
            return text
    return None


def _read_all_splits(inputs: Sequence[str], encoding: str) -> Iterator[LocatedRecord]:
    parts = expand_inputs(inputs)
    for part in parts:
        if part.is_file:
            yield from read_located([part.source], encoding=encoding if is_text(Path(part.source)) else UTF_8)
            continue
        for split, records in load_splits(part.source).items():
            for row, record in enumerate(records, start=1):
                yield LocatedRecord(record, f"{part.source}, {split}", row)

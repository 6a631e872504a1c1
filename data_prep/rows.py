"""What verl expects of a dataset row, and how a file of rows is written."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

Row = dict[str, Any]


def build_row(
    *, data_source: str, problem: str, answer: str, solution: str, index: int, split: str, **extra_info: Any
) -> Row:
    """Build one row of verl from a problem, its reference `answer` and reference `solution` (may be empty).

    `problem` is the whole user message. `index` numbers the rows of a split from 0. Further keyword arguments go to
    `extra_info`; across the rows of one file they must have one type each.
    """
    return {
        "data_source": data_source,
        "prompt": [{"role": "user", "content": problem}],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": answer},
        "extra_info": {"index": index, "solution": solution, "split": split, **extra_info},
    }


def check_row(row: Mapping[str, Any], row_number: int) -> None:
    """Raise ValueError, naming `row_number` and the field, unless verl can train on `row`.

    Required: a data source, one non-empty user message, a non-empty ground truth, an index and a solution (which may
    be the empty text: error correction then cannot use it).
    """
    _require_text(row_number, "data_source", row.get("data_source"))
    prompt = row.get("prompt")
    if not isinstance(prompt, Sequence) or len(prompt) != 1 or prompt[0].get("role") != "user":
        raise ValueError(f"row {row_number}: prompt must be a list of one user message, got {prompt!r}")
    _require_text(row_number, "prompt[0].content", prompt[0].get("content"))
    _require_text(row_number, "reward_model.ground_truth", _field(row, "reward_model").get("ground_truth"))
    extra_info = _field(row, "extra_info")
    if not isinstance(extra_info.get("index"), int):
        raise ValueError(f"row {row_number}: extra_info.index must be an integer, got {extra_info.get('index')!r}")
    if not isinstance(extra_info.get("solution"), str):
        raise ValueError(f"row {row_number}: extra_info.solution must be a text, got {extra_info.get('solution')!r}")


def write_parquet(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Check `rows` and write them to `path`, whole or not at all; folders are made as needed.

    Raises ValueError for an empty list and for the first row that `check_row` refuses (rows are counted from 1). The
    same rows give the same bytes under the same version of pyarrow.
    """
    if not rows:
        raise ValueError(f"no rows to write to {path}")
    for row_number, row in enumerate(rows, start=1):
        check_row(row, row_number)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, because a rename is atomic only within one file system.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    try:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), temporary)
        _give_usual_permissions(temporary)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _field(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}


def _require_text(row_number: int, field: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"row {row_number}: {field} must be a text that is not empty, got {value!r}")


def _give_usual_permissions(path: str) -> None:
    """A temporary file is private to its owner; a dataset is often read by others."""
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(path, 0o666 & ~umask)

"""Builds and checks the dataset rows that verl expects, and writes files of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from data_prep.writing.files import replacing_files

Row = dict[str, Any]

_NUM_ROWS_AT_ONCE = 10_000


def build_row(
    *,
    data_source: str,
    problem: str,
    answer: str | Sequence[str],
    solution: str,
    index: int,
    split: str,
    **extra_info: Any,
) -> Row:
    """Build one row of verl from a problem, its reference `answer` and reference `solution` (may be empty).

    `problem` is the whole user message. `answer` is a text, or a sequence of texts each of which is accepted; a file
    holds one kind or the other. `index` is unique within a file. Further keyword arguments go to `extra_info`; across
    the rows of one file they must have one type each.

    >>> build_row(data_source="mine", problem="1+1?", answer="2", solution="", index=0, split="train")["prompt"]
    [{'role': 'user', 'content': '1+1?'}]
    """
    return {
        "data_source": data_source,
        "prompt": [{"role": "user", "content": problem}],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": answer if isinstance(answer, str) else list(answer)},
        "extra_info": {"index": index, "solution": solution, "split": split, **extra_info},
    }


def check_row(row: Mapping[str, Any], row_number: int) -> None:
    """Raise ValueError, naming `row_number` and the field, unless verl can train on `row`.

    Required: a data source, one non-empty user message, an ability, a reward style, a ground truth that is a non-empty
    text or a non-empty list of them, a split, an index from 0 on and a solution (which may be the empty text: error
    correction then cannot use it).
    """
    _require_text(row_number, "data_source", row.get("data_source"))
    prompt = row.get("prompt")
    if not isinstance(prompt, list) or len(prompt) != 1 or _field(prompt[0], "role") != "user":
        raise ValueError(f"row {row_number}: prompt must be a list of one user message, got {prompt!r}")
    _require_text(row_number, "prompt[0].content", prompt[0].get("content"))
    _require_text(row_number, "ability", row.get("ability"))
    reward_model, extra_info = row.get("reward_model"), row.get("extra_info")
    _require_ground_truth(row_number, _field(reward_model, "ground_truth"))
    _require_text(row_number, "reward_model.style", _field(reward_model, "style"))
    index = _field(extra_info, "index")
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise ValueError(f"row {row_number}: extra_info.index must be an integer from 0 on, got {index!r}")
    if not isinstance(_field(extra_info, "solution"), str):
        raise ValueError(
            f"row {row_number}: extra_info.solution must be a text, got {_field(extra_info, 'solution')!r}"
        )
    _require_text(row_number, "extra_info.split", _field(extra_info, "split"))


def check_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield `rows`; raise ValueError at the first, counted from 1, that cannot be in one file with those before it.

    See `check_row`, and in addition no two rows have the same index, and the ground truth is a text in all rows or a
    list in all rows, because a column of a Parquet file has one type.
    """
    row_number_of_index: dict[int, int] = {}
    first_type = None
    for row_number, row in enumerate(rows, start=1):
        check_row(row, row_number)
        index = row["extra_info"]["index"]
        first = row_number_of_index.setdefault(index, row_number)
        if first != row_number:
            raise ValueError(f"row {row_number}: extra_info.index {index} is that of row {first} too")
        first_type = first_type or _type_of_ground_truth(row)
        if _type_of_ground_truth(row) != first_type:
            raise ValueError(
                f"row {row_number}: reward_model.ground_truth is a {_type_of_ground_truth(row)}, in row 1 a "
                f"{first_type}; one file holds one type"
            )
        yield row


def write_parquet(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Check `rows` and write them to `path`, whole or not at all; folders are made as needed.

    The rows are made and written some at a time, so that memory holds no second copy of them all. Raises ValueError for
    an empty sequence and for rows that `check_rows` refuses. The same rows give the same bytes under the same version
    of pyarrow.
    """
    if not rows:
        raise ValueError(f"no rows to write to {path.name}")
    # A column in which a part of the rows has no value has no type there, and takes that of the others.
    schema = pyarrow.unify_schemas([part.schema for part in _tables(check_rows(rows))])
    schema = pyarrow.schema([field.with_type(_without_nulls(field.type)) for field in schema])
    with replacing_files(path.parent) as folder, pyarrow.parquet.ParquetWriter(folder / path.name, schema) as writer:
        for part in _tables(rows, schema):
            writer.write_table(part)


def _tables(rows: Iterable[Mapping[str, Any]], schema: pyarrow.Schema | None = None) -> Iterator[pyarrow.Table]:
    remaining = iter(rows)
    while part := list(islice(remaining, _NUM_ROWS_AT_ONCE)):
        yield pyarrow.Table.from_pylist(part, schema)


def _without_nulls(column_type: pyarrow.DataType) -> pyarrow.DataType:
    """Return a type in which a column without any value, such as a rate, holds numbers.

    verl cannot read a file whose column has no type together with one in which the column has values.
    """
    if pyarrow.types.is_struct(column_type):
        return pyarrow.struct([field.with_type(_without_nulls(field.type)) for field in column_type])
    return pyarrow.float64() if pyarrow.types.is_null(column_type) else column_type


def _field(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _type_of_ground_truth(row: Mapping[str, Any]) -> str:
    return "text" if isinstance(row["reward_model"]["ground_truth"], str) else "list"


def _require_ground_truth(row_number: int, value: object) -> None:
    if not isinstance(value, list):
        _require_text(row_number, "reward_model.ground_truth", value)
        return
    if not value:
        raise ValueError(f"row {row_number}: reward_model.ground_truth must not be an empty list")
    for position, alternative in enumerate(value):
        _require_text(row_number, f"reward_model.ground_truth[{position}]", alternative)


def _require_text(row_number: int, field: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"row {row_number}: {field} must be a text that is not empty, got {value!r}")

r"""Writes train.parquet from the training set of the EDGE-GRPO paper, 1,000 hard problems of DeepScaleR.

    python -m data_prep.deepscaler --input deepscaler_hard-1k.json --output-dir DIR [--instruction TEXT]

The input is the authors' JSON file: a list of objects with `problem`, `answer`, and optionally `solution` and
`correctness_rate`. The prompt is the problem alone, as in the paper; `--instruction` appends a text to it, such as
"Please reason step by step, and put your final answer within \boxed{}.". Every row is kept, duplicates too, because the
paper trained on them; they are counted.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_prep.rows import Row, build_row, write_parquet


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read the JSON list. Raises ValueError, naming the line, for broken JSON, and for anything but a list."""
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {error.lineno}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start}") from error
    if not isinstance(records, list):
        raise ValueError(f"{path}: expected a list of problems, got {type(records).__name__}")
    return records


def convert_record(record: Mapping[str, Any], index: int, instruction: str = "") -> Row:
    """Turn one record into a row; `instruction`, if any, follows the problem after a space.

    Numbers are accepted as answers. Raises ValueError, naming the row (from 1) and the field, for a missing or empty
    problem or answer.
    """
    if not isinstance(record, Mapping):
        raise ValueError(f"row {index + 1}: expected an object, got {type(record).__name__}")
    for field in ("problem", "answer"):
        if record.get(field) is None or not str(record[field]).strip():
            raise ValueError(f"row {index + 1}: {field} is missing or empty")
    rate = {"correctness_rate": float(record["correctness_rate"])} if record.get("correctness_rate") is not None else {}
    return build_row(
        data_source="deepscaler",
        problem=f"{record['problem']} {instruction}".rstrip() if instruction else str(record["problem"]),
        answer=str(record["answer"]),
        solution=str(record.get("solution") or ""),
        index=index,
        split="train",
        **rate,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m data_prep.deepscaler", description="Convert the paper's problems.")
    parser.add_argument("--input", type=Path, required=True, help="the authors' deepscaler_hard-1k.json")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--instruction", default="", help="text to append to every problem (default: none)")
    options = parser.parse_args(arguments)
    try:
        records = read_records(options.input)
        rows = [convert_record(record, index, options.instruction) for index, record in enumerate(records)]
        path = options.output_dir / "train.parquet"
        write_parquet(rows, path)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    num_duplicates = len(rows) - len({row["prompt"][0]["content"] for row in rows})
    num_without_solution = sum(not row["extra_info"]["solution"] for row in rows)
    print(
        f"{path}: {len(records)} rows in, {len(rows)} rows out, {num_duplicates} duplicate problems, "
        f"{num_without_solution} rows without solution"
    )


if __name__ == "__main__":
    main()

"""Writes dataset files and their card, a README.md that says how they were made and what is in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow

from data_prep.writing.files import replacing_files, sha256_of
from data_prep.writing.markdown import aligned_table
from data_prep.writing.rows import Row, write_parquet

CARD_NAME = "README.md"
_ORIGIN = "Written by `python -m data_prep."


@dataclass(frozen=True)
class Card:
    """What a card says: the module below `data_prep` that was run, its options, and Markdown sections that follow."""

    command: str
    options: Mapping[str, object]
    sections: Sequence[str]


def write_dataset(output_dir: Path, rows_by_file: Mapping[str, Sequence[Row]], card: Card) -> None:
    """Write Parquet files and the card that describes them to `output_dir`: all of them, or, on failure, none.

    The card holds no date and no folder, so that the same input and options give the same bytes.

    Raises ValueError for rows that `write_parquet` refuses, and rather than replace a README.md that is no such card;
    OSError, naming `output_dir`, if it cannot be written to.
    """
    path = output_dir / CARD_NAME
    if path.exists() and _ORIGIN not in path.read_text(encoding="utf-8", errors="replace"):
        raise ValueError(f"{path} is not a dataset card and would be replaced by one; choose another --output-dir")
    try:
        with replacing_files(output_dir) as folder:
            for name, rows in rows_by_file.items():
                write_parquet(rows, folder / name)
            hashes = {name: sha256_of(folder / name) for name in rows_by_file}
            (folder / CARD_NAME).write_text(_card_text(rows_by_file, hashes, card), encoding="utf-8")
    except OSError as error:  # A full disk does not say which.
        raise OSError(f"{output_dir}: {error.strerror or error}") from error


def describe_source(source: str) -> str:
    """Return the name of a dataset on the hub as it is, of a folder its last part, of a file that and its SHA-256."""
    path = Path(source)
    if path.is_file():
        return f"{path.name} (SHA-256 {sha256_of(path)})"
    return path.resolve().name if path.exists() else source


def _card_text(rows_by_file: Mapping[str, Sequence[Row]], hashes: Mapping[str, str], card: Card) -> str:
    set_to = [[f"`--{name.replace('_', '-')}`", value] for name, value in card.options.items()]
    files = [[f"`{name}`", len(rows), f"`{hashes[name]}`"] for name, rows in rows_by_file.items()]
    parts = [
        _metadata(rows_by_file),
        f"{_ORIGIN}{card.command}`, with pyarrow {pyarrow.__version__}. "
        "The same input and options give the same bytes.",
        aligned_table([["option", "value"], *set_to]),
        aligned_table([["file", "rows", "SHA-256"], *files]),
        *card.sections,
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(rows_by_file: Mapping[str, Sequence[Row]]) -> str:
    """Return the header by which the hub and `datasets.load_dataset(folder, name)` find each file by its name."""
    lines = ["---", "configs:"]
    for name, rows in rows_by_file.items():
        split = rows[0]["extra_info"]["split"]
        lines += [f"- config_name: {Path(name).stem}", "  data_files:", f"  - split: {split}", f"    path: {name}"]
    return "\n".join([*lines, "---"])

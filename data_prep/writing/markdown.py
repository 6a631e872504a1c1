"""Writes tables in Markdown that also read well in a terminal: cards of datasets, reports of runs and evaluations."""

from collections.abc import Sequence

MISSING = "–"
"""What a cell shows for a quantity that a run does not have, as the corrections of a run without error correction."""


def aligned_table(rows: Sequence[Sequence[object]], num_left: int | None = None) -> str:
    r"""Return a table with aligned columns; the first of `rows` is the header.

    The first `num_left` columns are aligned left and the others right; by default, columns of whole numbers are aligned
    right. Text from outside, such as the name of a run, can neither end a cell nor a line.

    >>> print(aligned_table([["rows", "number"], ["in", 1000], ["a | b", 7]]))
    | rows   | number |
    | ------ | -----: |
    | in     |  1,000 |
    | a \| b |      7 |
    """
    columns = list(zip(*([_one_line(value) for value in row] for row in rows), strict=True))
    is_right = [
        all(cell.replace(",", "").isdecimal() for cell in column[1:]) if num_left is None else number >= num_left
        for number, column in enumerate(columns)
    ]
    aligned = [_align(column, right) for column, right in zip(columns, is_right, strict=True)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in zip(*aligned, strict=True))


def _align(column: Sequence[str], is_right: bool) -> list[str]:
    """Return the cells of a column, equally wide, with Markdown's rule below the header; a colon ends a right one."""
    width = max(map(len, column))
    header, *cells = [cell.rjust(width) if is_right else cell.ljust(width) for cell in column]
    return [header, "-" * (width - 1) + ":" if is_right else "-" * width, *cells]


def _one_line(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return " ".join(text.splitlines()).replace("|", r"\|")

"""Markdown tables that also read well in a terminal."""

from collections.abc import Sequence

MISSING = "–"
"""What a cell shows for a quantity that a run does not have, as the corrections of a run without error correction."""


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is the header; the first column is aligned left, the others right.

    Text from outside, such as the name of a run, can neither end a cell nor a line.
    """
    cells = [[_one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in cells]
    # Markdown's mark for a right-aligned column is the colon at its end.
    rule = _line(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join([lines[0], rule, *lines[1:]])


def _one_line(cell: str) -> str:
    return " ".join(cell.splitlines()).replace("|", r"\|")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""The Markdown tables of runs and evaluations: what is compared on the left, numbers to its right."""

from collections.abc import Sequence

from data_prep.writing.markdown import aligned_table

MISSING = "–"
"""What a cell shows for a quantity that a run does not have, as the corrections of a run without error correction."""


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is the header; the first column is aligned left, the others right.

    Text from outside, such as the name of a run, can neither end a cell nor a line.
    """
    cells = [[_one_line(cell) for cell in row] for row in rows]
    return aligned_table(cells, [False, *[True] * (len(cells[0]) - 1)])


def _one_line(cell: str) -> str:
    return " ".join(cell.splitlines()).replace("|", r"\|")

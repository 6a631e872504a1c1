"""Tables in Markdown that also read well in a terminal."""

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table with aligned columns, numbers on the right. A pipe in a cell is escaped."""
    cells = [[_cell(value) for value in row] for row in rows]
    titles = [_cell(value) for value in header]
    is_number = [all(row[column].replace(",", "").isdecimal() for row in cells) for column in range(len(titles))]
    return aligned_table([titles, *cells], is_number)


def aligned_table(rows: Sequence[Sequence[str]], is_right: Sequence[bool]) -> str:
    """Return a table whose first row is the header; `is_right` says which columns are aligned right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: Sequence[str]) -> str:
        columns = zip(row, widths, is_right, strict=True)
        return f"| {' | '.join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in columns)} |"

    # Markdown's mark for a right-aligned column is the colon at its end.
    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, is_right, strict=True)]
    return "\n".join([line(rows[0]), line(rule), *map(line, rows[1:])])


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")

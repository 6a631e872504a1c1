"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table with aligned columns, numbers on the right. A pipe in a cell is escaped."""
    cells = [[_cell(value) for value in row] for row in rows]
    titles = [_cell(value) for value in header]
    is_number = [all(row[column].replace(",", "").isdecimal() for row in cells) for column in range(len(titles))]
    widths = [max(len(row[column]) for row in [titles, *cells]) for column in range(len(titles))]

    def line(row: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, is_number, strict=True)]
    return "\n".join([line(titles), line(rule), *map(line, cells)])


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")

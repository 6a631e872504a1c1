"""Writes the results of the bench as the table of a page.

    python tests/bench/page.py runs/bench/results.json docs/costs.md

The table of a full bench replaces what stands between its two marks on the page; a quick one has marks of its own.
Every value of the tables is kept beside the page, in docs/costs/full.json and quick.json: a part that these results do
not have keeps the table that it had, on whatever machine it was measured.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEAD = "| measured | median | lowest to highest | pairs | target | |\n|---|--:|--:|--:|--:|---|"


def main() -> None:
    write(Path(sys.argv[2]), json.loads(Path(sys.argv[1]).read_text()))


def write(page: Path, results: Mapping[str, Any]) -> None:
    """Put these results into the record beside a page, in the place of the same parts, and their table on the page."""
    record = record_file(page, results["is_quick"])
    parts = json.loads(record.read_text())["parts"] if record.exists() else {}
    results = {"is_quick": results["is_quick"], "parts": parts | results["parts"]}
    text = with_table(page.read_text(encoding="utf-8"), results)
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(results, indent=1) + "\n")
    page.write_text(text, encoding="utf-8")


def record_file(page: Path, is_quick: bool) -> Path:
    """Return the file with every value of a page's table."""
    return page.with_suffix("") / ("quick.json" if is_quick else "full.json")


def with_table(text: str, results: Mapping[str, Any]) -> str:
    """Return the text of a page with the table of these results in the place of the one between their marks.

    Raises ValueError if the page has no such marks.
    """
    name = "quick bench" if results["is_quick"] else "bench"
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"the page has no lines {begin} and {end}")
    return f"{before}{begin}\n{table(results)}\n{end}{after}"


def table(results: Mapping[str, Any]) -> str:
    """Return what was measured, where and when, as Markdown: the parts of the bench, and a table for each of theirs."""
    quick = " QUICK=1" if results["is_quick"] else ""
    lines = []
    for name, part in results["parts"].items():
        made = f"{part['date']}, commit {part['commit']}, {part['machine']}; {part['seconds'] / 60:.1f} minutes"
        lines += ["", f"`make bench{quick} PARTS={name}` ({made}):"]
        for heading in dict.fromkeys(row["part"] for row in part["rows"]):
            lines += ["", f"**{heading}**", "", HEAD]
            lines += [table_line(row) for row in part["rows"] if row["part"] == heading]
        lines += [f"\nNot measured: {skipped['part']} ({skipped['reason']})." for skipped in part["skipped"]]
    return "\n".join(lines[1:])


def table_line(row: Mapping[str, Any]) -> str:
    """Return the line of a measurement."""
    what = row["what"] + (f" ({row['detail']})" if row["detail"] else "")
    unit = f" {row['unit']}" if row["unit"] else ""
    signs = {"at_most": "≤", "at_least": "≥"}
    bounds = [f"{sign} {number(row[key])}" for key, sign in signs.items() if row[key] is not None]
    verdict = {None: "", True: "met", False: "**missed**"}[row["is_met"]]
    cells = [
        what,
        number(row["median"]) + unit,
        f"{number(row['lowest'])} to {number(row['highest'])}",
        str(len(row["values"])),
        " ".join(bounds),
        verdict,
    ]
    return "| " + " | ".join(cells) + " |"


def number(value: float) -> str:
    """Return a number with three digits, and none behind the point from 100 on.

    >>> number(0.98765), number(1.0), number(12.34), number(1234.5)
    ('0.988', '1.00', '12.3', '1,234')
    """
    if value == int(value) and abs(value) >= 10:
        return f"{value:,.0f}"
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{digits}f}"


if __name__ == "__main__":
    main()

"""`make bench`: what the plugin costs, as ratios of paired measurements within one run (machines are noisy).

Prints each row with its spread and whether its target is met, and writes results.json, or results-quick.json, of which
`page.py` makes tables. A part is a module whose `measure(folder, is_quick)` yields rows; FULL_PARTS and QUICK_PARTS
list them. What the file has of other parts stays, each with where and when it was measured.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measures import Row, Skipped
from page import table_line

from recipe.edge_grpo.laboratory.study.origin import here_and_now

ROOT = Path(__file__).parent.parent.parent
FULL_PARTS = ("startup", "commands", "pure", "verls_costs", "grading", "training", "growth", "profiles")
QUICK_PARTS = ("startup", "commands", "pure", "verls_costs", "grading", "training")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the main numbers, within ten minutes")
    parser.add_argument("--parts", nargs="+", choices=FULL_PARTS, metavar="PART", help=f"of {', '.join(FULL_PARTS)}")
    parser.add_argument("--output-dir", type=Path, default=ROOT / "runs" / "bench", help="(default: runs/bench)")
    options = parser.parse_args(arguments)
    folder = options.output_dir.resolve()
    file = folder / ("results-quick.json" if options.quick else "results.json")
    folder.mkdir(parents=True, exist_ok=True)
    results = measure_parts(options.parts or (QUICK_PARTS if options.quick else FULL_PARTS), file, options.quick)
    judged = [row for part in results["parts"].values() for row in part["rows"] if row["is_met"] is not None]
    missed = [f"{row['part']}: {row['what']}" for row in judged if not row["is_met"]]
    print(f"\n{len(judged) - len(missed)} of {len(judged)} targets met; missed:", *(missed or ["none"]), sep="\n  ")
    print(file)
    skipped = [each for part in results["parts"].values() for each in part["skipped"]]
    return 1 if any(each["has_failed"] for each in skipped) else 0


def measure_parts(parts: Sequence[str], file: Path, is_quick: bool) -> dict[str, Any]:
    """Measure the parts one after the other; returns what `file` holds, which is written anew behind each of them."""
    measured = json.loads(file.read_text())["parts"] if file.exists() else {}
    for name in parts:
        print(f"\n== {name}", flush=True)
        measured[name] = measure_part(name, file.parent, is_quick)
        in_order = {each: measured[each] for each in FULL_PARTS if each in measured}
        results = {"is_quick": is_quick, "parts": in_order}
        file.write_text(json.dumps(results, indent=1) + "\n")  # two hours are not to be lost by the last part
        print(f"{name} took {measured[name]['seconds']:.0f} s", flush=True)
    return results


def measure_part(name: str, folder: Path, is_quick: bool) -> dict[str, Any]:
    """Return the rows of a part and where and when; one that fails keeps those that it had measured until then."""
    begin = time.monotonic()
    part: dict[str, Any] = {**where_and_when(), "seconds": 0.0, "rows": [], "skipped": []}
    try:
        for row in importlib.import_module(name).measure(folder, is_quick):
            add(row, part)
    except Exception as error:  # a boundary on purpose: what else is measured counts all the same
        traceback.print_exc()
        part["skipped"].append({"part": name, "reason": f"failed: {error!r:.200}", "has_failed": True})
    part["seconds"] = round(time.monotonic() - begin, 1)
    return part


def add(row: Row | Skipped, part: dict[str, Any]) -> None:
    """Print a row and put it into its part."""
    if isinstance(row, Skipped):
        part["skipped"].append({"part": row.part, "reason": row.reason, "has_failed": False})
        print(f"not measured: {row.part}, {row.reason}", flush=True)
    else:
        part["rows"].append(row.as_json())
        print(table_line(row.as_json()), flush=True)


def where_and_when() -> dict[str, str]:
    """Return commit, date and machine of a part that begins now, as its table says them."""
    origin = here_and_now(0)
    busy = f"load {os.getloadavg()[0]:.1f} at the start, Python {platform.python_version()}"
    return {"date": origin.date, "commit": origin.commit, "machine": f"{origin.machine}, {busy}"}


if __name__ == "__main__":
    sys.exit(main())

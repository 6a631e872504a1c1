"""`make bench`: what the plugin costs, as ratios of paired measurements within one run (machines are noisy).

Prints each row with its spread and whether its target is met, and writes results.json, or results-quick.json, of which
`page.py` makes tables.
A part is a module whose `measure(folder, is_quick)` yields rows; FULL_PARTS and QUICK_PARTS list them.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from measures import Row, Skipped
from page import table_line

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
    judged = [row for row in results["rows"] if row["is_met"] is not None]
    missed = [f"{row['part']}: {row['what']}" for row in judged if not row["is_met"]]
    print(f"\n{len(judged) - len(missed)} of {len(judged)} targets met; missed:", *(missed or ["none"]), sep="\n  ")
    print(file)
    return 1 if any(skipped["has_failed"] for skipped in results["skipped"]) else 0


def measure_parts(parts: Sequence[str], file: Path, is_quick: bool) -> dict[str, Any]:
    """Measure the parts one after the other; returns what `file` holds, which is written anew behind each of them.

    A part that fails is named there, with the rows that it had measured until then.
    """
    results = {**where_and_when(), "is_quick": is_quick, "seconds": {}, "rows": [], "skipped": []}
    for name in parts:
        print(f"\n== {name}", flush=True)
        begin = time.monotonic()
        try:
            for row in importlib.import_module(name).measure(file.parent, is_quick):
                add(row, results)
        except Exception as error:  # a boundary on purpose: what else is measured counts all the same
            traceback.print_exc()
            results["skipped"].append({"part": name, "reason": f"failed: {error!r:.200}", "has_failed": True})
        results["seconds"][name] = round(time.monotonic() - begin, 1)
        file.write_text(json.dumps(results, indent=1) + "\n")  # two hours are not to be lost by the last part
        print(f"{name} took {results['seconds'][name]:.0f} s", flush=True)
    return results


def add(row: Row | Skipped, results: dict[str, Any]) -> None:
    """Print a row and put it into the results."""
    if isinstance(row, Skipped):
        results["skipped"].append({"part": row.part, "reason": row.reason, "has_failed": False})
        print(f"not measured: {row.part}, {row.reason}", flush=True)
    else:
        results["rows"].append(row.as_json())
        print(table_line(row.as_json()), flush=True)


def where_and_when() -> dict[str, str]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
    return {
        "date": date.today().isoformat(),
        "commit": (commit.stdout.strip() or "unknown") + (" with changes" if changed.returncode == 1 else ""),
        "machine": f"{machine}, Python {platform.python_version()}",
    }


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`: what the plugin costs, as ratios of paired measurements within one run (machines are noisy).

Prints each row with its spread and whether its target is met, and writes results.json; `page.py` makes a table of that.
A part is a module with `measure(folder, is_quick)`, which returns rows; PARTS lists them.
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

from measures import Row, Skipped
from page import table_line

ROOT = Path(__file__).parent.parent.parent
FULL_PARTS = ("commands", "pure", "verls_costs", "grading", "training", "growth", "profiles")
QUICK_PARTS = ("commands", "pure", "verls_costs", "grading", "training")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the main numbers, within ten minutes")
    parser.add_argument("--parts", nargs="+", choices=FULL_PARTS, metavar="PART", help=f"of {', '.join(FULL_PARTS)}")
    parser.add_argument("--output-dir", type=Path, help="(default: runs/bench; quick: runs/bench-quick)")
    options = parser.parse_args(arguments)
    folder = (options.output_dir or ROOT / "runs" / ("bench-quick" if options.quick else "bench")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    results = measure_parts(options.parts or (QUICK_PARTS if options.quick else FULL_PARTS), folder, options.quick)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    judged = [row for row in results["rows"] if row["is_met"] is not None]
    missed = [f"{row['part']}: {row['what']}" for row in judged if not row["is_met"]]
    print(f"\n{len(judged) - len(missed)} of {len(judged)} targets met; missed:", *(missed or ["none"]), sep="\n  ")
    print(f"{folder / 'results.json'}")
    return 1 if any(skipped["has_failed"] for skipped in results["skipped"]) else 0


def measure_parts(parts: Sequence[str], folder: Path, is_quick: bool) -> dict:
    """Measure the parts one after the other; returns what results.json holds. A part that fails is left out by name."""
    results = {**where_and_when(), "is_quick": is_quick, "seconds": {}, "rows": [], "skipped": []}
    for name in parts:
        print(f"\n== {name}", flush=True)
        begin = time.monotonic()
        try:
            measured = importlib.import_module(name).measure(folder, is_quick)
        except Exception as error:  # a boundary on purpose: the other parts are measured all the same
            traceback.print_exc()
            measured = []
            results["skipped"].append({"part": name, "reason": f"failed: {error!r:.200}", "has_failed": True})
        results["seconds"][name] = round(time.monotonic() - begin, 1)
        for row in measured:
            if isinstance(row, Skipped):
                results["skipped"].append({"part": row.part, "reason": row.reason, "has_failed": False})
                print(f"not measured: {row.part}, {row.reason}")
            else:
                assert isinstance(row, Row)
                results["rows"].append(row.as_json())
                print(table_line(row.as_json()), flush=True)
        print(f"{name} took {results['seconds'][name]:.0f} s", flush=True)
    return results


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

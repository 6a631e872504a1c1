"""Prints the table of runs and writes `summary.md` and `curves.png`.

python -m recipe.edge_grpo.report RUN_DIR… --output DIR
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recipe.edge_grpo.names import METRICS_FILE
from recipe.edge_grpo.report.curves import draw_curves
from recipe.edge_grpo.report.metrics_file import MetricsFileError, RunMetrics, read_metrics
from recipe.edge_grpo.report.table import table_of_runs
from recipe.edge_grpo.report.verdict import verdict_of

SUMMARY_FILE = "summary.md"
CURVES_FILE = "curves.png"


def report(run_dirs: Sequence[Path], output_dir: Path) -> list[Path]:
    """Prints the table of the runs and what limits them, writes that and curves to `output_dir`, returns the paths."""
    runs = [read_metrics(run_dir, name) for run_dir, name in zip(run_dirs, _distinct_names(run_dirs), strict=True)]
    for complaint in (complaint for run in runs for complaint in run.complaints):
        print(f"warning: {complaint}", file=sys.stderr)
    output_dir.mkdir(parents=True, exist_ok=True)
    table = "\n\n".join([table_of_runs(runs), *_verdicts(runs)])
    summary, curves = output_dir / SUMMARY_FILE, output_dir / CURVES_FILE
    summary.write_text(_summary(runs, table), encoding="utf-8")
    draw_curves(runs, curves)
    print(table)
    return [summary, curves]


def _distinct_names(run_dirs: Sequence[Path]) -> list[str]:
    """Return the folder names of the runs, or, where names repeat, the paths as they were given."""
    names = [run_dir.resolve().name for run_dir in run_dirs]
    return names if len(set(names)) == len(names) else [str(run_dir) for run_dir in run_dirs]


def _verdicts(runs: Sequence[RunMetrics]) -> list[str]:
    """Return the verdict on each run that has one, with its name where there are several."""
    verdicts = [(run.name, verdict) for run in runs if (verdict := verdict_of(run)) is not None]
    return [verdict if len(runs) == 1 else f"{name}: {verdict}" for name, verdict in verdicts]


def _summary(runs: Sequence[RunMetrics], table: str) -> str:
    described = [f"- {run.name}: steps {min(run.values_by_step)} to {max(run.values_by_step)}" for run in runs]
    return "\n".join(["# EDGE-GRPO report", "", *described, "", table, "", f"![curves]({CURVES_FILE})", ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 1 where a run cannot be reported on."""
    parser = argparse.ArgumentParser(prog="python -m recipe.edge_grpo.report", description=report.__doc__)
    parser.add_argument("run_dirs", nargs="+", type=Path, metavar="RUN_DIR", help=f"folder that holds {METRICS_FILE}")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to write; default: the first RUN_DIR")
    options = parser.parse_args(arguments)
    try:
        written = report(options.run_dirs, options.output or options.run_dirs[0])
    except MetricsFileError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\nWritten:", *(f"  {path}" for path in written), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

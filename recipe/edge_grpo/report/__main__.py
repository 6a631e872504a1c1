"""Prints the table of runs and writes `index.html`, `summary.md`, `curves.png` and `figures/`.

python -m recipe.edge_grpo.report RUN… --output DIR
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recipe.edge_grpo.names import METRICS_FILE
from recipe.edge_grpo.report.curves import draw_curves
from recipe.edge_grpo.report.metrics_file import MetricsFileError, RunMetrics, read_metrics
from recipe.edge_grpo.report.page.build import write_page
from recipe.edge_grpo.report.page.panel_table import PAGE_PANELS, quantities_with_data
from recipe.edge_grpo.report.run_folder import folder_of, read_run_folder
from recipe.edge_grpo.report.table import table_of_runs
from recipe.edge_grpo.report.verdict import verdict_of

SUMMARY_FILE = "summary.md"
CURVES_FILE = "curves.png"


def report(run_dirs: Sequence[Path], output_dir: Path) -> list[Path]:
    """Prints the table of the runs and what limits them, writes that, curves and a page to `output_dir`."""
    runs = [_read_run(run_dir, name) for run_dir, name in zip(run_dirs, _distinct_names(run_dirs), strict=True)]
    for complaint in (complaint for run in runs for complaint in run.complaints):
        print(f"warning: {complaint}", file=sys.stderr)
    output_dir.mkdir(parents=True, exist_ok=True)
    verdicts = _verdicts(runs)
    table = "\n\n".join([table_of_runs(runs), *verdicts])
    summary, curves = output_dir / SUMMARY_FILE, output_dir / CURVES_FILE
    summary.write_text(_summary(runs, table), encoding="utf-8")
    draw_curves(runs, curves)
    last_step = max(max(run.values_by_step) for run in runs)
    folders = [read_run_folder(folder_of(path), run, last_step) for path, run in zip(run_dirs, runs, strict=True)]
    page = write_page(folders, verdicts, output_dir)
    print(table)
    return [page, summary, curves]


def _read_run(path: Path, name: str) -> RunMetrics:
    """Read the metrics of a run; raises MetricsFileError where none of them is known, as in those of other programs."""
    run = read_metrics(path, name)
    if not any(quantities_with_data(panel, [run]) for panel in PAGE_PANELS):
        logged = sorted({metric for values in run.values_by_step.values() for metric in values})
        first = ", ".join(logged[:3]) or "no number"
        raise MetricsFileError(
            f"{path} has steps, but no metric of verl or of this plugin (it logs {first}): it is of another program. "
            f"Give the folder of a run, the one that holds {METRICS_FILE}."
        )
    return run


def _distinct_names(run_dirs: Sequence[Path]) -> list[str]:
    """Return the folder names of the runs, or, where names repeat, the paths as they were given."""
    names = [folder_of(run_dir).resolve().name for run_dir in run_dirs]
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
    parser.add_argument("run_dirs", nargs="+", type=Path, metavar="RUN", help=f"folder of a run, or its {METRICS_FILE}")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="where to write; default: the folder of the first RUN"
    )
    options = parser.parse_args(arguments)
    try:
        written = report(options.run_dirs, options.output or folder_of(options.run_dirs[0]))
    except MetricsFileError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\nWritten:", *(f"  {path}" for path in written), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

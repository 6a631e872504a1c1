"""Reads the `metrics.jsonl` of a run: one line `{"step": n, "data": {name: value, …}}` per call of verl's FileLogger.

A step can have several lines (training and validation are logged apart); they are merged, the later value wins.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recipe.edge_grpo.names import METRICS_FILE

_VALIDATION = "val-core/"


class MetricsFileError(Exception):
    """A metrics file that cannot be reported on; the message names the file and what to do."""


@dataclass(frozen=True)
class RunMetrics:
    """The metrics of one run, and the complaints about lines of its file that could not be used."""

    name: str
    """What the run is called in tables and figures."""

    values_by_step: dict[int, dict[str, float]]
    """The finite numbers of each step, in order of steps."""

    complaints: list[str] = field(default_factory=list)
    """One sentence for each line that was skipped, with its line number."""

    def series(self, metric: str) -> tuple[list[int], list[float]]:
        """Return the steps at which `metric` was logged, and its values there."""
        steps = [step for step, values in self.values_by_step.items() if metric in values]
        return steps, [self.values_by_step[step][metric] for step in steps]

    def metrics_below(self, prefix: str) -> list[str]:
        """Return the names of all metrics that start with `prefix`, sorted."""
        return sorted({name for values in self.values_by_step.values() for name in values if name.startswith(prefix)})


def validation_metrics(runs: Sequence[RunMetrics]) -> dict[str, str]:
    """Return what the validation metrics of the runs are called, by metric, sorted."""
    metrics = sorted({metric for run in runs for metric in run.metrics_below(_VALIDATION)})
    return {metric: f"validation, {metric.removeprefix(_VALIDATION)}" for metric in metrics}


def read_metrics(run_dir: Path, name: str | None = None) -> RunMetrics:
    """Read `run_dir/metrics.jsonl`, or that file itself; raises MetricsFileError when it is missing or holds no step.

    Where the run was resumed, `metrics.1.jsonl`, `metrics.2.jsonl`, … hold what its earlier starts logged: of
    those, the steps up to the one at which the next start took over are read as well.
    """
    path = run_dir if run_dir.is_file() else run_dir / METRICS_FILE
    run_dir = path.parent
    values_by_step, complaints = _read_file(path)
    if not values_by_step:
        found = complaints[0] if complaints else "The file is empty."
        more = f" So are {len(complaints) - 1} more." if len(complaints) > 1 else ""
        raise MetricsFileError(f"{path} holds no step of a run, so there is nothing to report. {found}{more}")
    for path in _files_of_earlier_starts(run_dir):
        first_step = min(values_by_step)
        # A start from the beginning is another run, whatever an earlier one has left in the folder.
        if first_step <= 1:
            break
        earlier, earlier_complaints = _read_file(path)
        for step, values in earlier.items():
            if step <= first_step:
                values_by_step[step] = values | values_by_step.get(step, {})
        complaints = earlier_complaints + complaints
    return RunMetrics(name or run_dir.resolve().name, dict(sorted(values_by_step.items())), complaints)


def _files_of_earlier_starts(run_dir: Path) -> list[Path]:
    """Return the files that earlier starts left, the latest first."""
    stem, suffix = METRICS_FILE.split(".")
    numbers = [path.name.split(".")[1] for path in run_dir.glob(f"{stem}.*.{suffix}")]
    return [run_dir / f"{stem}.{n}.{suffix}" for n in sorted((int(n) for n in numbers if n.isdecimal()), reverse=True)]


def _read_file(path: Path) -> tuple[dict[int, dict[str, float]], list[str]]:
    """Return the values by step of one file, and a complaint for each line that could not be used."""
    try:
        # A run that was killed can leave half a character at the end as well as half a line.
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise MetricsFileError(
            f"{path} cannot be read ({error.strerror}). Give the folder of a run, the one that holds {METRICS_FILE}."
        ) from error
    values_by_step: dict[int, dict[str, float]] = {}
    complaints = []
    for line_number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            step, values = _parse_line(line)
        except ValueError as error:
            complaints.append(f"{path}, line {line_number} of {len(lines)}: {error}; the line is skipped.")
            continue
        values_by_step.setdefault(step, {}).update(values)
    return values_by_step, complaints


def _parse_line(line: str) -> tuple[int, dict[str, float]]:
    """Return the step and the finite numbers of one line; ValueError says what is wrong with it."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError("not a complete JSON object") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("data"), dict):
        raise ValueError('not of the form {"step": …, "data": {…}}')
    step = entry.get("step")
    if isinstance(step, bool) or not isinstance(step, int):
        raise ValueError(f'"step" is {step!r}, not a whole number')
    return step, {name: float(value) for name, value in entry["data"].items() if _is_finite_number(value)}


def _is_finite_number(value: object) -> bool:
    # verl logs NaN as null; texts and flags can be logged too, and none of them can be drawn.
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

"""Writes the first, last and mean value of every quantity of a run as a Markdown table."""

from collections.abc import Callable, Sequence
from statistics import fmean

from data_prep.writing.markdown import MISSING, aligned_table
from recipe.edge_grpo.correction.sessions import LossCause
from recipe.edge_grpo.report.metrics_file import RunMetrics, validation_metrics


def _decimal(value: float) -> str:
    return f"{value:.3f}"


def _count(value: float) -> str:
    # Whole in one run, but a count averaged over workers keeps its fraction.
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def _seconds(value: float) -> str:
    return f"{value:.1f}"


QuantityRow = tuple[str, str, Callable[[float], str]]
"""What a row is called, its metric, and how a value is written."""

ROWS: tuple[QuantityRow, ...] = (
    ("accuracy, first pass", "edge_grpo/accuracy/first_pass", _decimal),
    ("accuracy, after correction", "edge_grpo/accuracy/after_gec", _decimal),
    ("groups without variance, before correction", "edge_grpo/groups/zero_variance_before_gec", _decimal),
    ("groups without variance, after correction", "edge_grpo/groups/zero_variance_after_gec", _decimal),
    ("advantage variance, before EDA", "edge_grpo/advantage_variance/before_eda", _decimal),
    ("advantage variance, after EDA", "edge_grpo/advantage_variance/after_eda", _decimal),
    ("entropy, all responses", "edge_grpo/entropy/mean", _decimal),
    ("entropy, correct responses", "edge_grpo/entropy/correct", _decimal),
    ("entropy, wrong responses", "edge_grpo/entropy/wrong", _decimal),
    ("corrected by reflection", "edge_grpo/gec/reflection", _count),
    ("corrected by answer", "edge_grpo/gec/answer", _count),
    ("corrected by solution", "edge_grpo/gec/solution", _count),
    ("success rate of reflection", "edge_grpo/gec/reflection_success_rate", _decimal),
    ("success rate of answer", "edge_grpo/gec/answer_success_rate", _decimal),
    ("success rate of solution", "edge_grpo/gec/solution_success_rate", _decimal),
)

LOSS_ROWS: tuple[QuantityRow, ...] = tuple(
    (f"responses lost, {cause}", f"edge_grpo/sessions_lost_{cause}", _count) for cause in LossCause
)
HINT_ROWS: tuple[QuantityRow, ...] = (
    ("sampled again under a hint", "edge_grpo/gec/hint", _count),
    ("success rate of hint", "edge_grpo/gec/hint_success_rate", _decimal),
    ("groups that no hint helped", "edge_grpo/gec/hint_without_success", _count),
)
RARE_ROWS = (*HINT_ROWS, *LOSS_ROWS)
"""Rows that are there only if there is something to count: hints, lost responses."""


def table_of_runs(runs: Sequence[RunMetrics]) -> str:
    """Return the rows of `rows_of_runs` as a Markdown table."""
    return aligned_table(rows_of_runs(runs), num_left=1)


def rows_of_runs(runs: Sequence[RunMetrics]) -> list[list[str]]:
    """Return a header and a row for each quantity: for each run its first and last value and the mean over its steps.

    One step is one small batch, so the mean says more than the ends do.

    Metrics of validation are rows of their own, as many as the runs logged. Rows that no run can fill are left out,
    and those of hints and of lost responses where there were none.
    """
    header = ["quantity"]
    for run in runs:
        prefix = f"{run.name}: " if len(runs) > 1 else ""
        header += [prefix + column for column in ("first", "last", "mean")]
    rows = [_cells(row, runs) for row in _all_rows(runs)]
    return [header, *(cells for cells in rows if set(cells[1:]) != {MISSING})]


def _all_rows(runs: Sequence[RunMetrics]) -> list[QuantityRow]:
    return [
        *ROWS,
        *((label, metric, _decimal) for metric, label in validation_metrics(runs).items()),
        *(row for row in RARE_ROWS if any(any(run.series(row[1])[1]) for run in runs)),
        ("seconds per step", "timing_s/step", _seconds),
    ]


def _cells(row: QuantityRow, runs: Sequence[RunMetrics]) -> list[str]:
    label, metric, text_of = row
    cells = [label]
    for run in runs:
        _, values = run.series(metric)
        cells += [text_of(value) for value in (values[0], values[-1], fmean(values))] if values else [MISSING] * 3
    return cells

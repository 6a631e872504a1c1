"""Lists what each of the six panels of the figure shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recipe.edge_grpo.report.metrics_file import RunMetrics, validation_metrics


@dataclass(frozen=True)
class Line:
    """One quantity of a panel."""

    label: str
    metric: str

    colour: int
    """Number of its colour where there is one run; with several runs the colour says which run."""

    style: int
    """Number of its line style."""

    is_only_for_one_run: bool = False
    """Left out where several runs share the panel and it would be too full to read."""


@dataclass(frozen=True)
class Panel:
    """One panel: its title, the unit of its vertical axis and its quantities."""

    title: str
    unit: str
    lines: tuple[Line, ...]

    is_stack: bool = False
    """The quantities are parts of a whole: one run shows them on top of each other."""


def panels_of(runs: Sequence[RunMetrics]) -> tuple[Panel, ...]:
    """Return the panels in reading order; the first has a line for each validation metric of the runs."""
    accuracy = Panel("Accuracy", "share of responses", (*_ACCURACY, *_validation_lines(runs)))
    return accuracy, _ZERO_VARIANCE, _ADVANTAGE_VARIANCE, _ENTROPY, _corrections(runs), _TIME


def _corrections(runs: Sequence[RunMetrics]) -> Panel:
    """Return the panel of corrections, with hints where there were any."""
    has_hints = any(any(run.series(_HINTS.metric)[1]) for run in runs)
    return replace(_CORRECTIONS, lines=(*_CORRECTIONS.lines, _HINTS)) if has_hints else _CORRECTIONS


def _validation_lines(runs: Sequence[RunMetrics]) -> tuple[Line, ...]:
    named = enumerate(validation_metrics(runs).items(), start=len(_ACCURACY))
    return tuple(Line(label, metric, number, number) for number, (metric, label) in named)


_ACCURACY = (
    Line("first pass", "edge_grpo/accuracy/first_pass", 0, 0),
    Line("after correction", "edge_grpo/accuracy/after_gec", 1, 1),
)

# Colour: which groups. Style: solid before correction, dashed after it.
_ZERO_VARIANCE = Panel(
    "Groups without variance",
    "share of groups",
    (
        Line("equal rewards, before", "edge_grpo/groups/zero_variance_before_gec", 0, 0),
        Line("equal rewards, after", "edge_grpo/groups/zero_variance_after_gec", 0, 1),
        Line("all wrong, before", "edge_grpo/groups/all_wrong_before_gec", 1, 0, is_only_for_one_run=True),
        Line("all wrong, after", "edge_grpo/groups/all_wrong_after_gec", 1, 1, is_only_for_one_run=True),
        Line("all correct, before", "edge_grpo/groups/all_correct_before_gec", 2, 0, is_only_for_one_run=True),
        Line("all correct, after", "edge_grpo/groups/all_correct_after_gec", 2, 1, is_only_for_one_run=True),
    ),
)

_ADVANTAGE_VARIANCE = Panel(
    "Advantage variance within groups",
    "variance",
    (
        Line("before EDA", "edge_grpo/advantage_variance/before_eda", 0, 0),
        Line("after EDA", "edge_grpo/advantage_variance/after_eda", 1, 1),
    ),
)

_ENTROPY = Panel(
    "Response entropy",
    "nats per token",
    (
        Line("all responses", "edge_grpo/entropy/mean", 0, 0),
        Line("correct", "edge_grpo/entropy/correct", 2, 1),
        Line("wrong", "edge_grpo/entropy/wrong", 1, 2),
    ),
)

_CORRECTIONS = Panel(
    "Corrections by strategy",
    "responses",
    (
        Line("reflection", "edge_grpo/gec/reflection", 0, 0),
        Line("answer", "edge_grpo/gec/answer", 1, 1),
        Line("solution", "edge_grpo/gec/solution", 2, 2),
    ),
    is_stack=True,
)

_HINTS = Line("hint", "edge_grpo/gec/hint", 3, 3)

_TIME = Panel("Time", "seconds per step", (Line("one step", "timing_s/step", 0, 0),))

"""Draws the quantities of runs over their steps as one figure; `panels` says what each panel shows.

One run: colour and style tell the quantities apart. Several runs: the colour says which run, the style which quantity.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import LineStyleType

from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.panels import Line, Panel, panels_of

# Okabe and Ito's palette without its yellow: told apart by colour-blind readers, and dark enough on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
LINE_STYLES: tuple[LineStyleType, ...] = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
# With few points a line alone hides where they are; with many the marks would cover it.
MOST_POINTS_WITH_MARKS = 30

Legend = dict[str, Artist]


def draw_curves(runs: Sequence[RunMetrics], path: Path) -> None:
    """Write the figure of `runs` to `path` as PNG; a panel whose metrics no run has says so."""
    figure = Figure(figsize=(15, 9.5), layout="constrained")
    for axes, panel in zip(figure.subplots(2, 3).flat, panels_of(runs), strict=True):
        is_stack = panel.is_stack and len(runs) == 1
        legend = _draw_stack(axes, panel.lines, runs[0]) if is_stack else _draw_lines(axes, panel.lines, runs)
        _finish(axes, panel, legend)
    figure.suptitle(f"EDGE-GRPO: {runs[0].name}" if len(runs) == 1 else "EDGE-GRPO", fontsize="x-large")
    if len(runs) > 1:
        handles = [Line2D([], [], color=_colour(number), linewidth=4) for number in range(len(runs))]
        figure.legend(handles, [run.name for run in runs], loc="outside lower center", ncols=min(len(runs), 4))
    figure.savefig(path, dpi=110, format="png")


def _draw_lines(axes: Axes, lines: Sequence[Line], runs: Sequence[RunMetrics]) -> Legend:
    legend: Legend = {}
    for run_number, run in enumerate(runs):
        for line in lines:
            steps, values = run.series(line.metric)
            if not steps or (line.is_only_for_one_run and len(runs) > 1):
                continue
            colour = _colour(line.colour if len(runs) == 1 else run_number)
            style = LINE_STYLES[line.style % len(LINE_STYLES)]
            marker = "o" if len(steps) <= MOST_POINTS_WITH_MARKS else None
            axes.plot(steps, values, color=colour, linestyle=style, marker=marker, markersize=3)
            legend[line.label] = Line2D([], [], color=colour if len(runs) == 1 else "black", linestyle=style)
    return legend


def _draw_stack(axes: Axes, lines: Sequence[Line], run: RunMetrics) -> Legend:
    logged = [line for line in lines if run.series(line.metric)[0]]
    steps = sorted({step for line in logged for step in run.series(line.metric)[0]})
    bottom = [0.0] * len(steps)
    legend: Legend = {}
    for line in logged:
        heights = [run.values_by_step[step].get(line.metric, 0.0) for step in steps]
        # Bars of full width: thinner ones leave a pattern of gaps when there are hundreds of steps.
        legend[line.label] = axes.bar(steps, heights, bottom=bottom, width=1.0, color=_colour(line.colour))[0]
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    return legend


def _finish(axes: Axes, panel: Panel, legend: Legend) -> None:
    axes.set(title=panel.title, xlabel="step", ylabel=panel.unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    if not legend:
        axes.set(xticks=[], yticks=[])
        text = "no run has logged this"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="grey")
        return
    axes.set_ylim(bottom=0)
    if len(panel.lines) == 1:
        return
    # Below the panel, where it covers no line; two columns leave room for the long names of validation metrics.
    num_columns = 3 if max(map(len, legend)) < 24 else 2
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "columnspacing": 1.2}
    axes.legend(legend.values(), legend.keys(), ncols=num_columns, frameon=False, fontsize=9, **place)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]

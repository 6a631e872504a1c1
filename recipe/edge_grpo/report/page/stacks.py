"""Draws parts of a whole on top of each other: over the steps for one bundle, else as a bar of means for each."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.axes import Axes

from recipe.edge_grpo.report.page.bundles import Bundle, colour_of, thin
from recipe.edge_grpo.report.page.figure import FIGURE_SIZE, Drawn, finish, new_figure
from recipe.edge_grpo.report.page.panel_table import PagePanel, Quantity

MAX_STACKED_BARS = 600


def draw_stack(panel: PagePanel, quantities: Sequence[Quantity], bundles: Sequence[Bundle], png_folder: Path) -> Drawn:
    """Return the figure of a panel whose quantities are parts of a whole."""
    colours = [colour_of(number, len(quantities)) for number in range(len(quantities))]
    if len(bundles) == 1:
        figure, axes = new_figure(panel.unit)
        _stack_over_steps(axes, quantities, bundles[0], colours)
    else:
        height = max(FIGURE_SIZE[1], 0.9 + 0.24 * len(bundles))
        figure, axes = new_figure("", (FIGURE_SIZE[0], height))
        _stack_of_means(axes, quantities, bundles, colours)
        axes.set(xlabel=f"{panel.unit}, mean over the steps")
    legend = list(zip([quantity.label for quantity in quantities], colours, strict=True))
    return finish(figure, "", panel.key, png_folder, legend)


def _stack_over_steps(axes: Axes, quantities: Sequence[Quantity], bundle: Bundle, colours: Sequence[str]) -> None:
    all_steps = sorted({step for quantity in quantities for step in bundle.values_at(quantity.metric)})
    base = [0.0] * len(all_steps)
    for quantity, colour in zip(quantities, colours, strict=True):
        values = bundle.values_at(quantity.metric)
        steps, parts = thin((all_steps, [fmean(values.get(step, (0.0,))) for step in all_steps]), MAX_STACKED_BARS)
        # Bars of full width: thinner ones leave a pattern of gaps when there are hundreds of steps.
        width = (steps[-1] - steps[0]) / (len(steps) - 1) if len(steps) > 1 else 1.0
        axes.bar(steps, parts, bottom=base[: len(steps)], width=width, color=colour, linewidth=0)
        base = [low + part for low, part in zip(base, parts, strict=False)]


def _stack_of_means(
    axes: Axes, quantities: Sequence[Quantity], bundles: Sequence[Bundle], colours: Sequence[str]
) -> None:
    places = range(len(bundles))
    base = [0.0] * len(bundles)
    for quantity, colour in zip(quantities, colours, strict=True):
        parts = [mean_per_step(bundle, quantity.metric, quantities) for bundle in bundles]
        axes.barh(places, parts, left=base, color=colour, height=0.75)
        base = [low + part for low, part in zip(base, parts, strict=True)]
    axes.set(yticks=places, ylim=(-0.6, len(bundles) - 0.4))
    axes.set_yticklabels([_short(bundle.name) for bundle in bundles], fontsize=8)
    axes.yaxis.set_inverted(True)


def mean_per_step(bundle: Bundle, metric: str, parts: Sequence[Quantity]) -> float:
    """Return the mean of a part of a whole over all steps that have any part: where it is absent, it is 0.

    >>> from recipe.edge_grpo.report.metrics_file import RunMetrics
    >>> run = RunMetrics("run", {1: {"gen": 3.0}, 2: {"gen": 5.0, "testing": 8.0}})
    >>> mean_per_step(Bundle("run", [run]), "testing", [Quantity("", "gen"), Quantity("", "testing")])  # 8 / 2
    4.0
    """
    metrics = {part.metric for part in parts}
    num_steps = sum(1 for run in bundle.runs for values in run.values_by_step.values() if metrics & values.keys())
    total = sum(value for run in bundle.runs for value in run.series(metric)[1])
    return total / num_steps if num_steps else 0.0


def _short(name: str) -> str:
    return name if len(name) <= 26 else f"…{name[-25:]}"

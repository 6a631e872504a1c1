"""Draws the panels of metrics, each as SVG for the page and as PNG beside it.

One bundle of runs: a panel is one figure, and the colour says which quantity. Several: each quantity is a figure of its
own, in which the colour says which bundle; the legend of the page is theirs.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import LineStyleType

from recipe.edge_grpo.report.curves import MOST_POINTS_WITH_MARKS
from recipe.edge_grpo.report.page.bundles import Bundle, colour_of, mean_and_band, smooth, thin
from recipe.edge_grpo.report.page.panel_table import PagePanel, Quantity

FIGURE_SIZE = (5.0, 3.1)
MAX_POINTS_OF_A_FIGURE = 4800
MIN_POINTS_OF_A_CURVE = 60
MOST_BUNDLES_WITH_DETAILS = 6
"""With more, a figure shows their smoothed means alone."""

DASHES: tuple[LineStyleType, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
MARKS = "osD^vP"

# Text stays text: it is smaller, and found by the search of a browser. A name with a dollar sign is no formula.
STYLE: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "report", "text.parse_math": False, "font.size": 10,
    "font.family": "sans-serif", "axes.spines.top": False, "axes.spines.right": False,
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """One figure of the page."""

    title: str
    svg: str
    legend: Sequence[tuple[str, str]] = ()
    """(name, colour) of what the colours stand for, where it is not the runs."""


def draw_panel(
    panel: PagePanel, quantities: Sequence[Quantity], bundles: Sequence[Bundle], png_folder: Path
) -> list[Drawn]:
    """Return the figures of a panel, and write them as `png_folder/KEY….png`."""
    if panel.is_stack:
        return [_draw_stack(panel, quantities, bundles, png_folder)]
    if len(bundles) > 1:
        highest = _highest_share(panel, quantities, bundles)
        return [
            _draw_bundles(panel.unit, quantity, bundles, highest, png_folder / f"{panel.key}-{number}.png")
            for number, quantity in enumerate(quantities)
        ]
    colours = [colour_of(number, len(quantities)) for number in range(len(quantities))]
    figure, axes = new_figure(panel.unit)
    for number, (quantity, colour) in enumerate(zip(quantities, colours, strict=True)):
        _draw_curve(axes, bundles[0], quantity.metric, number, len(quantities), colour)
    names = [quantity.label for quantity in quantities]
    return [finish(figure, "", panel.key, png_folder, list(zip(names, colours, strict=True)))]


def _highest_share(panel: PagePanel, quantities: Sequence[Quantity], bundles: Sequence[Bundle]) -> float | None:
    """Return where the figures of a panel of shares end, so that they compare; None for other units."""
    if not panel.unit.startswith("share of"):
        return None
    values = [
        value
        for quantity in quantities
        for bundle in bundles
        for run in bundle.runs
        for value in run.series(quantity.metric)[1]
    ]
    return max(values, default=0.0) or 1.0


def _draw_bundles(unit: str, quantity: Quantity, bundles: Sequence[Bundle], highest: float | None, png: Path) -> Drawn:
    figure, axes = new_figure(unit)
    for place, bundle in enumerate(bundles):
        if bundle.has(quantity.metric):
            _draw_curve(axes, bundle, quantity.metric, place, len(bundles), colour_of(place, len(bundles)))
    if highest is not None:
        axes.set_ylim(-0.04 * highest, 1.06 * highest)
    return finish(figure, quantity.label, png.stem, png.parent)


def _draw_curve(axes: Axes, bundle: Bundle, metric: str, number: int, num_curves: int, colour: str) -> None:
    """Draw one curve: its values faintly, the smoothed line, its mean over the steps, and the band of several seeds."""
    values_at = bundle.values_at(metric)
    all_steps, bounds = list(values_at), mean_and_band(values_at)
    has_details = num_curves <= MOST_BUNDLES_WITH_DETAILS
    max_points = max(MIN_POINTS_OF_A_CURVE, MAX_POINTS_OF_A_FIGURE // num_curves // (4 if has_details else 1))
    steps, smoothed = thin((all_steps, smooth(bounds[0])), max_points)
    mean, low, high = (thin((all_steps, values), max_points)[1] for values in bounds)
    # The first is the widest: where curves coincide, it shows on both sides of those that lie upon it.
    width = 1.6 + 0.9 * max(0, 3 - number) if has_details else 1.3
    axes.plot(
        steps,
        smoothed,
        color=colour,
        linewidth=width,
        linestyle=DASHES[number % len(DASHES)],
        marker=MARKS[number % len(MARKS)] if has_details and len(steps) <= MOST_POINTS_WITH_MARKS else None,
        markersize=4,
        markevery=(number % 3, 3),
        gid=f"run{number}-line",
    )
    if not has_details:
        return
    axes.plot(steps, mean, color=colour, linewidth=0.8, alpha=0.45, gid=f"run{number}-values")
    axes.axhline(fmean(mean), color=colour, linewidth=0.8, linestyle=":", alpha=0.8, gid=f"run{number}-mean")
    if len(bundle.runs) > 1:
        axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0, gid=f"run{number}-band")


def _draw_stack(panel: PagePanel, quantities: Sequence[Quantity], bundles: Sequence[Bundle], png_folder: Path) -> Drawn:
    """Draw the parts on top of each other: over the steps for one bundle, else as a bar of means for each."""
    colours = [colour_of(number, len(quantities)) for number in range(len(quantities))]
    is_single = len(bundles) == 1
    steps = sorted({step for quantity in quantities for step in bundles[0].values_at(quantity.metric)})
    size = FIGURE_SIZE if is_single else (FIGURE_SIZE[0], max(FIGURE_SIZE[1], 0.9 + 0.24 * len(bundles)))
    figure, axes = new_figure(panel.unit if is_single else "", size)
    base = [0.0] * (len(steps) if is_single else len(bundles))
    for quantity, colour in zip(quantities, colours, strict=True):
        if is_single:
            values = bundles[0].values_at(quantity.metric)
            thinned = thin((steps, [fmean(values.get(step, (0.0,))) for step in steps]), MAX_POINTS_OF_A_FIGURE // 8)
            parts, base = thinned[1], base[: len(thinned[0])]
            width = (steps[-1] - steps[0]) / max(1, len(thinned[0]) - 1) if len(steps) > 1 else 1.0
            axes.bar(thinned[0], parts, bottom=base, width=width, color=colour, linewidth=0)
        else:
            parts = [mean_per_step(bundle, quantity.metric, quantities) for bundle in bundles]
            axes.barh(range(len(bundles)), parts, left=base, color=colour, height=0.75)
        base = [low + part for low, part in zip(base, parts, strict=True)]
    if not is_single:
        axes.set(
            xlabel=f"{panel.unit}, mean over the steps", yticks=range(len(bundles)), ylim=(-0.6, len(bundles) - 0.4)
        )
        axes.set_yticklabels([_short(bundle.name) for bundle in bundles], fontsize=8)
        axes.yaxis.set_inverted(True)
    legend = list(zip([quantity.label for quantity in quantities], colours, strict=True))
    return finish(figure, "", panel.key, png_folder, legend)


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


def new_figure(unit: str, size: tuple[float, float] = FIGURE_SIZE) -> tuple[Figure, Axes]:
    """Return an empty figure over the steps, in the style of the page."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        axes.set(xlabel="step", ylabel=unit)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.grid(alpha=0.25)
        axes.set_axisbelow(True)
    return figure, axes


def finish(figure: Figure, title: str, key: str, png_folder: Path, legend: Sequence[tuple[str, str]] = ()) -> Drawn:
    """Write the figure as `KEY.png` and return it as SVG."""
    written = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(png_folder / f"{key}.png", dpi=90, format="png")
        figure.set_layout_engine("none")  # what it laid out for the PNG holds for the SVG
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return Drawn(title, inline_svg(written.getvalue(), key), legend)


def inline_svg(document: str, key: str) -> str:
    """Return the element of an SVG document, scalable, with names that no other figure of the page has.

    >>> inline_svg('<?xml version="1.0"?><svg width="9pt" height="8pt" viewBox="0 0 9 8"><g id="a"/></svg>', "k")
    '<svg viewBox="0 0 9 8"><g id="k.a"/></svg>'
    """
    element = document[document.index("<svg") :].strip()
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    opening, closing, rest = element.partition(">")
    opening = re.sub(r' (width|height)="[^"]*"', "", opening)
    rest = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{key}.", rest)
    return opening + closing + re.sub(r">\s+<", "><", rest)


def legend_of(bundles: Sequence[Bundle]) -> Iterator[tuple[str, str]]:
    """Yield name and colour of each bundle, where there are several."""
    if len(bundles) > 1:
        yield from ((bundle.name, colour_of(number, len(bundles))) for number, bundle in enumerate(bundles))

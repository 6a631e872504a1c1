"""Draws the panels of metrics, each as SVG for the page and as PNG beside it.

One bundle of runs: a panel is one figure, and the colour says which quantity. Several: each quantity is a figure of its
own, in which the colour says which bundle; the legend of the page is theirs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.typing import LineStyleType

from recipe.edge_grpo.report.curves import MOST_POINTS_WITH_MARKS
from recipe.edge_grpo.report.page.bundles import Bundle, colour_of, mean_and_band, smooth, thin
from recipe.edge_grpo.report.page.figure import Drawn, finish, new_figure
from recipe.edge_grpo.report.page.panel_table import PagePanel, Quantity
from recipe.edge_grpo.report.page.stacks import draw_stack

MAX_POINTS_OF_A_FIGURE = 4800
MIN_POINTS_OF_A_CURVE = 60
MOST_BUNDLES_WITH_DETAILS = 6
"""With more, a figure shows their smoothed means alone."""

DASHES: tuple[LineStyleType, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
MARKS = "osD^vP"


def draw_panel(
    panel: PagePanel, quantities: Sequence[Quantity], bundles: Sequence[Bundle], png_folder: Path
) -> list[Drawn]:
    """Return the figures of a panel, and write them as `png_folder/KEY….png`."""
    if panel.is_stack:
        return [draw_stack(panel, quantities, bundles, png_folder)]
    if len(bundles) > 1:
        bounds = _common_bounds(panel, quantities, bundles)
        return [
            _draw_bundles(panel.unit, quantity, bundles, bounds, png_folder / f"{panel.key}-{number}.png")
            for number, quantity in enumerate(quantities)
        ]
    colours = [colour_of(number, len(quantities)) for number in range(len(quantities))]
    figure, axes = new_figure(panel.unit)
    for number, (quantity, colour) in enumerate(zip(quantities, colours, strict=True)):
        _draw_curve(axes, bundles[0], quantity.metric, number, len(quantities), colour)
    names = [quantity.label for quantity in quantities]
    return [finish(figure, "", panel.key, png_folder, list(zip(names, colours, strict=True)))]


def _common_bounds(
    panel: PagePanel, quantities: Sequence[Quantity], bundles: Sequence[Bundle]
) -> tuple[float, float] | None:
    """Return where the figures of a panel of shares begin and end, so that they compare; None for other units."""
    if not panel.unit.startswith("share of"):
        return None
    values = [
        value
        for quantity in quantities
        for bundle in bundles
        for run in bundle.runs
        for value in run.series(quantity.metric)[1]
    ]
    margin = 0.05 * (max(values) - min(values)) or 0.05
    return min(values) - margin, max(values) + margin


def _draw_bundles(
    unit: str, quantity: Quantity, bundles: Sequence[Bundle], bounds: tuple[float, float] | None, png: Path
) -> Drawn:
    figure, axes = new_figure(unit)
    for place, bundle in enumerate(bundles):
        if bundle.has(quantity.metric):
            _draw_curve(axes, bundle, quantity.metric, place, len(bundles), colour_of(place, len(bundles)))
    if bounds is not None:
        axes.set_ylim(*bounds)
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


def legend_of(bundles: Sequence[Bundle]) -> Iterator[tuple[str, str]]:
    """Yield name and colour of each bundle, where there are several."""
    if len(bundles) > 1:
        yield from ((bundle.name, colour_of(number, len(bundles))) for number, bundle in enumerate(bundles))

"""Puts the seeds of one recipe into a bundle, which is drawn as a mean and a band; smoothing; colours. Pure."""

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from recipe.edge_grpo.report.curves import COLOURS
from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.run_folder import recipe_and_seed

SMOOTHED_SHARE = 10
"""The smoothed line is a moving mean over one tenth of the steps."""

GOLDEN_ANGLE = 0.381966
"""The share of the circle of hues from one colour to the next, by which neighbours differ however many there are."""

Curve = tuple[list[int], list[float]]
"""Steps and values."""


@dataclass(frozen=True)
class Bundle:
    """Runs that differ in their seed alone; often one."""

    name: str
    runs: Sequence[RunMetrics]

    def has(self, metric: str) -> bool:
        """Return True if a run of the bundle has logged the metric."""
        return any(run.series(metric)[0] for run in self.runs)

    def values_at(self, metric: str) -> dict[int, list[float]]:
        """Return {step: the value of each run that has one}, in order of steps."""
        found: dict[int, list[float]] = {}
        for run in self.runs:
            for step, value in zip(*run.series(metric), strict=True):
                found.setdefault(step, []).append(value)
        return dict(sorted(found.items()))


def bundles_of(runs: Sequence[RunMetrics]) -> list[Bundle]:
    """Return the runs by the part of their names before the seed, in the order in which they come.

    >>> runs = [RunMetrics(name, {}) for name in ("grpo-seed-0", "edge_grpo", "grpo-seed-1")]
    >>> [(bundle.name, len(bundle.runs)) for bundle in bundles_of(runs)]
    [('grpo, 2 seeds', 2), ('edge_grpo', 1)]
    """
    by_recipe: dict[str, list[RunMetrics]] = {}
    for run in runs:
        by_recipe.setdefault(recipe_and_seed(run.name)[0], []).append(run)
    return [
        Bundle(f"{recipe}, {len(members)} seeds", members) if len(members) > 1 else Bundle(members[0].name, members)
        for recipe, members in by_recipe.items()
    ]


def mean_and_band(values_at: Mapping[int, Sequence[float]]) -> tuple[list[float], list[float], list[float]]:
    """Return mean, lowest and highest value at each step, over the runs that have one there.

    >>> mean_and_band({1: [0.0, 1.0], 2: [4.0]})
    ([0.5, 4.0], [0.0, 4.0], [1.0, 4.0])
    """
    values = list(values_at.values())
    return [fmean(v) for v in values], [min(v) for v in values], [max(v) for v in values]


def smooth(values: Sequence[float]) -> list[float]:
    """Return the moving mean over a tenth of the values, centred; the window is shorter at both ends.

    Fewer than 20 values, such as those of validation, stay as they are.

    >>> smooth([0.0] * 10 + [3.0] + [0.0] * 10)[8:13]  # 21 values: one on each side, a window of three
    [0.0, 1.0, 1.0, 1.0, 0.0]
    """
    half = len(values) // SMOOTHED_SHARE // 2
    return [fmean(values[max(0, place - half) : place + half + 1]) for place in range(len(values))]


def thin(curve: Curve, max_points: int) -> Curve:
    """Return at most so many points: the means over windows of equally many.

    >>> thin(([1, 2, 3, 4], [0.0, 2.0, 4.0, 6.0]), max_points=2)
    ([1, 3], [1.0, 5.0])
    """
    steps, values = curve
    width = -(-len(steps) // max_points)
    if width <= 1:
        return curve
    starts = range(0, len(steps), width)
    return [steps[start] for start in starts], [fmean(values[start : start + width]) for start in starts]


def colour_of(number: int, num_colours: int) -> str:
    """Return the colour of one of so many lines: a palette for colour-blind readers while it lasts, then hues.

    >>> colour_of(0, 3), len({colour_of(number, 50) for number in range(50)})
    ('#0072B2', 50)
    """
    if num_colours <= len(COLOURS):
        return COLOURS[number]
    # Three levels of lightness, so that neighbouring hues differ in that as well.
    lightness, saturation = (0.32, 0.45, 0.6)[number % 3], (0.85, 0.65)[number % 2]
    channels = colorsys.hls_to_rgb(number * GOLDEN_ANGLE % 1, lightness, saturation)
    return "#" + "".join(f"{round(channel * 255):02X}" for channel in channels)

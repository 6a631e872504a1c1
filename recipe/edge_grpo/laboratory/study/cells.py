"""The cells of the tables of a study: means, and their intervals. Pure."""

from collections.abc import Sequence
from statistics import fmean

from recipe.edge_grpo.intervals import cut_interval, mean_interval
from recipe.edge_grpo.laboratory.study.claims import Number, RunsOfSeed, numbers_of


def cell(seeds: Sequence[RunsOfSeed], number: Number, highest: float | None = 1.0) -> str:
    """Return the mean over the seeds that have the number, and its interval from 0 to `highest`; None: without it."""
    numbers = numbers_of(seeds, number)
    if highest is None or len(numbers) < 2:
        return middle(numbers)
    return with_interval(numbers, cut_interval(mean_interval(numbers), highest))


def with_interval(numbers: Sequence[float], interval: tuple[float, float] | None) -> str:
    return middle(numbers) + ("" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]")


def middle(numbers: Sequence[float]) -> str:
    return f"{fmean(numbers):.3f}" if numbers else "–"

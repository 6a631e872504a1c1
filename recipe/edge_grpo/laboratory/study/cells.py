"""The cells of the tables of a study: means, and their intervals. Pure."""

from collections.abc import Sequence
from statistics import fmean

from recipe.edge_grpo.intervals import mean_interval
from recipe.edge_grpo.laboratory.study.claims import Number, RunsOfSeed, numbers_of


def cell(seeds: Sequence[RunsOfSeed], number: Number, is_share: bool = True) -> str:
    """Return the mean over the seeds that have the number; of a share its interval too, as far as shares go."""
    numbers = numbers_of(seeds, number)
    if not is_share or len(numbers) < 2:
        return middle(numbers)
    low, high = mean_interval(numbers)
    return with_interval(numbers, (max(0.0, low), min(1.0, high)))


def with_interval(numbers: Sequence[float], interval: tuple[float, float] | None) -> str:
    return middle(numbers) + ("" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]")


def middle(numbers: Sequence[float]) -> str:
    return f"{fmean(numbers):.3f}" if numbers else "–"

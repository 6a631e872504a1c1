"""What a part of the bench returns: ratios of repeated pairs, with their spread and their target."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    part: str
    what: str
    """What is divided by what, or what is counted."""
    values: Sequence[float]
    """Of each repetition: both sides were measured in one run, one behind the other."""
    at_most: float | None = None
    at_least: float | None = None
    """The target, on the median; None for none."""
    detail: str = ""
    unit: str = ""
    """Of a number that is no ratio, of memory and of counts."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool | None:
        """True if the median meets the target; None without one."""
        if self.at_most is None and self.at_least is None:
            return None
        return (self.at_most is None or self.median <= self.at_most) and (
            self.at_least is None or self.median >= self.at_least
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "what": self.what,
            "median": self.median,
            "lowest": min(self.values),
            "highest": max(self.values),
            "values": list(self.values),
            "at_most": self.at_most,
            "at_least": self.at_least,
            "is_met": self.is_met,
            "detail": self.detail,
            "unit": self.unit,
        }


@dataclass(frozen=True)
class Skipped:
    """A part, or a line of one, that was not measured."""

    part: str
    reason: str


def ratios(pairs: Iterable[tuple[float, float]]) -> list[float]:
    """Return the first of each pair divided by its second."""
    return [first / second for first, second in pairs]


def least_squares_slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the straight line through the points (x, y); of two points, the one between them."""
    mean_x, mean_y = (statistics.fmean(column) for column in zip(*points, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)

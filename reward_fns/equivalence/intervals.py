"""Unions of intervals of real numbers: their normal form, union, intersection, complement and comparison.

The ends are values of `expressions.values`. Where two ends are too close to tell which is larger, ArithmeticError is
raised, so that the question is left open.
"""

from collections.abc import Sequence
from functools import cmp_to_key
from typing import NamedTuple

from reward_fns.expressions.values import Value, are_equal, make_rounded


class Interval(NamedTuple):
    """Holds the ends, None for infinity, and if they belong to the interval."""

    low: Value
    has_low: bool
    high: Value
    has_high: bool


Intervals = tuple[Interval, ...]  # disjoint and in order

EVERYTHING: Intervals = (Interval(None, False, None, False),)


def make_point(value: Value) -> Interval:
    """Return the interval of one number. `make_point(1) == Interval(1, True, 1, True)`"""
    return Interval(value, True, value, True)


def _order(left: Value, right: Value) -> int:
    """Return -1, 0 or 1. Raises if it is not certain."""
    equal = are_equal(left, right)
    if equal is None:
        raise ArithmeticError("too close to tell")
    return 0 if equal else -1 if make_rounded(left) < make_rounded(right) else 1


def _order_low(one: Interval, other: Interval) -> int:
    if one.low is None or other.low is None:
        return (other.low is None) - (one.low is None)
    return _order(one.low, other.low) or other.has_low - one.has_low


def _order_high(one: Interval, other: Interval) -> int:
    if one.high is None or other.high is None:
        return (one.high is None) - (other.high is None)
    return _order(one.high, other.high) or one.has_high - other.has_high


def unite(sets: Sequence[Intervals]) -> Intervals:
    """Return the union, in which what overlaps or touches is merged. `unite([EVERYTHING, EVERYTHING]) == EVERYTHING`"""
    merged: list[Interval] = []
    for interval in sorted((interval for intervals in sets for interval in intervals), key=cmp_to_key(_order_low)):
        if merged and _touches(merged[-1], interval):
            if _order_high(merged[-1], interval) < 0:
                merged[-1] = merged[-1]._replace(high=interval.high, has_high=interval.has_high)
        else:
            merged.append(interval)
    return tuple(merged)


def _touches(first: Interval, second: Interval) -> bool:
    if first.high is None or second.low is None:
        return True
    order = _order(first.high, second.low)
    return order > 0 or (order == 0 and (first.has_high or second.has_low))


def intersect(sets: Sequence[Intervals]) -> Intervals:
    """Return what all have in common. Example: `intersect([EVERYTHING, (make_point(1),)])[0].low == 1`"""
    result = EVERYTHING
    for intervals in sets:
        result = tuple(common for one in result for other in intervals if (common := _intersect(one, other)))
    return result


def _intersect(one: Interval, other: Interval) -> Interval | None:
    low, high = (one if _order_low(one, other) >= 0 else other), (one if _order_high(one, other) <= 0 else other)
    common = Interval(low.low, low.has_low, high.high, high.has_high)
    if common.low is None or common.high is None:
        return common
    order = _order(common.low, common.high)
    return common if order < 0 or (order == 0 and common.has_low and common.has_high) else None


def find_complement(intervals: Intervals) -> Intervals:
    """Return all other real numbers. Example: `find_complement(EVERYTHING) == ()`"""
    outside = []
    for item in intervals:
        below = () if item.low is None else (Interval(None, False, item.low, not item.has_low),)
        above = () if item.high is None else (Interval(item.high, not item.has_high, None, False),)
        outside.append(below + above)
    return intersect(outside)


def are_same_intervals(one: Intervals, other: Intervals) -> bool | None:
    """Return True if two sets in normal form are the same, None if that is too close to tell.

    Example: `are_same_intervals(EVERYTHING, ()) is False`
    """
    if len(one) != len(other):
        return False
    verdicts = [verdict for pair in zip(one, other, strict=True) for verdict in _compare_ends(*pair)]
    return False if False in verdicts else None if None in verdicts else True


def _compare_ends(one: Interval, other: Interval) -> list[bool | None]:
    if (one.has_low, one.has_high) != (other.has_low, other.has_high):
        return [False]
    return [_are_same(one.low, other.low), _are_same(one.high, other.high)]


def _are_same(one: Value, other: Value) -> bool | None:
    return one is other if one is None or other is None else are_equal(one, other)

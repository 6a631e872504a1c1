"""Conditions on one unknown are solved, if they are linear in it or in its absolute value, or give its square."""

import re
from fractions import Fraction

from reward_fns.equivalence.intervals import (
    EVERYTHING,
    Interval,
    Intervals,
    find_complement,
    intersect,
    make_point,
    unite,
)
from reward_fns.equivalence.parts import expand_plus_or_minus, split_at
from reward_fns.expressions.points import evaluate_with
from reward_fns.expressions.values import Value, is_complex, make_rounded


class Unclear(ValueError):
    """Raised where an answer is not read as a set of real numbers."""


END_SEPARATOR = re.compile("[,;]")
COMPARING_SIGN = re.compile(r"<=|>=|!=|<|>|=|\\(?:leq?|geq?|lt|gt|neq?)(?![a-zA-Z])")
_LESS, _AT_MOST, _MORE, _AT_LEAST, _EQUAL, _UNEQUAL = "<", "<=", ">", ">=", "=", "!="
_KINDS = {
    **dict.fromkeys(("<", r"\lt"), _LESS),
    **dict.fromkeys(("<=", r"\le", r"\leq"), _AT_MOST),
    **dict.fromkeys((">", r"\gt"), _MORE),
    **dict.fromkeys((">=", r"\ge", r"\geq"), _AT_LEAST),
    "=": _EQUAL,
    **dict.fromkeys(("!=", r"\ne", r"\neq"), _UNEQUAL),
}
_REVERSED = {_LESS: _MORE, _MORE: _LESS, _AT_MOST: _AT_LEAST, _AT_LEAST: _AT_MOST}
_UNKNOWN = re.compile(r"\\?[a-zA-Z]+'?(?:_\{?[a-zA-Z0-9]+\}?)?(?:\([a-z]\))?")
_UNKNOWN_LETTER = re.compile(r"(?<![\\a-zA-Z])([a-df-hj-zA-Z])(?![a-zA-Z])")
_INFINITY = re.compile(r"\+? ?\\infty")


def read_conditions(text: str, names: set[str]) -> Intervals:
    """Return where all conditions hold, and note the unknown. `read_conditions("2x=2", set()) == (make_point(1),)`"""
    parts = split_at(END_SEPARATOR, text)
    first = parts[0]
    if (len(parts) > 1 or r"\pm" in text) and not any(map(COMPARING_SIGN.search, parts[1:])):  # x = 1, 2 and x != 1, 2
        side, sign, value = _split_once(first)
        name = read_name(side)
        names.add(name)
        values = [sign for part in (value, *parts[1:]) for sign in expand_plus_or_minus(part) or (part,)]
        points = tuple(make_point(evaluate_real(value)) for value in values)
        if sign not in (_EQUAL, _UNEQUAL):
            raise Unclear(text)
        return points if sign == _EQUAL else find_complement(points)
    sets = [_read_chain(part, names) for part in parts]
    are_points = [all(item.low is not None and item.low == item.high for item in found) for found in sets]
    if all(are_points):
        return unite(sets)
    # x > 2, x < 1 can only mean both kinds of solutions.
    return intersect(sets) or unite(sets)


def _split_once(text: str) -> tuple[str, str, str]:
    signs = COMPARING_SIGN.findall(text)
    if len(signs) != 1:
        raise Unclear(text)
    left, right = COMPARING_SIGN.split(text)
    return left.strip(), _KINDS[signs[0]], right.strip()


def _read_chain(text: str, names: set[str]) -> Intervals:
    sides = [side.strip() for side in COMPARING_SIGN.split(text)]
    kinds = [_KINDS[sign] for sign in COMPARING_SIGN.findall(text)]
    if not kinds or len(kinds) > 2 or (len(kinds) == 2 and not set(kinds) <= _REVERSED.keys()):
        raise Unclear(text)
    letters = {letter for side in sides for letter in _UNKNOWN_LETTER.findall(side)} or {
        side for side in sides if _UNKNOWN.fullmatch(side)
    }
    if len(letters) != 1:
        raise Unclear(f"not one unknown: {text}")
    name = letters.pop()
    names.add(name)
    return intersect([_solve(sides[at], kinds[at], sides[at + 1], name) for at in range(len(kinds))])


def _solve(left: str, kind: str, right: str, name: str) -> Intervals:
    """Return where `left` relates to `right`, one a linear expression of the unknown or its absolute value."""
    has_name = [re.search(rf"(?<![a-zA-Z]){re.escape(name)}(?![a-zA-Z])", side) is not None for side in (left, right)]
    if has_name[0] == has_name[1]:
        raise Unclear("the unknown on both sides")
    if has_name[1]:
        left, right, kind = right, left, _REVERSED.get(kind, kind)
    end = _read_end(right)
    if not isinstance(end, tuple):
        is_above = kind in (_LESS, _AT_MOST) and end == 1
        if is_above or (kind in (_MORE, _AT_LEAST) and end == -1):
            return EVERYTHING
        raise Unclear("beyond infinity")
    if end[0] > 0 and re.fullmatch(rf"{re.escape(name)} ?\^ ?\{{?2\}}?", left):
        return _solve_absolute(name, kind, evaluate_real(rf"\sqrt{{{right}}}"), name)
    if left.startswith("|") and left.endswith("|") and left.count("|") == 2:
        return _solve_absolute(left[1:-1], kind, end[0], name)
    return _solve_linear(left, kind, end[0], name)


def _solve_absolute(inner: str, kind: str, bound: Value, name: str) -> Intervals:
    if kind in (_LESS, _AT_MOST):
        return intersect([_solve_linear(inner, kind, bound, name), _solve_linear(inner, _REVERSED[kind], -bound, name)])
    if kind in (_MORE, _AT_LEAST):
        return unite([_solve_linear(inner, kind, bound, name), _solve_linear(inner, _REVERSED[kind], -bound, name)])
    if kind == _EQUAL:
        return unite([_solve_linear(inner, kind, value, name) for value in (bound, -bound)])
    raise Unclear("no equation")


def _solve_linear(side: str, kind: str, bound: Value, name: str) -> Intervals:
    if side == name or _UNKNOWN.fullmatch(side):
        offset, slope = Fraction(0), Fraction(1)
    else:
        values = [evaluate_with({name: Fraction(number)}, side) for number in (0, 1, 7)]
        if not all(isinstance(value, Fraction) for value in values):
            raise Unclear("not rational")
        offset, slope = values[0], values[1] - values[0]
        if slope == 0 or values[2] != offset + 7 * slope:
            raise Unclear("not linear")
    end = bound
    if offset != 0 or slope != 1:
        is_exact = isinstance(bound, Fraction)
        end = (bound - offset) / slope if is_exact else (bound - make_rounded(offset)) / make_rounded(slope)
    if slope < 0:
        kind = _REVERSED.get(kind, kind)
    return {
        _LESS: (Interval(None, False, end, False),),
        _AT_MOST: (Interval(None, False, end, True),),
        _MORE: (Interval(end, False, None, False),),
        _AT_LEAST: (Interval(end, True, None, False),),
        _EQUAL: (make_point(end),),
        _UNEQUAL: find_complement((make_point(end),)),
    }[kind]


def read_name(text: str) -> str:
    """Return the name of an unknown. Raises Unclear. Example: `read_name("x_{1}") == "x_1"`"""
    name = text.strip()
    if not _UNKNOWN.fullmatch(name):
        raise Unclear(f"no name: {text}")
    return name.replace("{", "").replace("}", "")


def evaluate_real(text: str) -> Value:
    """Return the value of a real number. Raises Unclear, Unreadable, TooLarge. `evaluate_real("2+3") == 5`"""
    value = evaluate_with({}, text)
    if is_complex(value):
        raise Unclear("not real")
    return value


def read_interval(opening: str, low: str, high: str, closing: str) -> Intervals:
    """Return the interval between two ends. Raises Unclear. `read_interval("[", "1", "1", "]") == (make_point(1),)`"""
    ends = [_read_end(low), _read_end(high)]
    if ends[0] == 1 or ends[1] == -1:  # infinity in the wrong place
        raise Unclear("ends")
    values = [end if isinstance(end, tuple) else None for end in ends]
    interval = Interval(
        values[0][0] if values[0] else None,
        opening == "[" and values[0] is not None,
        values[1][0] if values[1] else None,
        closing == "]" and values[1] is not None,
    )
    if not intersect([(interval,)]):
        raise Unclear("a point, no interval")
    return (interval,)


def _read_end(text: str) -> int | tuple[Value]:
    """Return 1 or -1 for an infinity, and the value of anything else in a tuple."""
    text = text.strip()
    if _INFINITY.fullmatch(text.removeprefix("-").strip()):
        return -1 if text.startswith("-") else 1
    return (evaluate_real(text),)

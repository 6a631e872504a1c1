r"""Inequalities, intervals, unions, set-builders and words for the real numbers are read as sets of real numbers.

`x > 1 \text{ and } x < 3`, `1 < x < 3`, `(1,3)`, `]1,3[`, `\{x \mid 1 < x < 3\}` and `|x-2| < 1` are one set. Only what
is read as a whole, with real numbers as its ends, is compared here; everything else is left to the other comparisons.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from reward_fns.equivalence.intervals import (
    EVERYTHING,
    Interval,
    Intervals,
    are_same_intervals,
    find_complement,
    intersect,
    make_point,
    unite,
)
from reward_fns.equivalence.parts import split_at
from reward_fns.equivalence.text import TEXT_COMMANDS
from reward_fns.expressions.compare import computing_to_more_digits, evaluate_with
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import Value, is_complex, make_rounded


class _Unclear(ValueError):
    """Raised where an answer is not read as a set of real numbers."""


class SolutionSet(NamedTuple):
    """Holds disjoint intervals in order, and the name that the answer gives to the unknown; empty if it gives none."""

    name: str
    intervals: Intervals
    is_explicit: bool  # Not only (1,2), which may be a point.


_ALL_REALS = re.compile(
    r"\\mathbb\{R\}|(?:the set of )?all real(?: number)?s?(?: numbers)?|(?:any|every) real number|all reals",
    re.IGNORECASE,
)
_OTHER_SETS = {r"\mathbb{R}^+": (Interval(Fraction(0), False, None, False),)}
_TEXT_OR_ROMAN = re.compile(rf"\\(?:{TEXT_COMMANDS}|mathrm)\{{([^{{}}]*)\}}")
_OR = re.compile(r"(?<![a-zA-Z\\])or(?![a-zA-Z])|\\(?:cup|lor|vee)(?![a-zA-Z])")
_AND = re.compile(r"(?<![a-zA-Z\\])and(?![a-zA-Z])|\\(?:cap|land|wedge)(?![a-zA-Z])")
_END_SEPARATOR = re.compile("[,;]")
_SETMINUS = re.compile(r"\\setminus(?![a-zA-Z])|\\backslash(?![a-zA-Z])")
_COMPARING_SIGN = re.compile(r"<=|>=|!=|<|>|=|\\(?:leq?|geq?|lt|gt|neq?)(?![a-zA-Z])")
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
_MEMBER = re.compile(r"(.*?)\\in(?![a-zA-Z])(.*)", re.DOTALL)
_BUILDER = re.compile(r"\\?\{(.*?)(?:\\mid(?![a-zA-Z])|\||:)(.*?)\\?\}", re.DOTALL)
_INTERVAL = re.compile(r"([(\[\]])(.*)([)\]\[])", re.DOTALL)
_UNKNOWN = re.compile(r"\\?[a-zA-Z]+'?(?:_\{?[a-zA-Z0-9]+\}?)?(?:\([a-z]\))?")
_UNKNOWN_LETTER = re.compile(r"(?<![\\a-zA-Z])([a-df-hj-zA-Z])(?![a-zA-Z])")
_INFINITY = re.compile(r"\+? ?\\infty")
_SIGN_OF_SET = re.compile(
    r"[<>]|!=|\\(?:leq?|geq?|lt|gt|neq?|cup|in|infty|setminus|mid)(?![a-zA-Z])|\breals?\b|\\mathbb\{R\}|[\])\[]$"
)
_HAS_MEMBERS = re.compile(r"\\mid|\\in|:")
_IRRATIONAL = re.compile(r"\\sqrt|\^")
_WHOLE_NUMBERS = re.compile(r"\\mathbb\{[ZN]\}(?:\^\+|_\+)?")
_MAX_WHOLE = 200


def compare_solution_sets(candidate: str, gold: str) -> bool | None:
    r"""Return True if two answers are the same set of real numbers, and None if one is not read as such.

    At least one has to be no plain tuple or list. Example: `compare_solution_sets("x > 5", r"(5, \infty)") is True`
    """
    if not all(map(_SIGN_OF_SET.search, (candidate, gold))) and not _HAS_MEMBERS.search(candidate + gold):
        return None
    verdict = _compare_read(candidate, gold)
    if verdict is not True or not any(map(_IRRATIONAL.search, (candidate, gold))):
        return verdict
    with computing_to_more_digits():
        return _compare_read(candidate, gold)


def _compare_read(candidate: str, gold: str) -> bool | None:
    try:
        sets = [read_solution_set(answer) for answer in (candidate, gold)]
    except (_Unclear, Unreadable, ArithmeticError):
        return None
    if not any(found.is_explicit for found in sets):
        return None
    if sets[0].name != sets[1].name and all(found.name for found in sets):
        return False
    return are_same_intervals(sets[0].intervals, sets[1].intervals)


def read_solution_set(answer: str) -> SolutionSet:
    r"""Read an answer as a set of real numbers. Raises ValueError or ArithmeticError if it is none.

    Example: `read_solution_set("x > 1 or x > 3").name == "x"`
    """
    text = _TEXT_OR_ROMAN.sub(r" \1 ", answer).strip()
    names: set[str] = set()
    intervals, is_explicit = _read(text, names)
    if len(names) > 1:
        raise _Unclear(f"several unknowns: {names}")
    return SolutionSet("".join(names), unite([intervals]), is_explicit)


def _read(text: str, names: set[str]) -> tuple[Intervals, bool]:
    """Return the intervals of `text`, and True if it can be nothing but a set; adds the names of unknowns."""
    text = text.strip()
    if _ALL_REALS.fullmatch(text.strip(".")) or text in _OTHER_SETS:
        return _OTHER_SETS.get(text, EVERYTHING), True
    for pattern, join in ((_OR, unite), (_AND, intersect)):
        parts = split_at(pattern, text)
        if len(parts) > 1:
            return join([_read(part, names)[0] for part in parts]), True
    parts = split_at(_SETMINUS, text)
    if len(parts) == 2:
        return intersect([_read(parts[0], names)[0], find_complement(_read(parts[1], names)[0])]), True
    if text.startswith(("{", r"\{")) and text.endswith("}"):
        return _read_braces(text, names)
    if member := _MEMBER.fullmatch(text):
        names.add(_read_name(member[1]))
        return _read(member[2], names)[0], True
    if (brackets := _INTERVAL.fullmatch(text)) and len(ends := split_at(_END_SEPARATOR, brackets[2])) == 2:
        return _read_interval(brackets[1], ends[0], ends[1], brackets[3]), brackets[1] == "]" or r"\infty" in text
    if _COMPARING_SIGN.search(text):
        return _read_conditions(text, names), True
    raise _Unclear(text)


def _read_braces(text: str, names: set[str]) -> tuple[Intervals, bool]:
    if builder := _BUILDER.fullmatch(text):
        unknown, condition = builder[1].strip(), builder[2]
        member = _MEMBER.fullmatch(unknown)
        names.add(_read_name(member[1] if member else unknown))
        domain = member[2].strip() if member else r"\mathbb{R}"
        inside = _read(condition, names)[0]
        if _WHOLE_NUMBERS.fullmatch(domain):
            names.clear()
            return _enumerate_whole(inside, domain), True
        names.clear()  # The name in a set-builder is bound.
        return intersect([_read(domain, names)[0], inside]), True
    inner = text.removeprefix("\\").removeprefix("{")[:-1].removesuffix("\\")
    if not inner.strip():
        return (), False
    return tuple(make_point(_evaluate(part)) for part in split_at(_END_SEPARATOR, inner)), False


def _enumerate_whole(intervals: Intervals, domain: str) -> Intervals:
    if r"\mathbb{N}" in domain or domain != r"\mathbb{Z}":
        intervals = intersect([intervals, (Interval(Fraction(1), True, None, False),)])
    points = []
    for interval in intervals:
        if interval.low is None or interval.high is None:
            raise _Unclear("endless")
        low, high = (int(make_rounded(end)) for end in (interval.low, interval.high))
        if high - low > _MAX_WHOLE:
            raise _Unclear("many")
        whole = [make_point(Fraction(number)) for number in range(low - 1, high + 2)]
        points += [point for point in whole if intersect([(point,), (interval,)])]
    return tuple(points)


def _read_interval(opening: str, low: str, high: str, closing: str) -> Intervals:
    ends = [_read_end(low), _read_end(high)]
    if ends[0] == 1 or ends[1] == -1:  # infinity in the wrong place
        raise _Unclear("ends")
    values = [end if isinstance(end, tuple) else None for end in ends]
    interval = Interval(
        values[0][0] if values[0] else None,
        opening == "[" and values[0] is not None,
        values[1][0] if values[1] else None,
        closing == "]" and values[1] is not None,
    )
    if not intersect([(interval,)]):
        raise _Unclear("a point, no interval")
    return (interval,)


def _read_end(text: str) -> int | tuple[Value]:
    """Return 1 or -1 for an infinity, and the value of anything else in a tuple."""
    text = text.strip()
    if _INFINITY.fullmatch(text.removeprefix("-").strip()):
        return -1 if text.startswith("-") else 1
    return (_evaluate(text),)


def _read_conditions(text: str, names: set[str]) -> Intervals:
    parts = split_at(_END_SEPARATOR, text)
    first = parts[0]
    if len(parts) > 1 and not any(map(_COMPARING_SIGN.search, parts[1:])):  # x = 1, 2 and x != 1, 2
        side, sign, value = _split_once(first)
        name = _read_name(side)
        names.add(name)
        points = tuple(make_point(_evaluate(part)) for part in (value, *parts[1:]))
        if sign not in (_EQUAL, _UNEQUAL):
            raise _Unclear(text)
        return points if sign == _EQUAL else find_complement(points)
    sets = [_read_chain(part, names) for part in parts]
    are_points = [all(item.low is not None and item.low == item.high for item in found) for found in sets]
    if all(are_points):
        return unite(sets)
    # x > 2, x < 1 can only mean both kinds of solutions.
    return intersect(sets) or unite(sets)


def _split_once(text: str) -> tuple[str, str, str]:
    signs = _COMPARING_SIGN.findall(text)
    if len(signs) != 1:
        raise _Unclear(text)
    left, right = _COMPARING_SIGN.split(text)
    return left.strip(), _KINDS[signs[0]], right.strip()


def _read_chain(text: str, names: set[str]) -> Intervals:
    sides = [side.strip() for side in _COMPARING_SIGN.split(text)]
    kinds = [_KINDS[sign] for sign in _COMPARING_SIGN.findall(text)]
    if not kinds or len(kinds) > 2 or (len(kinds) == 2 and not set(kinds) <= _REVERSED.keys()):
        raise _Unclear(text)
    letters = {letter for side in sides for letter in _UNKNOWN_LETTER.findall(side)} or {
        side for side in sides if _UNKNOWN.fullmatch(side)
    }
    if len(letters) != 1:
        raise _Unclear(f"not one unknown: {text}")
    name = letters.pop()
    names.add(name)
    return intersect([_solve(sides[at], kinds[at], sides[at + 1], name) for at in range(len(kinds))])


def _solve(left: str, kind: str, right: str, name: str) -> Intervals:
    """Return where `left` relates to `right`, one a linear expression of the unknown or its absolute value."""
    has_name = [re.search(rf"(?<![a-zA-Z]){re.escape(name)}(?![a-zA-Z])", side) is not None for side in (left, right)]
    if has_name[0] == has_name[1]:
        raise _Unclear("the unknown on both sides")
    if has_name[1]:
        left, right, kind = right, left, _REVERSED.get(kind, kind)
    end = _read_end(right)
    if not isinstance(end, tuple):
        is_above = kind in (_LESS, _AT_MOST) and end == 1
        if is_above or (kind in (_MORE, _AT_LEAST) and end == -1):
            return EVERYTHING
        raise _Unclear("beyond infinity")
    if left.startswith("|") and left.endswith("|") and left.count("|") == 2:
        return _solve_absolute(left[1:-1], kind, end[0], name)
    return _solve_linear(left, kind, end[0], name)


def _solve_absolute(inner: str, kind: str, bound: Value, name: str) -> Intervals:
    if kind in (_LESS, _AT_MOST):
        return intersect([_solve_linear(inner, kind, bound, name), _solve_linear(inner, _REVERSED[kind], -bound, name)])
    if kind in (_MORE, _AT_LEAST):
        return unite([_solve_linear(inner, kind, bound, name), _solve_linear(inner, _REVERSED[kind], -bound, name)])
    raise _Unclear("an equation")


def _solve_linear(side: str, kind: str, bound: Value, name: str) -> Intervals:
    if side == name or _UNKNOWN.fullmatch(side):
        offset, slope = Fraction(0), Fraction(1)
    else:
        values = [evaluate_with({name: Fraction(number)}, side) for number in (0, 1, 7)]
        if not all(isinstance(value, Fraction) for value in values):
            raise _Unclear("not rational")
        offset, slope = values[0], values[1] - values[0]
        if slope == 0 or values[2] != offset + 7 * slope:
            raise _Unclear("not linear")
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


def _read_name(text: str) -> str:
    name = text.strip()
    if not _UNKNOWN.fullmatch(name):
        raise _Unclear(f"no name: {text}")
    return name.replace("{", "").replace("}", "")


def _evaluate(text: str) -> Value:
    value = evaluate_with({}, text)
    if is_complex(value):
        raise _Unclear("not real")
    return value

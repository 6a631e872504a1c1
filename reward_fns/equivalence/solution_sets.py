r"""Inequalities, intervals, unions, set-builders and words for the real numbers are read as sets of real numbers.

`x > 1 \text{ and } x < 3`, `1 < x < 3`, `(1,3)`, `]1,3[`, `\{x \mid 1 < x < 3\}` and `|x-2| < 1` are one set. Only what
is read as a whole, with real numbers as its ends, is compared here; everything else is left to the other comparisons.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from reward_fns.equivalence.conditions import (
    COMPARING_SIGN,
    END_SEPARATOR,
    Unclear,
    evaluate_real,
    read_conditions,
    read_interval,
    read_name,
)
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
from reward_fns.equivalence.set_words import UNNAMED, translate_set_words
from reward_fns.equivalence.spellings import TEXT_COMMANDS
from reward_fns.expressions.points import computing_to_more_digits
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import make_rounded


class SolutionSet(NamedTuple):
    """Holds disjoint intervals in order, and the name that the answer gives to the unknown; empty if it gives none."""

    name: str
    intervals: Intervals
    is_explicit: bool  # Not only (1,2), which may be a point.


_KNOWN_SETS = {
    r"\mathbb{R}": EVERYTHING,
    r"\mathbb{R}^+": (Interval(Fraction(0), False, None, False),),
    r"\emptyset": (),
}
_TEXT_OR_ROMAN = re.compile(rf"\\(?:{TEXT_COMMANDS}|mathrm)\{{([^{{}}]*)\}}")
_OR = re.compile(r"(?<![a-zA-Z\\])or(?![a-zA-Z])|\\cup(?![a-zA-Z])")
_AND = re.compile(r"(?<![a-zA-Z\\])and(?![a-zA-Z])|\\cap(?![a-zA-Z])")
_SETMINUS = re.compile(r"\\(?:setminus|backslash)(?![a-zA-Z])|(?<=[})\]])\s*-\s*(?=\\?\{)")
_MEMBER = re.compile(r"(.*?)\\(not)?in(?![a-zA-Z])(.*)", re.DOTALL)
_BUILDER = re.compile(r"\\?\{(.*?)(?:\\mid(?![a-zA-Z])|\||:)(.*?)\\?\}", re.DOTALL)
_INTERVAL = re.compile(r"([(\[\]])(.*)([)\]\[])", re.DOTALL)
_SIGN_OF_SET = re.compile(
    r"[<>]|!=|\\(?:leq?|geq?|lt|gt|neq?|cup|in|notin|infty|setminus|mid|emptyset)(?![a-zA-Z])|\\mathbb\{R\}|[\])\[]$"
)
_HAS_MEMBERS = re.compile(r"\\mid|\\(?:not)?in(?![a-zA-Z])|[:|]")
_IRRATIONAL = re.compile(r"\\sqrt|\^")
_WHOLE_NUMBERS = re.compile(r"\\mathbb\{[ZN]\}")
_MAX_WHOLE = 200


def compare_solution_sets(candidate: str, gold: str) -> bool | None:
    r"""Return True if two answers are the same set of real numbers, and None if one is not read as such.

    At least one has to be no plain tuple or list. Example: `compare_solution_sets("x > 5", r"(5, \infty)") is True`
    """
    candidate, gold = (translate_set_words(_TEXT_OR_ROMAN.sub(r" \1 ", answer).strip()) for answer in (candidate, gold))
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
    except (Unclear, Unreadable, ArithmeticError):
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
    names: set[str] = set()
    intervals, is_explicit = _read(answer, names)
    names.discard(UNNAMED)
    if len(names) > 1:
        raise Unclear(f"several unknowns: {names}")
    return SolutionSet("".join(names), unite([intervals]), is_explicit)


def _read(text: str, names: set[str]) -> tuple[Intervals, bool]:
    """Return the intervals of `text`, and True if it can be nothing but a set; adds the names of unknowns."""
    text = text.strip()
    if text in _KNOWN_SETS:
        return _KNOWN_SETS[text], True
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
        names.add(read_name(member[1]))
        members = _read(member[3], names)[0]
        return find_complement(members) if member[2] else members, True
    if (brackets := _INTERVAL.fullmatch(text)) and len(ends := split_at(END_SEPARATOR, brackets[2])) == 2:
        return read_interval(brackets[1], ends[0], ends[1], brackets[3]), brackets[1] == "]" or brackets[
            3
        ] == "[" or r"\infty" in text
    if COMPARING_SIGN.search(text):
        return read_conditions(text, names), True
    raise Unclear(text)


def _read_braces(text: str, names: set[str]) -> tuple[Intervals, bool]:
    if builder := _BUILDER.fullmatch(text):
        unknown, condition = builder[1].strip(), builder[2]
        member = _MEMBER.fullmatch(unknown)
        names.add(read_name(member[1] if member else unknown))
        domain = member[3].strip() if member else r"\mathbb{R}"
        inside = _read(condition, names)[0]
        if _WHOLE_NUMBERS.fullmatch(domain):
            names.clear()
            return _enumerate_whole(inside, domain), True
        names.clear()  # The name in a set-builder is bound.
        return intersect([_read(domain, names)[0], inside]), True
    inner = text.removeprefix("\\").removeprefix("{")[:-1].removesuffix("\\")
    if not inner.strip():
        return (), False
    parts = _continue_list(split_at(END_SEPARATOR, inner))
    return tuple(make_point(evaluate_real(part)) for part in parts), False


def _continue_list(parts: list[str]) -> list[str]:
    r"""Write out the members between, as of `1, 2, \ldots, 10`, if their difference is constant."""
    if parts.count(r"\ldots") != 1 or (place := parts.index(r"\ldots")) < 2 or place != len(parts) - 2:
        return parts
    values = [evaluate_real(part) for part in (*parts[:place], parts[-1])]
    step = values[1] - values[0]
    count = (values[-1] - values[0]) / step if step else 0
    if not 0 < count <= _MAX_WHOLE or any(value != values[0] + n * step for n, value in enumerate(values[:-1])):
        raise Unclear("no arithmetic progression")
    return [f"({values[0] + n * step})" for n in range(int(count) + 1)] if count == int(count) else parts


def _enumerate_whole(intervals: Intervals, domain: str) -> Intervals:
    if r"\mathbb{N}" in domain or domain != r"\mathbb{Z}":
        intervals = intersect([intervals, (Interval(Fraction(1), True, None, False),)])
    points = []
    for interval in intervals:
        if interval.low is None or interval.high is None:
            raise Unclear("endless")
        low, high = (int(make_rounded(end)) for end in (interval.low, interval.high))
        if high - low > _MAX_WHOLE:
            raise Unclear("many")
        whole = [make_point(Fraction(number)) for number in range(low - 1, high + 2)]
        points += [point for point in whole if intersect([(point,), (interval,)])]
    return tuple(points)

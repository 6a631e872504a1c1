r"""Inequalities are compared: `-x > -1` and `x < 1` are the same, `x < 1` and `x \le 1` are not."""

import re

from reward_fns.equivalence.parts import VARIABLE, is_name, split_brackets
from reward_fns.expressions.compare import compare_multiples, is_readable

_SIGNS = {
    "<": ("<", -1),
    r"\lt": ("<", -1),
    ">": ("<", 1),
    r"\gt": ("<", 1),
    "<=": ("<=", -1),
    r"\le": ("<=", -1),
    r"\leq": ("<=", -1),
    ">=": ("<=", 1),
    r"\ge": ("<=", 1),
    r"\geq": ("<=", 1),
    "!=": ("!=", 0),
    r"\ne": ("!=", 0),
    r"\neq": ("!=", 0),
}
_SIGN = re.compile(r"<=|>=|!=|<|>|\\(?:leq?|geq?|lt|gt|neq?)(?![a-zA-Z])")
_INTERVAL_OF = {"<": ("(", ")"), "<=": ("[", "]")}
_MEMBERSHIP = re.compile(r"\\in(?![a-zA-Z])")
_OTHER_RELATION = re.compile(r"(?<![<>!])=|\\(?:in|equiv|sim|cong|mid|subset)(?![a-zA-Z])")


def rewrite_as_set(answer: str, other: str) -> str:
    r"""Return the set that `answer` describes, if `other` names nothing: `S` for `x \in S`, an interval for `a < x`.

    If both name something, `answer` is not changed, so that `x \in S` and `y \in S` stay different.
    Example: `rewrite_as_set(r"0 < x \le 1", "(0,1]") == "(0,1]"`
    """
    if _OTHER_RELATION.search(other) or _SIGN.search(other):
        return answer
    name, *sets = _MEMBERSHIP.split(answer, maxsplit=1)
    if sets and is_name(name.strip()):
        return sets[0].strip()
    return _rewrite_as_interval(answer) if split_brackets(other) else answer


def _rewrite_as_interval(answer: str) -> str:
    sides, signs = [side.strip() for side in _SIGN.split(answer)], [_SIGNS[sign] for sign in _SIGN.findall(answer)]
    if len(signs) == 1 and signs[0][1]:
        sides, signs = _add_infinity(sides, signs)
    if len(signs) != 2 or not is_name(sides[1]) or VARIABLE.search(sides[0] + sides[2]):
        return answer
    if signs[0][1] != signs[1][1] or not signs[0][1]:  # a < x > b
        return answer
    if signs[0][1] > 0:  # a > x > b
        sides, signs = sides[::-1], signs[::-1]
    return f"{_INTERVAL_OF[signs[0][0]][0]}{sides[0]},{sides[2]}{_INTERVAL_OF[signs[1][0]][1]}"


def _add_infinity(sides: list[str], signs: list[tuple[str, int]]) -> tuple[list[str], list[tuple[str, int]]]:
    r"""Make `-\infty < x < b` of `x < b`, and `a < x < \infty` of `a < x`."""
    direction = signs[0][1]
    infinities = (r"-\infty", r"\infty") if direction < 0 else (r"\infty", r"-\infty")
    if is_name(sides[0]):
        return [infinities[0], *sides], [("<", direction), *signs]
    return [*sides, infinities[1]], [*signs, ("<", direction)]


def compare_relations(candidate: str, gold: str) -> bool | None:
    """Return True if two inequalities with one sign each are the same up to a positive factor.

    An inequality is no value: False if only one of the two is an inequality and the other an expression. None for
    chains of inequalities, for memberships, and where a side cannot be read. Raises TooLarge.
    Example: `compare_relations("-x > -1", "x < 1") is True`
    """
    sides = [_SIGN.split(answer) for answer in (candidate, gold)]
    if any(map(_OTHER_RELATION.search, (candidate, gold))) or max(map(len, sides)) > 2:
        return None
    if min(map(len, sides)) == 1:
        return False if is_readable(candidate if len(sides[0]) == 1 else gold) else None
    kinds = [_SIGNS[_SIGN.findall(answer)[0]] for answer in (candidate, gold)]
    is_multiple, factor = compare_multiples(*(f"({left})-({right})" for left, right in sides))
    if is_multiple is not True:
        return is_multiple
    if kinds[0][0] != kinds[1][0]:
        return False
    return kinds[0][1] * kinds[1][1] * factor > 0 or kinds[0][0] == "!="

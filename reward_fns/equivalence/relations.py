r"""Inequalities are compared: `-x > -1` and `x < 1` are the same, `x < 1` and `x \le 1` are not."""

import re

from reward_fns.equivalence.parts import is_name
from reward_fns.expressions.compare import compare_multiples
from reward_fns.expressions.points import is_readable

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
_MEMBERSHIP = re.compile(r"\\in(?![a-zA-Z])")
_OTHER_RELATION = re.compile(r"(?<![<>!])=|\\(?:in|equiv|sim|cong|mid|subset)(?![a-zA-Z])")


def name_set(answer: str, other: str) -> str:
    r"""Return `S` for `x \in S`, if `other` names nothing. Example: `name_set(r"x \in S", "S") == "S"`"""
    name, *sets = _MEMBERSHIP.split(answer, maxsplit=1)
    is_named = _OTHER_RELATION.search(other) or _SIGN.search(other)
    return sets[0].strip() if sets and not is_named and is_name(name.strip()) else answer


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

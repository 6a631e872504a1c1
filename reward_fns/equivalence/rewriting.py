r"""An answer with names is rewritten for the other: `(x,y)=(1,0)` is a list of equations where the other is one."""

import re

from reward_fns.equivalence.parts import EQUALS, is_name, split_at, split_brackets, split_equation, split_list

_NAMED_SET = re.compile(r"[A-Za-z]\s*=\s*(\\\{.*\\\})", re.DOTALL)
_SYSTEM = re.compile(r"(?:\\?\{)?\s*\\begin\{cases\}(.*)\\end\{cases\}\.?", re.DOTALL)
_NAMED_POINT = re.compile(r"[A-Z]'?(?:_[0-9])? ?(\([^()]*,[^()]*\))")
_CONDITION_IN_PARENTHESES = re.compile(r"(?<=[^\s,;(])[,;]? ?\(([^()]*(?:[<>]|\\(?:[lgn]eq?|in)(?![a-z]))[^()]*)\)$")
_OR_BETWEEN = re.compile(r"\\(?:text|textrm|mathrm|mbox)\{\s*,?\s*or\s*\}|(?<![a-zA-Z\\])or(?![a-zA-Z])")
_NAMED_TUPLE = re.compile(r"\([a-z](?:, ?[a-z])+\) ?= ?(?=\()")
_UNKNOWN_NAME = re.compile("[a-zA-Z](?:_[a-zA-Z0-9])?")


def spell_out_names(answer: str, other: str) -> str:
    r"""Return a list of equations for `cases`, for `(x,y)=(1,0)`, and for `x=y=4` where a list is asked for.

    Example: `spell_out_names("(x,y)=(1,0)", "x=1, y=0") == "x=1, y=0"`
    """
    answer, other = _list_cases(answer), _list_cases(other)
    if (point := _NAMED_POINT.fullmatch(answer)) and not _NAMED_POINT.fullmatch(other):
        return point[1]
    answer = _CONDITION_IN_PARENTHESES.sub(r", \1", answer)
    if len(groups := split_at(_OR_BETWEEN, answer)) > 1 and (points := _list_points(groups)):
        return points
    if (named_set := _NAMED_SET.fullmatch(answer)) and "=" not in other:
        return named_set[1]
    parts = split_list(answer)
    is_list = len(parts) > 1 or len(split_list(other)) > 1 or split_brackets(other) is not None
    return ", ".join(_spell_out_equation(part) for part in parts) if is_list and "=" in answer else answer


def _list_points(groups: list[str]) -> str:
    """Return `(1,2), (3,4)` for `x=1, y=2` or `x=3, y=4`, and for `(x,y)=(1,2)` or `(3,4)`; empty for others."""
    if (named := _NAMED_TUPLE.match(groups[0])) and all(map(split_brackets, groups[1:])):
        return ", ".join([groups[0][named.end() :], *groups[1:]])
    solutions = [[split_equation(part) for part in split_list(group)] for group in groups]
    names = {tuple(sides[0] for sides in solution) for solution in solutions}
    if len(names) > 1 or len(solutions[0]) < 2 or any(len(sides) != 2 for solution in solutions for sides in solution):
        return ""
    return ", ".join("(" + ",".join(sides[1] for sides in solution) + ")" for solution in solutions)


def _list_cases(answer: str) -> str:
    cases = _SYSTEM.fullmatch(answer)
    if cases is None or "&" in cases[1] or "text" in cases[1]:
        return answer
    return ", ".join(filter(None, (line.strip(" ,;") for line in cases[1].split(r"\\"))))


def _spell_out_equation(equation: str) -> str:
    sides = split_at(EQUALS, equation)
    names, values = [split_brackets(side) for side in (sides[0], sides[-1])]
    if (
        len(sides) == 2
        and names
        and values
        and len(names.parts) == len(values.parts)
        and all(map(is_name, names.parts))
    ):
        return ", ".join(f"{name}={value}" for name, value in zip(names.parts, values.parts, strict=True))
    if len(sides) > 2 and all(map(_UNKNOWN_NAME.fullmatch, sides[:-1])):
        return ", ".join(f"{name}={sides[-1]}" for name in sides[:-1])
    return equation

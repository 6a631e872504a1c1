r"""Answers that are made of parts are compared part by part: matrices, unions, sets and lists, equations, tuples.

Each `compare_` function looks for one structure: it returns True or False, None if the answer is left open, and
`NO_SUCH` if neither answer has the structure. Parts are answers again, so it is handed their comparison.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from reward_fns.equivalence.parts import (
    expand_plus_or_minus,
    find_connectives,
    has_answer_on_right,
    is_name,
    is_relation,
    split_brackets,
    split_equation,
    split_list,
    split_matrix,
    split_set,
    split_union,
)
from reward_fns.equivalence.text import make_comparable
from reward_fns.expressions.compare import compare_multiples, have_same_roots, is_readable

Compare = Callable[[str, str], bool | None]


class NoSuch(Enum):
    """Says that neither answer has the structure."""

    STRUCTURE = "no such structure"


NO_SUCH: Final = NoSuch.STRUCTURE
StructureVerdict = bool | None | NoSuch

# Comparing every member of a list with every other is quadratic.
_MAX_UNORDERED = 24
_FUNCTION_OF_X = re.compile(r"[a-zA-Z](?:\^\{-1\})?\(x\)")


def compare_matrices(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    r"""Compare matrices and column vectors entry by entry, whatever their brackets; other environments are left open.

    Example: `compare_matrices("1", "2", str.__eq__) is NO_SUCH`
    """
    candidate_rows, gold_rows = split_matrix(candidate), split_matrix(gold)
    if candidate_rows is None and gold_rows is None:
        return None if r"\begin" in candidate + gold else NO_SUCH
    if candidate_rows is None or gold_rows is None:
        brackets = split_brackets(candidate if candidate_rows is None else gold)
        entries = split_vector(candidate_rows or gold_rows or [])
        if entries and brackets and (brackets.opening, brackets.closing) == ("(", ")"):
            if len(brackets.parts) != len(entries):
                return False
            is_reversed = candidate_rows is not None
            pair: list[Sequence[str]] = [entries, brackets.parts] if is_reversed else [brackets.parts, entries]
            return _compare_in_order(pair[0], pair[1], compare)
        return False if is_readable(gold if candidate_rows else candidate) else None
    if [len(row) for row in candidate_rows] != [len(row) for row in gold_rows]:
        return False
    return _compare_in_order(sum(candidate_rows, []), sum(gold_rows, []), compare)


def split_vector(rows: list[list[str]]) -> list[str]:
    """Return the entries of a single row or column, and none of a larger matrix. `split_vector([["1"]]) == ["1"]`"""
    return sum(rows, []) if len(rows) == 1 or all(len(row) == 1 for row in rows) else []


def compare_unions(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    r"""Compare unions in any order of their members. Intervals are not merged, as (0,1] and [1,2) could be.

    Example: `compare_unions(r"A \cup B", r"B \cup A", str.__eq__) is True`
    """
    candidate_parts, gold_parts = split_union(candidate), split_union(gold)
    if len(candidate_parts) == len(gold_parts):
        return NO_SUCH if len(gold_parts) == 1 else _compare_in_any_order(candidate_parts, gold_parts, compare)
    return False if all(map(split_brackets, candidate_parts + gold_parts)) else None


def compare_lists(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    r"""Compare sets and lists without brackets, which may be written for each other; `a \pm b` is a list of two.

    Example: `compare_lists("1, 2", r"\{2,1\}", str.__eq__) is True`
    """
    candidate_set, gold_set = split_set(candidate), split_set(gold)
    candidate_parts = _expand_signs(split_list(candidate) if candidate_set is None else candidate_set)
    gold_parts = _expand_signs(split_list(gold) if gold_set is None else gold_set)
    if len(candidate_parts) == len(gold_parts) == 1 and candidate_set is None and gold_set is None:
        return NO_SUCH
    if candidate.count(r"\{") - gold.count(r"\{") not in (-1, 0, 1):
        return False  # a set of sets
    if brackets := split_brackets(candidate) or split_brackets(gold):
        is_list = r"\{" not in candidate + gold and (brackets.opening, brackets.closing) == ("(", ")")
        return _compare_tuple_with_list(candidate, gold, compare) if is_list else False
    if any(map(is_relation, candidate_parts + gold_parts)) and find_connectives(candidate) != find_connectives(gold):
        return None
    if any(len(split_equation(part)) > 1 for part in candidate_parts + gold_parts):
        return _compare_named(candidate_parts, gold_parts, compare)
    return _compare_in_any_order(_remove_duplicates(candidate_parts), _remove_duplicates(gold_parts), compare)


def compare_equations(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    """Compare equations by what they give, where one side is a name or a computation, else up to a constant factor.

    Example: `compare_equations("x=5", "5", str.__eq__) is True`
    """
    candidate_sides, gold_sides = split_equation(candidate), split_equation(gold)
    if len(candidate_sides) == len(gold_sides) == 1:
        is_changed = (candidate_sides[0], gold_sides[0]) != (candidate, gold)
        return compare(candidate_sides[0], gold_sides[0]) if is_changed else NO_SUCH
    has_answers = has_answer_on_right(candidate_sides) and has_answer_on_right(gold_sides)
    names = [make_comparable(sides[0]) for sides in (candidate_sides, gold_sides)]
    has_one_name = min(len(candidate_sides), len(gold_sides)) == 1 or names[0] == names[1] or _name_one_function(*names)
    if has_answers and has_one_name:
        return compare(candidate_sides[-1], gold_sides[-1])
    if len(candidate_sides) == len(gold_sides) == 2:
        differences = [f"({left})-({right})" for left, right in (candidate_sides, gold_sides)]
        verdict, _ = compare_multiples(*differences)
        return True if verdict is False and have_same_roots(*differences) else verdict
    expression = min(candidate_sides, gold_sides, key=len)
    return False if len(expression) == 1 and is_readable(expression[0]) else None


def compare_tuples(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    """Compare tuples, points and intervals: the brackets, and the parts in order. A tuple is no number.

    Example: `compare_tuples("(1,2)", "(2,1)", str.__eq__) is False`
    """
    brackets = [split_brackets(answer) for answer in (candidate, gold)]
    if max((len(found.parts) for found in brackets if found), default=1) == 1:
        return NO_SUCH
    if brackets[0] is None or brackets[1] is None:
        return False if is_readable(candidate if brackets[0] is None else gold) else None
    if len(brackets[0].parts) != len(brackets[1].parts):
        return False
    if (brackets[0].opening, brackets[0].closing) != (brackets[1].opening, brackets[1].closing):
        return False
    return _compare_in_order(brackets[0].parts, brackets[1].parts, compare)


def _name_one_function(one: str, other: str) -> bool:
    """Return True for `y` and `f(x)`."""
    return any(pair[0] == "y" and _FUNCTION_OF_X.fullmatch(pair[1]) for pair in ((one, other), (other, one)))


def _compare_named(candidate_parts: Sequence[str], gold_parts: Sequence[str], compare: Compare) -> bool | None:
    """Compare `x=1, y=2` by name, or in its order, and `n=1, 2` or `x=1, x=2`, of one unknown, in any order."""
    sides = [[split_equation(part) for part in parts] for parts in (candidate_parts, gold_parts)]
    if len(candidate_parts) != len(gold_parts):
        return False if min(len(candidate_parts), len(gold_parts)) == 1 else None
    if any(len(part) > 2 for parts in sides for part in parts):
        return None
    if not all(is_name(part[0]) for parts in sides for part in parts if len(part) == 2):
        return _compare_in_any_order(candidate_parts, gold_parts, compare)
    values = [[part[-1] for part in parts] for parts in sides]
    names = [[make_comparable(part[0]) for part in parts if len(part) == 2] for parts in sides]
    unknowns = {re.sub("_[0-9]$", "", name) for name in names[0] + names[1]}
    if len(set(names[0] + names[1])) == 1 or (len(unknowns) == 1 and 1 in map(len, map(set, names))):
        return _compare_in_any_order(values[0], values[1], compare)
    if names[0] and names[1] and names[0] != names[1]:
        if sorted(names[0]) != sorted(names[1]) or not len(names[0]) == len(names[1]) == len(values[0]):
            return False
        values = [[value for _, value in sorted(zip(*pair, strict=True))] for pair in zip(names, values, strict=True)]
    return _compare_in_order(values[0], values[1], compare)


def _compare_tuple_with_list(candidate: str, gold: str, compare: Compare) -> bool | None:
    """Compare `(1,2)` with `1,2` in order, because one of the two has an order."""
    parts = [found.parts if (found := split_brackets(answer)) else split_list(answer) for answer in (candidate, gold)]
    return len(parts[0]) == len(parts[1]) and _compare_in_order(parts[0], parts[1], compare)


def _remove_duplicates(parts: Sequence[str]) -> list[str]:
    return list({make_comparable(part): part for part in parts}.values())


def _expand_signs(parts: list[str]) -> list[str]:
    return [sign for part in parts for sign in (expand_plus_or_minus(part) or (part,))]


def _compare_in_order(candidate_parts: Sequence[str], gold_parts: Sequence[str], compare: Compare) -> bool | None:
    """Return False if one pair differs, None if none does and one is open."""
    verdicts = [compare(*pair) for pair in zip(candidate_parts, gold_parts, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def _compare_in_any_order(candidate_parts: Sequence[str], gold_parts: Sequence[str], compare: Compare) -> bool | None:
    """Return True if the parts pair off, None if they do so only with pairs whose comparison is open."""
    if len(candidate_parts) != len(gold_parts):
        return False
    if len(candidate_parts) > _MAX_UNORDERED:
        return _compare_in_order(candidate_parts, gold_parts, compare) or None
    verdicts = [[compare(part, other) for other in gold_parts] for part in candidate_parts]
    if has_full_pairing([[verdict is True for verdict in row] for row in verdicts]):
        return True
    return None if has_full_pairing([[verdict is not False for verdict in row] for row in verdicts]) else False


def has_full_pairing(is_pair: Sequence[Sequence[bool]]) -> bool:
    """Return True if every row can get a column of its own among those where it is True, by augmenting paths.

    Example: `has_full_pairing([[True, True], [True, False]]) is True`: row 0 leaves column 0 to row 1. First come,
    first served is not enough, because equality of answers is not transitive: 28% may stand for 28 or for 0.28.
    """
    row_of: dict[int, int] = {}

    def find_column(row: int, tried: set[int]) -> bool:
        for column, is_fitting in enumerate(is_pair[row]):
            if is_fitting and column not in tried:
                tried.add(column)
                if column not in row_of or find_column(row_of[column], tried):
                    row_of[column] = row
                    return True
        return False

    return all(find_column(row, set()) for row in range(len(is_pair)))

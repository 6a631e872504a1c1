r"""Compares answers that are made of parts, part by part: matrices, unions, sets and lists, equations, tuples.

Each function looks for one structure and returns `NO_SUCH`, if neither answer has it. It gets the comparison of parts
as an argument, because parts are answers again.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from reward_fns.equivalence.parts import (
    bracketed,
    connectives,
    equation_sides,
    gives_a_value,
    is_relation,
    list_parts,
    matrix_parts,
    plus_and_minus,
    set_parts,
    union_parts,
)
from reward_fns.equivalence.text import bare_text
from reward_fns.expressions.compare import compare_multiples, is_readable

Verdict = bool | None
Compare = Callable[[str, str], Verdict]


class NoSuch(Enum):
    """That neither answer has the structure."""

    STRUCTURE = "no such structure"


NO_SUCH: Final = NoSuch.STRUCTURE

# Comparing every member of a list with every other is quadratic.
_MAX_UNORDERED = 24


def compare_matrices(candidate: str, gold: str, compare: Compare) -> Verdict | NoSuch:
    """Matrices and column vectors, whatever their brackets, entry by entry. Other environments are left open."""
    candidate_rows, gold_rows = matrix_parts(candidate), matrix_parts(gold)
    if candidate_rows is None and gold_rows is None:
        return None if r"\begin" in candidate + gold else NO_SUCH
    if candidate_rows is None or gold_rows is None:
        return False if is_readable(gold if candidate_rows else candidate) else None
    if [len(row) for row in candidate_rows] != [len(row) for row in gold_rows]:
        return False
    return _all_equal(sum(candidate_rows, []), sum(gold_rows, []), compare)


def compare_unions(candidate: str, gold: str, compare: Compare) -> Verdict | NoSuch:
    """Unions, in any order of their members. Intervals are taken as they are written: (0,1] and [1,2) do not merge."""
    candidate_parts, gold_parts = union_parts(candidate), union_parts(gold)
    if len(candidate_parts) == len(gold_parts):
        return NO_SUCH if len(gold_parts) == 1 else _equal_in_any_order(candidate_parts, gold_parts, compare)
    return False if all(map(bracketed, candidate_parts + gold_parts)) else None


def compare_lists(candidate: str, gold: str, compare: Compare) -> Verdict | NoSuch:
    r"""Sets and lists without brackets, which may be written for each other; `a \pm b` is a list of two."""
    candidate_set, gold_set = set_parts(candidate), set_parts(gold)
    candidate_parts = _both_signs(list_parts(candidate) if candidate_set is None else candidate_set)
    gold_parts = _both_signs(list_parts(gold) if gold_set is None else gold_set)
    if len(candidate_parts) == len(gold_parts) == 1 and candidate_set is None and gold_set is None:
        return NO_SUCH
    if candidate.count(r"\{") - gold.count(r"\{") not in (-1, 0, 1):
        return False  # a set of sets
    if brackets := bracketed(candidate) or bracketed(gold):
        are_lists = r"\{" not in candidate + gold and (brackets.opening, brackets.closing) == ("(", ")")
        return _compare_tuple_with_list(candidate, gold, compare) if are_lists else False
    if any(map(is_relation, candidate_parts + gold_parts)) and connectives(candidate) != connectives(gold):
        return None
    if any(len(equation_sides(part)) > 1 for part in candidate_parts + gold_parts):
        return _compare_named(candidate_parts, gold_parts, compare)
    return _equal_in_any_order(_distinct(candidate_parts), _distinct(gold_parts), compare)


def compare_equations(candidate: str, gold: str, compare: Compare) -> Verdict | NoSuch:
    """Equations: by what they give, where one side is a name or a computation, else up to a constant factor."""
    candidate_sides, gold_sides = equation_sides(candidate), equation_sides(gold)
    if len(candidate_sides) == len(gold_sides) == 1:
        is_changed = (candidate_sides[0], gold_sides[0]) != (candidate, gold)
        return compare(candidate_sides[0], gold_sides[0]) if is_changed else NO_SUCH
    are_answers = gives_a_value(candidate_sides) and gives_a_value(gold_sides)
    have_one_name = min(len(candidate_sides), len(gold_sides)) == 1 or bare_text(candidate_sides[0]) == bare_text(
        gold_sides[0]
    )
    if are_answers and have_one_name:
        return compare(candidate_sides[-1], gold_sides[-1])
    if len(candidate_sides) == len(gold_sides) == 2:
        differences = [f"({left})-({right})" for left, right in (candidate_sides, gold_sides)]
        return compare_multiples(*differences)[0]
    expression = min(candidate_sides, gold_sides, key=len)
    return False if len(expression) == 1 and is_readable(expression[0]) else None


def compare_tuples(candidate: str, gold: str, compare: Compare) -> Verdict | NoSuch:
    """Tuples, points and intervals: the brackets, and the parts in order. A tuple is no number."""
    brackets = [bracketed(answer) for answer in (candidate, gold)]
    if max((len(found.parts) for found in brackets if found), default=1) == 1:
        return NO_SUCH
    if brackets[0] is None or brackets[1] is None:
        return False if is_readable(candidate if brackets[0] is None else gold) else None
    if len(brackets[0].parts) != len(brackets[1].parts):
        return False
    if (brackets[0].opening, brackets[0].closing) != (brackets[1].opening, brackets[1].closing):
        return False
    return _all_equal(brackets[0].parts, brackets[1].parts, compare)


def _compare_named(candidate_parts: Sequence[str], gold_parts: Sequence[str], compare: Compare) -> Verdict:
    """Lists with names: `x=1, y=2` by name, or in its order; `n=1, 2` and `x=1, x=2`, of one unknown, in any order."""
    sides = [[equation_sides(part) for part in parts] for parts in (candidate_parts, gold_parts)]
    if len(candidate_parts) != len(gold_parts):
        return False if min(len(candidate_parts), len(gold_parts)) == 1 else None
    if any(len(part) > 2 for parts in sides for part in parts):
        return None
    values = [[part[-1] for part in parts] for parts in sides]
    names = [[bare_text(part[0]) for part in parts if len(part) == 2] for parts in sides]
    if len(set(names[0] + names[1])) == 1:
        return _equal_in_any_order(values[0], values[1], compare)
    if names[0] and names[1] and names[0] != names[1]:
        if sorted(names[0]) != sorted(names[1]) or not len(names[0]) == len(names[1]) == len(values[0]):
            return False
        values = [[value for _, value in sorted(zip(*pair, strict=True))] for pair in zip(names, values, strict=True)]
    return _all_equal(values[0], values[1], compare)


def _compare_tuple_with_list(candidate: str, gold: str, compare: Compare) -> Verdict:
    """`(1,2)` and `1,2`: in order, because one of the two has an order."""
    parts = [found.parts if (found := bracketed(answer)) else list_parts(answer) for answer in (candidate, gold)]
    return len(parts[0]) == len(parts[1]) and _all_equal(parts[0], parts[1], compare)


def _distinct(parts: Sequence[str]) -> list[str]:
    return list({bare_text(part): part for part in parts}.values())


def _both_signs(parts: list[str]) -> list[str]:
    return [sign for part in parts for sign in (plus_and_minus(part) or (part,))]


def _all_equal(candidate_parts: Sequence[str], gold_parts: Sequence[str], compare: Compare) -> Verdict:
    """False if one pair differs, None if none does and one is open."""
    verdicts = [compare(*pair) for pair in zip(candidate_parts, gold_parts, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def _equal_in_any_order(candidate_parts: Sequence[str], gold_parts: Sequence[str], compare: Compare) -> Verdict:
    """Whether the parts pair off; open if they do so only with pairs whose comparison is open."""
    if len(candidate_parts) != len(gold_parts):
        return False
    if len(candidate_parts) > _MAX_UNORDERED:
        return _all_equal(candidate_parts, gold_parts, compare) or None
    verdicts = [[compare(part, other) for other in gold_parts] for part in candidate_parts]
    if can_pair_off([[verdict is True for verdict in row] for row in verdicts]):
        return True
    return None if can_pair_off([[verdict is not False for verdict in row] for row in verdicts]) else False


def can_pair_off(is_pair: Sequence[Sequence[bool]]) -> bool:
    """Whether every row can get a column of its own among those where it is True, by augmenting paths.

    First come, first served is not enough, because equality of answers is not transitive: 28% may stand for 28 or for
    0.28, and leaves the other one to whom it is the only one.
    """
    row_of: dict[int, int] = {}

    def finds_column(row: int, tried: set[int]) -> bool:
        for column, fits in enumerate(is_pair[row]):
            if fits and column not in tried:
                tried.add(column)
                if column not in row_of or finds_column(row_of[column], tried):
                    row_of[column] = row
                    return True
        return False

    return all(finds_column(row, set()) for row in range(len(is_pair)))

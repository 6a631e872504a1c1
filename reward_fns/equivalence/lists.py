r"""Sets and lists without brackets are compared, in any order or in theirs."""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, TypeVar

from reward_fns.equivalence.parts import (
    expand_plus_or_minus,
    find_connectives,
    is_name,
    is_relation,
    split_brackets,
    split_equation,
    split_list,
    split_set,
)
from reward_fns.equivalence.text import make_comparable

Compare = Callable[[str, str], bool | None]
Part = TypeVar("Part")


class NoSuch(Enum):
    """Says that neither answer has the structure."""

    STRUCTURE = "no such structure"


NO_SUCH: Final = NoSuch.STRUCTURE
StructureVerdict = bool | None | NoSuch

# Comparing every member of a list with every other is quadratic.
_MAX_UNORDERED = 24


def compare_lists(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    r"""Compare sets and lists without brackets, which may be written for each other; `a \pm b` is a list of two.

    Example: `compare_lists("1, 2", r"\{2,1\}", str.__eq__) is True`
    """
    candidate_set, gold_set = split_set(candidate), split_set(gold)
    candidate_parts = _expand_signs(split_list(candidate) if candidate_set is None else candidate_set)
    gold_parts = _expand_signs(split_list(gold) if gold_set is None else gold_set)
    if len(candidate_parts) == len(gold_parts) == 1 and candidate_set is None and gold_set is None:
        return NO_SUCH
    if r"\emptyset" in (candidate, gold) or candidate.count(r"\{") - gold.count(r"\{") not in (-1, 0, 1):
        return False  # a set of sets
    is_expanded = r"\pm" in candidate + gold or r"\mp" in candidate + gold
    if not is_expanded and (brackets := split_brackets(candidate) or split_brackets(gold)):
        is_list = r"\{" not in candidate + gold and (brackets.opening, brackets.closing) == ("(", ")")
        return _compare_tuple_with_list(candidate, gold, compare) if is_list else False
    if any(map(is_relation, candidate_parts + gold_parts)) and find_connectives(candidate) != find_connectives(gold):
        return None
    if any(len(split_equation(part)) > 1 for part in candidate_parts + gold_parts):
        return _compare_named(candidate_parts, gold_parts, compare)
    return compare_in_any_order(_remove_duplicates(candidate_parts), _remove_duplicates(gold_parts), compare)


def _compare_named(candidate_parts: Sequence[str], gold_parts: Sequence[str], compare: Compare) -> bool | None:
    """Compare `x=1, y=2` by name, or in its order, and `n=1, 2` or `x=1, x=2`, of one unknown, in any order."""
    sides = [[split_equation(part) for part in parts] for parts in (candidate_parts, gold_parts)]
    if len(candidate_parts) != len(gold_parts):
        return False if min(len(candidate_parts), len(gold_parts)) == 1 else None
    if any(len(part) > 2 for parts in sides for part in parts):
        return None
    if not all(is_name(part[0]) for parts in sides for part in parts if len(part) == 2):
        return compare_in_any_order(candidate_parts, gold_parts, compare)
    values = [[part[-1] for part in parts] for parts in sides]
    names = [[make_comparable(part[0]) for part in parts if len(part) == 2] for parts in sides]
    unknowns = {re.sub("_[0-9]$", "", name) for name in names[0] + names[1]}
    if len(set(names[0] + names[1])) == 1 or (len(unknowns) == 1 and 1 in map(len, map(set, names))):
        return compare_in_any_order(values[0], values[1], compare)
    if names[0] and names[1] and names[0] != names[1]:
        if sorted(names[0]) != sorted(names[1]) or not len(names[0]) == len(names[1]) == len(values[0]):
            return False
        values = [[value for _, value in sorted(zip(*pair, strict=True))] for pair in zip(names, values, strict=True)]
    return compare_in_order(values[0], values[1], compare)


def _compare_tuple_with_list(candidate: str, gold: str, compare: Compare) -> bool | None:
    """Compare `(1,2)` with `1,2` in order, because one of the two has an order."""
    parts = [found.parts if (found := split_brackets(answer)) else split_list(answer) for answer in (candidate, gold)]
    return len(parts[0]) == len(parts[1]) and compare_in_order(parts[0], parts[1], compare)


def _remove_duplicates(parts: Sequence[str]) -> list[str]:
    return list({make_comparable(part): part for part in parts}.values())


def _expand_signs(parts: list[str]) -> list[str]:
    return [sign for part in parts for sign in (expand_plus_or_minus(part) or (part,))]


def compare_in_order(
    candidate_parts: Sequence[Part], gold_parts: Sequence[Part], compare: Callable[[Part, Part], bool | None]
) -> bool | None:
    """Compare pairs in their order. Example: `compare_in_order("ab", "ab", str.__eq__) is True`

    Returns False if one pair differs, None if none does and one is open.
    """
    verdicts = [compare(*pair) for pair in zip(candidate_parts, gold_parts, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def compare_in_any_order(
    candidate_parts: Sequence[Part], gold_parts: Sequence[Part], compare: Callable[[Part, Part], bool | None]
) -> bool | None:
    """Return True if the parts pair off, None if they do so only with pairs whose comparison is open.

    Example: `compare_in_any_order("ab", "ba", str.__eq__) is True`
    """
    if len(candidate_parts) != len(gold_parts):
        return False
    if len(candidate_parts) > _MAX_UNORDERED:
        return compare_in_order(candidate_parts, gold_parts, compare) or None
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

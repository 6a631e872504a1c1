r"""Answers that are made of parts are compared part by part: matrices, vectors, unions, cases, equations, tuples.

Each `compare_` function looks for one structure: it returns True or False, None if the answer is left open, and
`NO_SUCH` if neither answer has the structure. Parts are answers again, so it is handed their comparison.
"""

import re
from collections.abc import Sequence

from reward_fns.equivalence.lists import (
    NO_SUCH,
    Compare,
    StructureVerdict,
    compare_in_any_order,
    compare_in_order,
)
from reward_fns.equivalence.parts import (
    has_answer_on_right,
    split_at,
    split_brackets,
    split_equation,
    split_matrix,
    split_union,
)
from reward_fns.equivalence.text import make_comparable, remove_text_commands
from reward_fns.expressions.compare import compare_expressions, compare_multiples
from reward_fns.expressions.points import is_readable
from reward_fns.expressions.roots import have_same_roots

_UNIT_VECTORS = ("V_i", "V_j", "V_k")
_PLAIN_UNIT = re.compile(r"(?<![\\a-zA-Z_])([ijk])(?![a-zA-Z_])")
_CASES = re.compile(r"(?:[a-zA-Z]+ ?(?:\([a-z]\))? ?= ?)?\\begin\{cases\}(.*)\\end\{cases\}\.?", re.DOTALL)
_COMMA = re.compile(",")
_CONDITION_WORDS = re.compile(r"^(?:if|for|when|where)\b|(?<![a-zA-Z])is(?![a-zA-Z])|[,;]$")
_FUNCTION_OF_X = re.compile(r"[a-zA-Z](?:\^\{-1\})?\(x\)")


def compare_matrices(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    r"""Compare matrices and column vectors entry by entry, whatever their brackets; other environments are left open.

    Example: `compare_matrices("1", "2", str.__eq__) is NO_SUCH`
    """
    candidate_rows, gold_rows = split_matrix(candidate), split_matrix(gold)
    if candidate_rows is None and gold_rows is None:
        return None if r"\begin" in candidate + gold else NO_SUCH
    if candidate_rows is None or gold_rows is None:
        other = candidate if candidate_rows is None else gold
        brackets = split_brackets(other)
        if len(split_equation(other)) > 1:
            return NO_SUCH
        entries = split_vector(candidate_rows or gold_rows or [])
        if entries and brackets and (brackets.opening, brackets.closing) == ("(", ")"):
            if len(brackets.parts) != len(entries):
                return False
            is_reversed = candidate_rows is not None
            pair: list[Sequence[str]] = [entries, brackets.parts] if is_reversed else [brackets.parts, entries]
            return compare_in_order(pair[0], pair[1], compare)
        return False if is_readable(gold if candidate_rows else candidate) else None
    if [len(row) for row in candidate_rows] != [len(row) for row in gold_rows]:
        return False
    return compare_in_order(sum(candidate_rows, []), sum(gold_rows, []), compare)


def split_vector(rows: list[list[str]]) -> list[str]:
    """Return the entries of a single row or column, and none of a larger matrix. `split_vector([["1"]]) == ["1"]`"""
    return sum(rows, []) if len(rows) == 1 or all(len(row) == 1 for row in rows) else []


def compare_vectors(candidate: str, gold: str, _: Compare) -> StructureVerdict:
    r"""Compare a sum of unit vectors with another, with a tuple or with a column.

    Example: `compare_vectors("V_i +2 V_j ", "(1,2)", str.__eq__) is True`
    """
    sums = [answer if "V_" in answer else _write_as_sum(answer) for answer in (candidate, gold)]
    if "V_" in candidate or "V_" in gold:
        return None if None in sums else compare_expressions(*sums)  # type: ignore[arg-type]
    if (sums[0] is None) == (sums[1] is None):
        return NO_SUCH
    plain, other = (candidate, sums[1]) if sums[0] is None else (gold, sums[0])
    if not _PLAIN_UNIT.search(plain.replace("i", "")):
        return NO_SUCH
    return True if compare_expressions(_PLAIN_UNIT.sub(r" V_\1 ", plain), other or "") else NO_SUCH


def _write_as_sum(answer: str) -> str | None:
    """Return `1 V_i + 2 V_j` for a tuple or a column of two or three."""
    rows, brackets = split_matrix(answer), split_brackets(answer)
    entries = split_vector(rows) if rows else brackets.parts if brackets and brackets.opening == "(" else ()
    if not 2 <= len(entries) <= len(_UNIT_VECTORS):
        return None
    return " + ".join(f"({entry}) {unit}" for entry, unit in zip(entries, _UNIT_VECTORS, strict=False))


def compare_cases(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    r"""Compare functions in pieces by their values and conditions, in any order.

    Example: `compare_cases("1", "2", str.__eq__) is NO_SUCH`
    """
    pieces = [_split_cases(answer) for answer in (candidate, gold)]
    if pieces[0] is None or pieces[1] is None:
        return NO_SUCH

    def compare_pieces(one: tuple[str, str], other: tuple[str, str]) -> bool | None:
        conditions = [_CONDITION_WORDS.sub("", text).strip() for text in (one[1], other[1])]
        is_other = ["otherwise" in condition or "else" in condition for condition in conditions]
        if is_other[0] != is_other[1]:
            return None
        parts = [(one[0], conditions[0]), (other[0], conditions[1])]
        num_compared = 1 if is_other[0] else 2
        return compare_in_order(parts[0][:num_compared], parts[1][:num_compared], compare)

    return compare_in_any_order(pieces[0], pieces[1], compare_pieces)


def _split_cases(answer: str) -> list[tuple[str, str]] | None:
    """Return the value and the condition of each case, or None if the answer is not a function in pieces."""
    cases = _CASES.fullmatch(answer)
    if cases is None:
        return None
    rows = [row.strip() for row in cases[1].split(r"\\") if row.strip()]
    pieces = [row.split("&", 1) if "&" in row else split_at(_COMMA, row) for row in rows]
    if any(len(piece) != 2 for piece in pieces):
        return None
    return [(piece[0].strip(" ,;"), remove_text_commands(piece[1].strip(" ,;&")).strip()) for piece in pieces]


def compare_unions(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    r"""Compare unions in any order of their members. Intervals are not merged, as (0,1] and [1,2) could be.

    Example: `compare_unions(r"A \cup B", r"B \cup A", str.__eq__) is True`
    """
    candidate_parts, gold_parts = split_union(candidate), split_union(gold)
    if len(candidate_parts) == len(gold_parts):
        return NO_SUCH if len(gold_parts) == 1 else compare_in_any_order(candidate_parts, gold_parts, compare)
    return False if all(map(split_brackets, candidate_parts + gold_parts)) else None


def compare_equations(candidate: str, gold: str, compare: Compare) -> StructureVerdict:
    """Compare equations by what they give, where one side is a name or a computation, else up to a constant factor.

    Example: `compare_equations("x=5", "5", str.__eq__) is True`
    """
    candidate_sides, gold_sides = split_equation(candidate), split_equation(gold)
    if len(candidate_sides) == len(gold_sides) == 1:
        is_changed = (candidate_sides[0], gold_sides[0]) != (candidate, gold)
        return compare(candidate_sides[0], gold_sides[0]) if is_changed else NO_SUCH
    if any(make_comparable(sides[0]) in map(make_comparable, sides[1:-1]) for sides in (candidate_sides, gold_sides)):
        return None
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
    return compare_in_order(brackets[0].parts, brackets[1].parts, compare)


def _name_one_function(one: str, other: str) -> bool:
    """Return True for `y` and `f(x)`."""
    return any(pair[0] == "y" and _FUNCTION_OF_X.fullmatch(pair[1]) for pair in ((one, other), (other, one)))

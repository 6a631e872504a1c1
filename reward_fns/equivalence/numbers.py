"""Written numbers are compared, with or without units."""

import re

from reward_fns.equivalence.parts import (
    has_answer_on_right,
    is_relation,
    split_brackets,
    split_equation,
    split_matrix,
    split_union,
)
from reward_fns.equivalence.units import PERCENT, split_unit
from reward_fns.equivalence.vocabulary import is_time_of_day
from reward_fns.equivalence.written_numbers import read_number
from reward_fns.expressions.compare import is_rounded

_LONG_WORD = re.compile(r"(?<![\\a-zA-Z])(?!sqrt|sinh|cosh|tanh)[a-zA-Z]{4,}")
_DECIMAL_COMMA = re.compile(r"-?0,[0-9]{3,}")
_GROUPED_DIGITS = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9,])")
_PLAIN_NUMBER = re.compile(r"-? ?(?:[0-9.,/ ]*[0-9]|[0-9]* ?\\frac\{-?[0-9]+\}\{[0-9]+\})%?")


def are_plain_numbers(candidate: str, gold: str) -> bool:
    """Return True if both are digits alone, or a fraction of such. `are_plain_numbers("1/2", "0.5") is True`"""
    return all(map(_PLAIN_NUMBER.fullmatch, (candidate, gold)))


def join_thousands(text: str, other: str) -> str:
    """Return `text` without separators of thousands if `other` has no comma, so that `text` can be no list for it.

    Two written numbers keep theirs: `compare_numbers` knows which comma is a decimal one.
    Example: `join_thousands("1,000,000", "10^6") == "1000000"`
    """
    if "," in other or read_number(split_unit(other)[0]) is not None:
        return text
    return _GROUPED_DIGITS.sub(lambda found: found[0].replace(",", ""), text)


def compare_numbers(candidate: str, gold: str) -> bool | None:
    """Compare two written numbers, with or without units, or one with something that is certainly no number.

    Example: `compare_numbers("1 km", "1000 meters") is True`
    """
    (candidate_number, candidate_unit), (gold_number, gold_unit) = split_unit(candidate), split_unit(gold)
    if _DECIMAL_COMMA.fullmatch(gold_number):
        gold_number = gold_number.replace(",", ".")
    candidate_value, gold_value = read_number(candidate_number), read_number(gold_number)
    if candidate_value is None and "." in gold_number:
        candidate_value = read_number(candidate_number.replace(",", "."))
    if candidate_value is None and gold_value is None:
        return None
    if is_time_of_day(candidate) or is_time_of_day(gold):
        return False
    if candidate_value is None or gold_value is None:
        return False if _is_no_number(candidate if candidate_value is None else gold) else None
    if candidate_unit and gold_unit:
        if candidate_unit.powers != gold_unit.powers:
            return False
        candidate_value *= candidate_unit.factor / gold_unit.factor
    elif PERCENT in (candidate_unit, gold_unit):
        percent, plain = (candidate_value, gold_value) if candidate_unit else (gold_value, candidate_value)
        return plain in (percent, percent / 100)
    return candidate_value == gold_value or is_rounded(candidate_number, gold_number, candidate_value, gold_value)


def _is_no_number(answer: str) -> bool:
    """Return True if `answer` is certainly not one number: a union, a matrix, a tuple, an equation, plain words."""
    if len(split_union(answer)) > 1 or split_matrix(answer) is not None:
        return True
    enclosing = split_brackets(answer)
    if enclosing is not None and len(enclosing.parts) > 1:
        return True
    if not any(character.isdigit() for character in answer) and _LONG_WORD.search(answer) and "\\" not in answer:
        return True
    return not has_answer_on_right(split_equation(answer)) and not is_relation(answer)

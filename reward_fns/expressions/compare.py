r"""Expressions are compared by their values at two fixed points.

Two rational expressions that agree at a point are the same but for a chance of some one in a thousand per degree, at
two points of one in a million; beyond rational ones the comparison is to 38 digits. One point has all variables between
0 and 1, the other between 1 and 3, so that roots and logarithms are mostly real at one of the two at least.
"""

import re
import threading
import zlib
from collections.abc import Callable
from fractions import Fraction

from reward_fns.expressions.commands import COMMANDS
from reward_fns.expressions.reader import Reader
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import Undefined, Value, are_equal, is_complex, make_rounded

_POINTS = (0, 1)
_EVALUATION = threading.Lock()  # mpmath's contexts are not safe for threads at the same time.
_IMAGINARY_UNIT = re.compile(r"(?<![\\a-zA-Z])i(?![a-zA-Z])")
_LONG_DECIMAL = re.compile(r"-?[0-9]*\.([0-9]{6,})")


def compare_expressions(candidate: str, gold: str) -> bool | None:
    """Return True if the two expressions have the same values, and None if one cannot be read.

    An expression without a value, as 1/0, equals nothing. Raises TooLarge.
    Example: `compare_expressions("(x+1)^2", "x^2+2x+1") is True`
    """
    try:
        pairs = [(evaluate_at(point, candidate), evaluate_at(point, gold)) for point in _POINTS]
    except Undefined:
        return False
    except Unreadable:
        return None
    for candidate_value, gold_value in pairs:
        if are_equal(candidate_value, gold_value):
            continue
        if is_rounded(candidate, gold, candidate_value, gold_value):
            return True
        is_branch = is_complex(candidate_value) != is_complex(gold_value)
        if is_branch and not _IMAGINARY_UNIT.search(f"{candidate} {gold}"):
            return None  # the root of a number that happens to be negative here
        return are_equal(candidate_value, gold_value)
    return True


def compare_multiples(candidate: str, gold: str) -> tuple[bool | None, int]:
    """Return True if one expression is a constant multiple of the other, with the sign of the factor.

    The sign is 0 where they are not, or where it is not real. None if one cannot be read. Raises TooLarge.
    Example: `compare_multiples("2x-2y", "y-x") == (True, -1)`
    """
    try:
        values = [[make_rounded(evaluate_at(point, text)) for point in _POINTS] for text in (candidate, gold)]
    except (Undefined, Unreadable):
        return None, 0
    (first, second), (gold_first, gold_second) = values
    if not first or not gold_first:
        return None, 0
    verdict = are_equal(first * gold_second, second * gold_first)
    is_real = not is_complex(first) and not is_complex(gold_first)
    return verdict, (1 if first * gold_first > 0 else -1) if verdict and is_real else 0


def is_readable(text: str) -> bool:
    """Return True if `text` is one expression. Example: `is_readable("x=1") is False`"""
    try:
        evaluate_at(0, text)
    except (ArithmeticError, Unreadable):
        return False
    return True


def evaluate_at(point: int, text: str) -> Value:
    """Return the value of the expression at point 0 or 1, one thread at a time.

    Raises Unreadable, Undefined and TooLarge. Example: `evaluate_at(0, "x+1") == evaluate_at(0, "x") + 1`
    """

    def value_of(name: str) -> Fraction:
        position = zlib.crc32(f"{point} {name}".encode(errors="surrogatepass")) % 9973
        return Fraction(9973 * point + position * (1 + point) + 101, 10177)

    with _EVALUATION:
        return evaluate(text, value_of)


def evaluate(text: str, value_of: Callable[[str], Value]) -> Value:
    """Return the value of the expression `text`, with `value_of(name)` for each variable.

    Raises Unreadable outside the grammar, Undefined where there is no value, TooLarge beyond the bounds of `limits`.
    Example: `evaluate("2x!", {"x": Fraction(3)}.get) == 12`
    """
    reader = Reader(text, value_of, COMMANDS)
    value = reader.read_sum()
    if reader.peek():
        raise Unreadable(text)
    return value


def is_rounded(candidate: str, gold: str, candidate_value: Value, gold_value: Value) -> bool:
    """Return True if one is the other, rounded or cut after at least six decimals, of which six carry its value.

    A number whose decimals end has to be written with all of them. 0.666666 and 0.6666667 are 2/3, and 0.667 is not:
    `is_rounded("0.667", "2/3", Fraction("0.667"), Fraction(2, 3)) is False`
    """
    decimals = [_LONG_DECIMAL.fullmatch(text.strip()) for text in (candidate, gold)]
    if all(decimals) or not any(decimals):
        return False
    decimal, rounded, exact = (
        (decimals[0], candidate_value, gold_value) if decimals[0] else (decimals[1], gold_value, candidate_value)
    )
    last_place = Fraction(1, 10 ** len(decimal[1]))  # type: ignore[index]
    if _has_finite_decimals(exact) or abs(rounded) < last_place * 10**5:
        return False
    return bool(abs(make_rounded(rounded) - make_rounded(exact)) < make_rounded(last_place))


def _has_finite_decimals(value: Value) -> bool:
    if not isinstance(value, Fraction):
        return False
    return pow(10, value.denominator.bit_length(), value.denominator) == 0

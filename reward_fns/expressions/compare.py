r"""Expressions are compared by their values at fixed points.

Two rational expressions that agree at a point are the same but for a chance of some one in a thousand per degree, at
two points of one in a million; beyond rational ones the comparison is to 38 digits. What can change its sign, within
bars or under a root, is compared at more points. Variables are negative only where bars ask for it, because roots of
variables are written for positive ones. Numbers that agree to 38 digits are computed again to 400.
"""

import re
from fractions import Fraction

from reward_fns.expressions.points import (
    ABOVE,
    ABOVE_IN_OTHER_ORDER,
    NEAR_ZERO,
    SIGNED_POINTS,
    USUAL_POINTS,
    WHOLE_POINTS,
    computing_to_more_digits,
    evaluate_at,
    evaluate_with,
    find_factors,
    find_scale,
    find_whole_letters,
)
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import ROUNDED, TooLarge, Undefined, Value, are_equal, is_complex, make_rounded

_IMAGINARY_UNIT = re.compile(r"(?<![\\a-zA-Z])i(?![a-zA-Z])")
_LONG_DECIMAL = re.compile(r"-?[0-9]*\.([0-9]{6,})(?: ?(?:\\times|\\cdot|\*) ?10 ?\^ ?\{?(-?[0-9]{1,3})\}?)?")
_SIGN_CHANGE = re.compile(r"\||\\sqrt|√|\\frac\{[0-9]+\}\{[0-9]+\}\}|\^\{?\(?[0-9]+/|sgn|\\max|\\min")
_ZERO = ROUNDED.mpf("1e-38")


def compare_expressions(candidate: str, gold: str) -> bool | None:
    """Return True if the two expressions have the same values, and None if one cannot be read.

    An expression without a value, as 1/0, equals nothing. Raises TooLarge.
    Example: `compare_expressions("(x+1)^2", "x^2+2x+1") is True`
    """
    factors = find_factors(candidate, gold)
    if whole := find_whole_letters(candidate, gold):
        verdict = _compare_at_whole_numbers(candidate, gold, factors, whole)
        if verdict is not None:
            return verdict
    try:
        pairs = [(evaluate_at(point, candidate, factors), evaluate_at(point, gold, factors)) for point in USUAL_POINTS]
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
            # The root of a number that happens to be negative here.
            return True if _agree_above(candidate, gold, factors) else None
        if whole:
            return None  # equal for whole numbers, maybe
        return are_equal(candidate_value, gold_value)
    if any(_SIGN_CHANGE.search(text) for text in (candidate, gold)) and _differ_elsewhere(candidate, gold, factors):
        return False
    is_exact = all(isinstance(value, Fraction) for value in pairs[0])
    return True if is_exact or pairs[0] != pairs[1] else _confirm(candidate, gold)


def _compare_at_whole_numbers(candidate: str, gold: str, factors: frozenset[str], whole: frozenset[str]) -> bool | None:
    """Return True if the values agree at all points at which the letters `whole` are whole numbers, None if unclear."""
    for point in WHOLE_POINTS:
        try:
            values = [evaluate_at(point, text, factors, whole=whole) for text in (candidate, gold)]
        except (Unreadable, ArithmeticError):
            return None
        if all(abs(make_rounded(value)) < _ZERO for value in values):
            continue
        verdict = are_equal(*values)
        if not verdict:
            return verdict
    return True


def _differ_elsewhere(candidate: str, gold: str, factors: frozenset[str]) -> bool:
    """Return True if two expressions that agree at the usual points have different real values at another."""
    scale = find_scale(candidate, gold)
    has_bars = "|" in candidate + gold
    for point in (ABOVE, ABOVE_IN_OTHER_ORDER, NEAR_ZERO) + has_bars * SIGNED_POINTS:
        try:
            values = [evaluate_at(point, text, factors, scale) for text in (candidate, gold)]
        except (Undefined, TooLarge):
            continue
        if not any(map(is_complex, values)) and are_equal(*values) is False:
            return True
    return False


def _agree_above(candidate: str, gold: str, factors: frozenset[str]) -> bool:
    """Return True if two expressions have the same real values where every variable exceeds the numbers in them."""
    scale = find_scale(candidate, gold)
    for point in (ABOVE, ABOVE_IN_OTHER_ORDER):
        try:
            values = [evaluate_at(point, text, factors, scale) for text in (candidate, gold)]
        except ArithmeticError:
            return False
        if any(map(is_complex, values)) or are_equal(*values) is not True:
            return False
    return True


def _confirm(candidate: str, gold: str) -> bool | None:
    """Compare two numbers to more digits: the root of 10^80 + 1 is not 10^40."""
    with computing_to_more_digits():
        try:
            return are_equal(evaluate_with({}, candidate), evaluate_with({}, gold))
        except (Unreadable, ArithmeticError):
            return True


def compare_multiples(candidate: str, gold: str) -> tuple[bool | None, int]:
    """Return True if one expression is a constant multiple of the other, with the sign of the factor.

    The sign is 0 where they are not, or where it is not real. None if one cannot be read. Raises TooLarge.
    Example: `compare_multiples("2x-2y", "y-x") == (True, -1)`
    """
    has_bars = "|" in candidate + gold
    points = USUAL_POINTS + has_bars * (ABOVE, ABOVE_IN_OTHER_ORDER, *SIGNED_POINTS)
    scale, factors = find_scale(candidate, gold), find_factors(candidate, gold)
    try:
        values = [
            [make_rounded(evaluate_at(point, text, factors, scale)) for point in points] for text in (candidate, gold)
        ]
    except (Undefined, Unreadable):
        return None, 0
    (first, *others), (gold_first, *gold_others) = values
    if not first or not gold_first:
        return None, 0
    verdicts = [are_equal(first * other, mine * gold_first) for mine, other in zip(others, gold_others, strict=True)]
    verdict = False if False in verdicts else None if None in verdicts else True
    is_real = not is_complex(first) and not is_complex(gold_first)
    return verdict, (1 if first * gold_first > 0 else -1) if verdict and is_real else 0


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
    last_place = Fraction(10) ** (int(decimal[2] or 0) - len(decimal[1]))  # type: ignore[index]
    if _has_finite_decimals(exact) or abs(rounded) < last_place * 10**5:
        return False
    return bool(abs(make_rounded(rounded) - make_rounded(exact)) < make_rounded(last_place))


def _has_finite_decimals(value: Value) -> bool:
    if not isinstance(value, Fraction):
        return False
    return pow(10, value.denominator.bit_length(), value.denominator) == 0

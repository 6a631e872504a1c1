"""Values are exact fractions as long as possible, and beyond that numbers of 50 digits.

Every operation is bounded before it is carried out (`limits`): a value that would be too large raises `TooLarge`
instead of taking time and memory. Rounded arithmetic is mpmath's, the library below sympy.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from mpmath.ctx_mp import MPContext

from reward_fns.expressions.scanner import Unreadable
from reward_fns.limits import MAX_EXACT_BITS, MAX_FACTORIAL, MAX_MAGNITUDE_BITS, MAX_TOTAL_BITS

# A context of its own: the precision of mpmath's shared one belongs to everybody. Not safe for threads at the same
# time, because mpmath raises the precision within some functions; `compare` holds a lock.
ROUNDED = MPContext()
ROUNDED.dps = 50

# Two ways to compute one number agree to almost 50 digits; two different numbers of an answer's size differ earlier.
_LOST_DIGITS, _DOUBTFUL_DIGITS = 12, 16

# Rounded results below this may be nothing but the rounding error of a difference.
_NOISE = ROUNDED.mpf("1e-38")

Value = Any  # a Fraction, or mpmath's real or complex number, which has no static type

FUNCTIONS: Mapping[str, Callable[[Value], Value]] = {
    "sin": ROUNDED.sin,
    "cos": ROUNDED.cos,
    "tan": ROUNDED.tan,
    "cot": ROUNDED.cot,
    "sec": ROUNDED.sec,
    "csc": ROUNDED.csc,
    "arcsin": ROUNDED.asin,
    "arccos": ROUNDED.acos,
    "arctan": ROUNDED.atan,
    "sinh": ROUNDED.sinh,
    "cosh": ROUNDED.cosh,
    "tanh": ROUNDED.tanh,
    "exp": ROUNDED.exp,
    "ln": ROUNDED.ln,
    "cis": lambda angle: ROUNDED.exp(ROUNDED.mpc(0, 1) * angle),
}


class TooLarge(ArithmeticError):
    """Raised where the value of an expression exceeds what is worth computing."""


class Undefined(ArithmeticError):
    """Raised where an expression has no value: a division by zero, a logarithm of zero."""


class Arithmetic:
    """Computes with values within bounds; one object for each evaluation, because it adds up the exact work.

    Example: `Arithmetic().divide(Fraction(1), Fraction(3)) == Fraction(1, 3)`
    """

    def __init__(self) -> None:
        self._bits_left = MAX_TOTAL_BITS

    def add(self, left: Value, right: Value) -> Value:
        return self._operate(left, right, lambda a, b: a + b)

    def multiply(self, left: Value, right: Value) -> Value:
        return self._operate(left, right, lambda a, b: a * b)

    def divide(self, left: Value, right: Value) -> Value:
        if right == 0:
            raise Undefined("division by zero")
        return self._operate(left, right, lambda a, b: a / b)

    def raise_to_power(self, base: Value, exponent: Value) -> Value:
        """Raise `base` to `exponent`; exact for an exact base and a whole exponent, or a root that comes out even."""
        if base == 0:
            if not isinstance(exponent, Fraction) or exponent < 0:
                raise Undefined("a power of zero")
            return Fraction(int(exponent == 0))
        if isinstance(base, Fraction) and isinstance(exponent, Fraction):
            if exponent.denominator == 1:
                return self._raise_to_whole_power(base, exponent.numerator)
            root = _find_exact_root(base, exponent.denominator)
            if root is not None:
                return self._raise_to_whole_power(root, exponent.numerator)
        if exponent == 1:
            return base
        base, exponent = make_rounded(base), make_rounded(exponent)
        if abs(exponent) * (abs(ROUNDED.mag(base)) + 1) > MAX_MAGNITUDE_BITS:
            raise TooLarge("power")
        return ROUNDED.power(base, exponent)

    def compute_factorial(self, argument: Value) -> Value:
        """Return the factorial, which is the gamma function between the whole numbers."""
        if is_complex(argument) or (argument < 0 and (not isinstance(argument, Fraction) or argument.denominator == 1)):
            raise Unreadable("factorial")
        if abs(argument) > MAX_FACTORIAL:
            raise TooLarge("factorial")
        if not isinstance(argument, Fraction) or argument.denominator != 1:
            return ROUNDED.gamma(make_rounded(argument) + 1)
        return self._count_bits(Fraction(math.factorial(argument.numerator)))

    def compute_double_factorial(self, argument: Value) -> Value:
        """Return n(n-2)(n-4)... of a whole number: `Arithmetic().compute_double_factorial(Fraction(5)) == 15`"""
        if not isinstance(argument, Fraction) or argument.denominator != 1 or argument < 0:
            raise Unreadable("double factorial")
        if argument > MAX_FACTORIAL:
            raise TooLarge("double factorial")
        return self._count_bits(Fraction(math.prod(range(argument.numerator, 0, -2))))

    def apply(self, function: Callable[[Value], Value], argument: Value) -> Value:
        """Apply a function of mpmath to `argument`. Raises Undefined at a pole."""
        argument = make_rounded(argument)
        if abs(ROUNDED.mag(argument)) > 128 and argument != 0:
            raise TooLarge("argument of a function")
        try:
            result = function(argument)
        except (ValueError, ZeroDivisionError) as error:
            raise Undefined("a function at a pole") from error
        if not ROUNDED.isfinite(result):
            raise Undefined("a function at a pole")
        return result

    def _raise_to_whole_power(self, base: Fraction, exponent: int) -> Fraction:
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if size > 1 and abs(exponent) * size > MAX_EXACT_BITS:
            raise TooLarge("power")
        return self._count_bits(base**exponent)

    def _operate(self, left: Value, right: Value, operation: Callable[[Value, Value], Value]) -> Value:
        if isinstance(left, Fraction) and isinstance(right, Fraction):
            return self._count_bits(operation(left, right))
        return operation(make_rounded(left), make_rounded(right))

    def _count_bits(self, value: Fraction) -> Fraction:
        bits = value.numerator.bit_length() + value.denominator.bit_length()
        self._bits_left -= bits
        if bits > 2 * MAX_EXACT_BITS or self._bits_left < 0:
            raise TooLarge("exact number")
        return value


def make_rounded(value: Value) -> Value:
    """Return the value as a number of mpmath. Example: `make_rounded(Fraction(1, 2)) == 0.5`"""
    if isinstance(value, Fraction):
        return ROUNDED.mpf(value.numerator) / value.denominator
    return value


def are_equal(left: Value, right: Value) -> bool | None:
    """Return True if two values are equal: exactly where both are exact, else to some 38 digits; None in between.

    Differences are relative to the larger value: `are_equal(ROUNDED.mpf(2) ** -98, ROUNDED.mpf(2) ** -99) is False`
    """
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left == right
    left, right = make_rounded(left), make_rounded(right)
    scale = max(abs(left), abs(right))
    if scale < _NOISE:
        return True if left == right else None
    difference = abs(left - right) / scale
    if difference < ROUNDED.mpf(10) ** (_LOST_DIGITS - ROUNDED.dps):
        return True
    return False if difference > ROUNDED.mpf(10) ** (_DOUBTFUL_DIGITS - ROUNDED.dps) else None


def is_complex(value: Value) -> bool:
    """Return True if the value lies off the real line. Example: `is_complex(ROUNDED.mpc(0, 1)) is True`"""
    return not isinstance(value, Fraction) and bool(ROUNDED.im(value))


def _find_exact_root(base: Fraction, degree: int) -> Fraction | None:
    """Return the positive root of that degree if it is a fraction, else None."""
    if base < 0 or degree > 64:
        return None
    roots = [_find_whole_root(number, degree) for number in (base.numerator, base.denominator)]
    return None if None in roots else Fraction(*roots)  # type: ignore[arg-type]


def _find_whole_root(number: int, degree: int) -> int | None:
    if number.bit_length() > 1024:
        return None
    root = math.isqrt(number) if degree == 2 else int(ROUNDED.nint(ROUNDED.root(number, degree)))
    return root if root**degree == number else None

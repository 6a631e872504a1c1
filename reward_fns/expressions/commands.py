r"""LaTeX commands have values here: fractions, roots, elementary functions, logarithms, binomial coefficients.

`COMMANDS` holds a function for each name. It is called when the reader has passed the name, reads the arguments that
follow, and returns the value.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from reward_fns.expressions.reader import Command, Reader
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import FUNCTIONS, ROUNDED, Value, is_complex, make_rounded

_INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}
_DERIVATIVE = re.compile(r"\{\s*(d|\\partial)(?![a-z]{3})[^{}]*\}\s*\{\s*\1[^{}]*\}")

_NAMED = re.compile(r"\s*(?:\{[a-zA-Z' ]+\}|\([a-zA-Z]\)|[A-Z]{1,4}|[a-z])(?:_(?:\{[a-zA-Z0-9]+\}|[a-zA-Z0-9]))?")


def _read_fraction(reader: Reader) -> Value:
    if derivative := reader.match(_DERIVATIVE):  # a name: its letters are no factors
        return reader.look_up(re.sub(r"\s", "", derivative[0]))
    numerator = reader.read_argument()
    return reader.arithmetic.divide(numerator, reader.read_argument())


def _read_root(reader: Reader) -> Value:
    degree: Value = reader.read_group() if reader.peek() == "[" else Fraction(2)
    radicand = reader.read_argument()
    exponent = reader.arithmetic.divide(Fraction(1), degree)
    if isinstance(degree, Fraction) and degree.numerator % 2 and not is_complex(radicand) and radicand < 0:
        # The real root, as it is meant, not the principal one.
        return -reader.arithmetic.raise_to_power(-radicand, exponent)
    return reader.arithmetic.raise_to_power(radicand, exponent)


def _read_logarithm(reader: Reader) -> Value:
    if not reader.take("_"):
        raise Unreadable("a logarithm without a base is to 10 for some and to e for others")
    base = reader.read_argument()
    logarithms = [reader.arithmetic.apply(ROUNDED.ln, value) for value in (reader.read_function_argument(), base)]
    return reader.arithmetic.divide(*logarithms)


def _read_binomial(reader: Reader) -> Value:
    upper = reader.read_argument()
    lower = reader.read_argument()
    if not isinstance(upper, Fraction) or not isinstance(lower, Fraction) or not 0 <= lower <= upper:
        raise Unreadable("a binomial coefficient of other than whole numbers")
    factorial, multiply = reader.arithmetic.compute_factorial, reader.arithmetic.multiply
    return reader.arithmetic.divide(factorial(upper), multiply(factorial(lower), factorial(upper - lower)))


def _make_name(command: str) -> Command:
    """Return what reads a command with its argument as a name: `\\overline{z}`, `\\angle ABC`, `\\Re(z)`."""

    def read(reader: Reader) -> Value:
        argument = reader.match(_NAMED)
        if argument is None:
            raise Unreadable(f"\\{command}")
        return reader.look_up(f"\\{command} {re.sub(r'[{}() ]', '', argument[0])}")

    return read


def _make_extreme(combine: Callable[[Sequence[Value]], Value]) -> Command:
    def read(reader: Reader) -> Value:
        if not reader.take("("):
            raise Unreadable("a list in parentheses is missing")
        values = [reader.read_sum()]
        while reader.take(","):
            values.append(reader.read_sum())
        if not reader.take(")") or any(map(is_complex, values)):
            raise Unreadable("a list of real numbers in parentheses is missing")
        return combine(values)

    return read


def _find_common_divisor(values: Sequence[Value]) -> Fraction:
    """Return the greatest common divisor, of fractions as well: 1/6 for 1/2 and 1/3."""
    if not all(isinstance(value, Fraction) for value in values):
        raise Unreadable("a common divisor of irrational numbers")
    denominator = math.lcm(*(value.denominator for value in values))
    return Fraction(math.gcd(*(int(value * denominator) for value in values)), denominator)


def _find_common_multiple(values: Sequence[Value]) -> Fraction:
    """Return the least common multiple: the inverse of the common divisor of the inverses."""
    if 0 in values:
        raise Unreadable("a common multiple of zero")
    return 1 / _find_common_divisor([1 / value for value in values])


def _make_rounding(closing: str, round_number: Callable[[Fraction], int]) -> Command:
    def read(reader: Reader) -> Value:
        has_outer_variables, reader.has_variables = reader.has_variables, False
        value = reader.read_sum()
        if not reader.take(closing):
            raise Unreadable(f"{closing} is missing")
        if reader.has_variables or not isinstance(value, Fraction):
            return reader.look_up(f"{closing}({value})")  # two points say little about steps
        reader.has_variables = has_outer_variables
        return Fraction(round_number(value))

    return read


def _make_function(name: str) -> Command:
    def read(reader: Reader) -> Value:
        applied = name
        exponent: Value = reader.read_exponent() if reader.take("^") else Fraction(1)
        if exponent == -1:  # the inverse function, not the reciprocal
            if name not in _INVERSE:
                raise Unreadable("an inverse function")
            applied, exponent = _INVERSE[name], Fraction(1)
        value = reader.arithmetic.apply(FUNCTIONS[applied], reader.read_function_argument())
        return reader.arithmetic.raise_to_power(value, exponent)

    return read


COMMANDS: Mapping[str, Command] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), _read_fraction),
    "sqrt": _read_root,
    "log": _read_logarithm,
    **dict.fromkeys(("binom", "dbinom", "tbinom"), _read_binomial),
    "lfloor": _make_rounding(r"\rfloor", math.floor),
    "lceil": _make_rounding(r"\rceil", math.ceil),
    "max": _make_extreme(lambda values: max(values, key=make_rounded)),
    "min": _make_extreme(lambda values: min(values, key=make_rounded)),
    "gcd": _make_extreme(_find_common_divisor),
    "lcm": _make_extreme(_find_common_multiple),
    **{name: _make_name(name) for name in ("overline", "vec", "hat", "tilde", "widehat", "dot", "angle", "triangle")},
    **{name: _make_name(name) for name in ("Re", "Im")},
    "pi": lambda reader: +ROUNDED.pi,
    **{name: _make_function(name) for name in FUNCTIONS},
}

r"""The commands of LaTeX that have a value: fractions, roots, elementary functions, logarithms, binomial coefficients.

Each entry of `COMMANDS` reads the command's arguments from the reader, which stands behind the command's name.
"""

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from reward_fns.expressions.reader import Command, Reader
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import FUNCTIONS, ROUNDED, Value, is_complex

_INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}
_DERIVATIVE = re.compile(r"\{\s*(d|\\partial)(?![a-z]{3})[^{}]*\}\s*\{\s*\1[^{}]*\}")
_UNDERSCORE = re.compile("_")


def _fraction(reader: Reader) -> Value:
    if derivative := reader.match(_DERIVATIVE):  # a name: its letters are no factors
        return reader.named(re.sub(r"\s", "", derivative[0]))
    numerator = reader.argument()
    return reader.arithmetic.divide(numerator, reader.argument())


def _root(reader: Reader) -> Value:
    degree: Value = reader.group() if reader.peek() == "[" else Fraction(2)
    radicand = reader.argument()
    exponent = reader.arithmetic.divide(Fraction(1), degree)
    if isinstance(degree, Fraction) and degree.numerator % 2 and not is_complex(radicand) and radicand < 0:
        return -reader.arithmetic.power(-radicand, exponent)  # the real root, as it is meant, not the principal one
    return reader.arithmetic.power(radicand, exponent)


def _logarithm(reader: Reader) -> Value:
    if not reader.match(_UNDERSCORE):
        raise Unreadable("a logarithm without a base is to 10 for some and to e for others")
    base = reader.argument()
    logarithms = [reader.arithmetic.apply(ROUNDED.ln, value) for value in (reader.function_argument(), base)]
    return reader.arithmetic.divide(*logarithms)


def _binomial(reader: Reader) -> Value:
    upper = reader.argument()
    lower = reader.argument()
    if not isinstance(upper, Fraction) or not isinstance(lower, Fraction) or not 0 <= lower <= upper:
        raise Unreadable("a binomial coefficient of other than whole numbers")
    factorial, multiply = reader.arithmetic.factorial, reader.arithmetic.multiply
    return reader.arithmetic.divide(factorial(upper), multiply(factorial(lower), factorial(upper - lower)))


def _whole(closing: str, rounded: Callable[[Fraction], int]) -> Command:
    def read(reader: Reader) -> Value:
        had_variables, reader.has_variables = reader.has_variables, False
        value = reader.sum()
        if not reader.take(closing):
            raise Unreadable(f"{closing} is missing")
        if reader.has_variables or not isinstance(value, Fraction):
            return reader.named(f"{closing}({value})")  # two points say little about steps
        reader.has_variables = had_variables
        return Fraction(rounded(value))

    return read


def _function(name: str) -> Command:
    def read(reader: Reader) -> Value:
        applied = name
        exponent: Value = reader.exponent() if reader.take("^") else Fraction(1)
        if exponent == -1:  # the inverse function, not the reciprocal
            if name not in _INVERSE:
                raise Unreadable("an inverse function")
            applied, exponent = _INVERSE[name], Fraction(1)
        value = reader.arithmetic.apply(FUNCTIONS[applied], reader.function_argument())
        return reader.arithmetic.power(value, exponent)

    return read


COMMANDS: Mapping[str, Command] = {
    "frac": _fraction,
    "dfrac": _fraction,
    "tfrac": _fraction,
    "cfrac": _fraction,
    "sqrt": _root,
    "log": _logarithm,
    "binom": _binomial,
    "dbinom": _binomial,
    "tbinom": _binomial,
    "lfloor": _whole(r"\rfloor", math.floor),
    "lceil": _whole(r"\rceil", math.ceil),
    "pi": lambda reader: +ROUNDED.pi,
    **{name: _function(name) for name in FUNCTIONS},
}

"""The points at which expressions are evaluated, and their evaluation.

One point has all variables between 0 and 1, the other between 1 and 3, so that roots and logarithms are mostly real at
one of the two at least. What can change its sign is evaluated at more points: below and above every number that is
written, with the variables in both orders, negative, and of both signs. Where a factorial, a binomial coefficient or a
power of -1 says that a letter is a whole number, it takes whole numbers.
"""

import re
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction

from reward_fns.expressions.commands import COMMANDS
from reward_fns.expressions.reader import Reader
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import ROUNDED, Value

USUAL_POINTS = (0, 1)
ABOVE, ABOVE_IN_OTHER_ORDER, NEAR_ZERO, NEGATIVE, NEGATIVE_IN_OTHER_ORDER, MIXED, MIXED_IN_OTHER_ORDER = range(2, 9)
SIGNED_POINTS = (NEGATIVE, NEGATIVE_IN_OTHER_ORDER, MIXED, MIXED_IN_OTHER_ORDER)
WHOLE_POINTS = range(10, 16)

_EVALUATION = threading.RLock()  # mpmath's contexts are not safe for threads at the same time.
_CONFIRMING_DIGITS = 400
_MAX_SCALE = 10**6
_WRITTEN_DIGITS = re.compile("[0-9]+")
_BEFORE_PARENTHESIS = re.compile(r"(?<![\\a-zA-Z])([a-zA-Z])(?=(?:_\w)? ?\()")
_LETTER_BY_ITSELF = re.compile(r"(?<![\\])(?<!\\[a-zA-Z])([a-zA-Z])(?!(?:_\w|') ?\(| ?\(|[a-zA-Z]{3})")
_ANY_COMMAND = re.compile(r"\\[a-zA-Z]+")
_OF_WHOLE_NUMBERS = re.compile(
    r"\(([^()]*)\)!|([a-zA-Z])!|\\[dt]?binom ?\{([^{}]*)\} ?\{([^{}]*)\}|\(-1\) ?\^ ?(?:\{([^{}]*)\}|([a-zA-Z]))"
)
_WHOLE_LETTER = re.compile("[a-zA-Z]")
_SMALLEST_WHOLE = {"n": 7, "N": 8, "m": 6, "k": 3, "r": 2, "j": 2, "i": 1}  # as in the binomial coefficient of n and k


def find_whole_letters(*texts: str) -> frozenset[str]:
    r"""Return the letters that stand for whole numbers. `find_whole_letters("(2n)!x", "(-1)^k") == {"n", "k"}`"""
    groups = [group for text in texts for found in _OF_WHOLE_NUMBERS.findall(text) for group in found]
    return frozenset(letter for group in groups for letter in _WHOLE_LETTER.findall(_ANY_COMMAND.sub(" ", group)))


def find_factors(*texts: str) -> frozenset[str]:
    """Return the letters before a parenthesis that stand by themselves elsewhere, and so are no functions.

    Example: `find_factors("u(u+1)", "u^2+u") == {"u"}`
    """
    text = _ANY_COMMAND.sub(" ", " ; ".join(texts))
    return frozenset(_BEFORE_PARENTHESIS.findall(text)) & frozenset(_LETTER_BY_ITSELF.findall(text))


def find_scale(*texts: str) -> int:
    """Return a number above all that are written. Example: `find_scale("|x-5|", "x") == 7`"""
    return min(
        _MAX_SCALE, max((int(digits) for text in texts for digits in _WRITTEN_DIGITS.findall(text)), default=3) + 2
    )


def evaluate_at(
    point: int, text: str, factors: frozenset[str] = frozenset(), scale: int = 0, whole: frozenset[str] = frozenset()
) -> Value:
    """Return the value of the expression at a point, one thread at a time.

    `factors` are letters that are no functions, `whole` those that are whole numbers at WHOLE_POINTS; `scale` is for
    ABOVE to MIXED_IN_OTHER_ORDER. Raises Unreadable, Undefined and TooLarge.
    Example: `evaluate_at(0, "x+1") == evaluate_at(0, "x") + 1`
    """

    def value_of(name: str) -> Fraction:
        if name in whole:
            step = point - WHOLE_POINTS[0]
            return Fraction(_SMALLEST_WHOLE.get(name, 4) + (step // 2 if name in "kr" else step))
        is_usual = point in USUAL_POINTS or point in WHOLE_POINTS
        key = f"{point % 2} {name}" if is_usual else name
        position = zlib.crc32(key.encode(errors="surrogatepass")) % 9973
        if is_usual:
            return Fraction(9973 * (point % 2) + position * (1 + point % 2) + 101, 10177)
        is_turned = point in (ABOVE_IN_OTHER_ORDER, NEGATIVE_IN_OTHER_ORDER, MIXED_IN_OTHER_ORDER)
        share = Fraction((9973 - position if is_turned else position) + 101, 10177)
        value = share / 1000 if point == NEAR_ZERO else scale * (1 + share)
        is_negative = point in (NEGATIVE, NEGATIVE_IN_OTHER_ORDER) or (
            point in SIGNED_POINTS and ord(name[-1]) % 2 == is_turned
        )
        return -value if is_negative else value

    with _EVALUATION:
        return evaluate(text, value_of, factors)


def evaluate_with(values: Mapping[str, Value], text: str) -> Value:
    """Return the value of the expression with these values of its variables, one thread at a time.

    Raises Unreadable, also for other variables, Undefined and TooLarge.
    Example: `evaluate_with({"x": Fraction(3)}, "2x") == 6`
    """

    def value_of(name: str) -> Value:
        if name not in values:
            raise Unreadable(f"{name} is unknown")
        return values[name]

    with _EVALUATION:
        return evaluate(text, value_of)


def evaluate(text: str, value_of: Callable[[str], Value], factors: frozenset[str] = frozenset()) -> Value:
    """Return the value of the expression `text`, with `value_of(name)` for each variable; `factors` are no functions.

    Raises Unreadable outside the grammar, Undefined where there is no value, TooLarge beyond the bounds of `limits`.
    Example: `evaluate("2x!", {"x": Fraction(3)}.get) == 12`
    """
    reader = Reader(text, value_of, COMMANDS, factors)
    value = reader.read_sum()
    if reader.peek():
        raise Unreadable(text)
    return value


def is_readable(text: str) -> bool:
    """Return True if `text` is one expression. Example: `is_readable("x=1") is False`"""
    try:
        evaluate_at(0, text)
    except (ArithmeticError, Unreadable):
        return False
    return True


@contextmanager
def computing_to_more_digits() -> Iterator[None]:
    """Have all rounded numbers computed to 400 digits, by this thread alone."""
    with _EVALUATION, ROUNDED.workdps(_CONFIRMING_DIGITS):
        yield


def find_names(text: str) -> list[str]:
    """Return the variables of an expression, sorted. Raises Unreadable. Example: `find_names("b+a") == ["a", "b"]`"""
    names: dict[str, None] = {}
    with _EVALUATION:
        evaluate(text, lambda name: Fraction(names.setdefault(name) or 1 + 3 * len(names), 7))
    return sorted(names)

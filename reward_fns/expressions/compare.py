r"""Expressions are compared by their values at fixed points.

Two rational expressions that agree at a point are the same but for a chance of some one in a thousand per degree, at
two points of one in a million; beyond rational ones the comparison is to 38 digits. One point has all variables between
0 and 1, the other between 1 and 3, so that roots and logarithms are mostly real at one of the two at least.

What can change its sign, within bars or under a root, is compared at more points: below and above every number that is
written, and with the variables in both orders. Variables are negative only where bars ask for it, because roots of
variables are written for positive ones. Numbers that agree to 38 digits are computed again to 400.
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
from reward_fns.expressions.values import ROUNDED, TooLarge, Undefined, Value, are_equal, is_complex, make_rounded

_POINTS = (0, 1)
_EVALUATION = threading.RLock()  # mpmath's contexts are not safe for threads at the same time.
_IMAGINARY_UNIT = re.compile(r"(?<![\\a-zA-Z])i(?![a-zA-Z])")
_LONG_DECIMAL = re.compile(r"-?[0-9]*\.([0-9]{6,})(?: ?(?:\\times|\\cdot|\*) ?10 ?\^ ?\{?(-?[0-9]{1,3})\}?)?")
_SIGN_CHANGE = re.compile(r"\||\\sqrt|√|\\frac\{[0-9]+\}\{[0-9]+\}\}|\^\{?\(?[0-9]+/|sgn|\\max|\\min")
_WRITTEN_DIGITS = re.compile("[0-9]+")
_BEFORE_PARENTHESIS = re.compile(r"(?<![\\a-zA-Z])([a-zA-Z])(?=(?:_\w)? ?\()")
_LETTER_BY_ITSELF = re.compile(r"(?<![\\])(?<!\\[a-zA-Z])([a-zA-Z])(?!(?:_\w|') ?\(| ?\(|[a-zA-Z]{3})")
_ANY_COMMAND = re.compile(r"\\[a-zA-Z]+")

_ABOVE, _ABOVE_IN_OTHER_ORDER, _NEAR_ZERO, _NEGATIVE, _NEGATIVE_IN_OTHER_ORDER = range(2, 7)
_MAX_NAMES = 4
_MAX_SCALE = 10**6
_CONFIRMING_DIGITS = 400


def compare_expressions(candidate: str, gold: str) -> bool | None:
    """Return True if the two expressions have the same values, and None if one cannot be read.

    An expression without a value, as 1/0, equals nothing. Raises TooLarge.
    Example: `compare_expressions("(x+1)^2", "x^2+2x+1") is True`
    """
    factors = find_factors(candidate, gold)
    try:
        pairs = [(evaluate_at(point, candidate, factors), evaluate_at(point, gold, factors)) for point in _POINTS]
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
        if "!" in candidate + gold and pairs[0] != pairs[1]:
            return None  # equal for whole numbers, maybe
        return are_equal(candidate_value, gold_value)
    if any(_SIGN_CHANGE.search(text) for text in (candidate, gold)) and _differ_elsewhere(candidate, gold, factors):
        return False
    is_exact = all(isinstance(value, Fraction) for value in pairs[0])
    return True if is_exact or pairs[0] != pairs[1] else _confirm(candidate, gold)


def find_factors(*texts: str) -> frozenset[str]:
    """Return the letters before a parenthesis that stand by themselves elsewhere, and so are no functions.

    Example: `find_factors("u(u+1)", "u^2+u") == {"u"}`
    """
    text = _ANY_COMMAND.sub(" ", " ; ".join(texts))
    return frozenset(_BEFORE_PARENTHESIS.findall(text)) & frozenset(_LETTER_BY_ITSELF.findall(text))


def _differ_elsewhere(candidate: str, gold: str, factors: frozenset[str]) -> bool:
    """Return True if two expressions that agree at the usual points have different real values at another."""
    scale = find_scale(candidate, gold)
    has_bars = "|" in candidate + gold
    for point in (_ABOVE, _ABOVE_IN_OTHER_ORDER, _NEAR_ZERO) + has_bars * (_NEGATIVE, _NEGATIVE_IN_OTHER_ORDER):
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
    for point in (_ABOVE, _ABOVE_IN_OTHER_ORDER):
        try:
            values = [evaluate_at(point, text, factors, scale) for text in (candidate, gold)]
        except ArithmeticError:
            return False
        if any(map(is_complex, values)) or are_equal(*values) is not True:
            return False
    return True


def find_scale(*texts: str) -> int:
    """Return a number above all that are written. Example: `find_scale("|x-5|", "x") == 7`"""
    return min(
        _MAX_SCALE, max((int(digits) for text in texts for digits in _WRITTEN_DIGITS.findall(text)), default=3) + 2
    )


def _confirm(candidate: str, gold: str) -> bool | None:
    """Compare two numbers to more digits: the root of 10^80 + 1 is not 10^40."""

    def refuse(name: str) -> Fraction:
        raise Unreadable(name)

    with computing_to_more_digits():
        try:
            return are_equal(evaluate(candidate, refuse), evaluate(gold, refuse))
        except (Unreadable, ArithmeticError):
            return True


def compare_multiples(candidate: str, gold: str) -> tuple[bool | None, int]:
    """Return True if one expression is a constant multiple of the other, with the sign of the factor.

    The sign is 0 where they are not, or where it is not real. None if one cannot be read. Raises TooLarge.
    Example: `compare_multiples("2x-2y", "y-x") == (True, -1)`
    """
    has_bars = "|" in candidate + gold
    points = _POINTS + has_bars * (_ABOVE, _ABOVE_IN_OTHER_ORDER, _NEGATIVE, _NEGATIVE_IN_OTHER_ORDER)
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


@contextmanager
def computing_to_more_digits() -> Iterator[None]:
    """Have all rounded numbers computed to 400 digits, by this thread alone."""
    with _EVALUATION, ROUNDED.workdps(_CONFIRMING_DIGITS):
        yield


def have_same_roots(one: str, other: str) -> bool:
    """Return True if both expressions vanish for the same values of each variable; only of linear fractions.

    Each has to be a quotient of linear functions of every variable, with the others fixed at two points.
    Example: `have_same_roots("1/x-2", "2x-1") is True`
    """
    try:
        names = [_find_names(text) for text in (one, other)]
        if names[0] != names[1] or not 0 < len(names[0]) <= _MAX_NAMES:
            return False
        roots = [[_find_root(text, name, shift) for name in names[0] for shift in (0, 1)] for text in (one, other)]
    except (Unreadable, ArithmeticError):
        return False
    return None not in roots[0] and roots[0] == roots[1]


def _find_names(text: str) -> list[str]:
    names: dict[str, None] = {}
    with _EVALUATION:
        evaluate(text, lambda name: Fraction(names.setdefault(name) or 1 + 3 * len(names), 7))
    return sorted(names)


def _find_root(text: str, name: str, shift: int) -> Fraction | None:
    """Return where a quotient of linear functions of the variable is zero; None if it is none, or nowhere zero."""
    others = {other: Fraction(3 * place + 5 * shift + 2, 11 + shift) for place, other in enumerate(_find_names(text))}
    places = [Fraction(number, 13) for number in (3, 17, 44, 101)]
    values = [evaluate_with(others | {name: place}, text) for place in places]
    if not all(isinstance(value, Fraction) for value in values) or len(set(values)) < len(values):
        return None

    def find_cross_ratio(last: Fraction, first_three: list[Fraction]) -> Fraction:
        first, second, third = first_three
        return (first - third) * (second - last) / ((second - third) * (first - last))

    # Quotients of linear functions keep the cross-ratio of any four places.
    if find_cross_ratio(values[3], values[:3]) != find_cross_ratio(places[3], places[:3]):
        return None
    ratio = (values[0] - values[2]) * values[1] / ((values[1] - values[2]) * values[0]) if values[0] else None
    if ratio is None:
        return places[0]
    first, second, third = places[:3]
    denominator = (first - third) - ratio * (second - third)
    root = ((first - third) * second - ratio * (second - third) * first) / denominator if denominator else None
    return root if root is not None and evaluate_with(others | {name: root}, text) == 0 else None


def is_readable(text: str) -> bool:
    """Return True if `text` is one expression. Example: `is_readable("x=1") is False`"""
    try:
        evaluate_at(0, text)
    except (ArithmeticError, Unreadable):
        return False
    return True


def evaluate_at(point: int, text: str, factors: frozenset[str] = frozenset(), scale: int = 0) -> Value:
    """Return the value of the expression at point 0 or 1, or at one of those for `scale`, one thread at a time.

    Raises Unreadable, Undefined and TooLarge. Example: `evaluate_at(0, "x+1") == evaluate_at(0, "x") + 1`
    """

    def value_of(name: str) -> Fraction:
        key = f"{point} {name}" if point in _POINTS else name
        position = zlib.crc32(key.encode(errors="surrogatepass")) % 9973
        if point in _POINTS:
            return Fraction(9973 * point + position * (1 + point) + 101, 10177)
        if point in (_ABOVE_IN_OTHER_ORDER, _NEGATIVE_IN_OTHER_ORDER):
            position = 9973 - position
        share = Fraction(position + 101, 10177)
        value = share / 1000 if point == _NEAR_ZERO else scale * (1 + share)
        return -value if point in (_NEGATIVE, _NEGATIVE_IN_OTHER_ORDER) else value

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

"""Equations in linear fractions are compared by their roots."""

from fractions import Fraction

from reward_fns.expressions.points import evaluate_with, find_names
from reward_fns.expressions.scanner import Unreadable

_MAX_NAMES = 4


def have_same_roots(one: str, other: str) -> bool:
    """Return True if both expressions vanish for the same values of each variable; only of linear fractions.

    Each has to be a quotient of linear functions of every variable, with the others fixed at two points.
    Example: `have_same_roots("1/x-2", "2x-1") is True`
    """
    try:
        names = [find_names(text) for text in (one, other)]
        if names[0] != names[1] or not 0 < len(names[0]) <= _MAX_NAMES:
            return False
        roots = [[_find_root(text, name, shift) for name in names[0] for shift in (0, 1)] for text in (one, other)]
    except (Unreadable, ArithmeticError):
        return False
    return None not in roots[0] and roots[0] == roots[1]


def _find_root(text: str, name: str, shift: int) -> Fraction | None:
    """Return where a quotient of linear functions of the variable is zero; None if it is none, or nowhere zero."""
    others = {other: Fraction(3 * place + 5 * shift + 2, 11 + shift) for place, other in enumerate(find_names(text))}
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

r"""Residue classes and solutions with a period are compared: `x \equiv 2 \pmod 5`, `x = 5k+2`, `x = 2k\pi \pm 1`.

A family is the set of all `offset + period * k` for whole k. It is written with a modulus, with a letter for the whole
number, or in words, as `n` is odd.
"""

import re
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from reward_fns.equivalence.parts import expand_plus_or_minus, is_name, split_equation, split_list
from reward_fns.equivalence.text import remove_text_commands
from reward_fns.expressions.points import evaluate_with
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import Value

_MODULUS = r"(?:\\[pb]?mod(?![a-zA-Z])|mod(?:ulo)?) ?\{? ?([1-9][0-9]{0,8}) ?\}?"
_CONGRUENCE = re.compile(
    rf"(.*?)\\equiv ?(?:[-0-9,;\s]|and|or|\\pm)*?(?:\( ?{_MODULUS} ?\)|{_MODULUS})"
    rf"|()-?[0-9]+ ?(?:\( ?{_MODULUS} ?\)|{_MODULUS})"
)
_EQUIVALENT_MODULO = re.compile(r"\\equiv_\{?([1-9][0-9]*)\}? ?(.*)")
_RESIDUES = re.compile(r"(\\pm|-)? ?([0-9]{1,9})")
_DIVISIBLE = re.compile(
    r"([1-9][0-9]{0,8}) ?\\mid ([a-z])"
    r"|([a-z]) is (?:divisible by|(?:an? )?(?:integer )?multiples? of) ([1-9][0-9]{0,8})"
    r"|(?:all |the )?(?:integer |whole )?multiples of ([1-9][0-9]{0,8})"
)
_PARITY = re.compile(
    r"(?:all |any |every )?([a-z])?(?: is)?(?: an)? ?(odd|even)(?: (?:integers?|numbers?|whole numbers?))?( [a-z])?"
)
_FAMILY_BUILDER = re.compile(r"\\?\{(.*?)(?:\\mid(?![a-zA-Z])|\||:)(.*?)\\?\}")
_WHOLE_PARAMETER = re.compile(r"([a-z]) ?\\in ?\\mathbb\{Z\}")
_WHOLE_DOMAIN = re.compile(rf"[,;] ?{_WHOLE_PARAMETER.pattern} ?$")
_PARAMETER = re.compile(r"(?<![\\a-zA-Z])([kmnljt])(?![a-zA-Z(])")
_ANGLE = re.compile(r"\\(?:pi|circ)(?![a-zA-Z])|°")
_ANGLE_NAME = re.compile(r"[xyzt]|\\(?:theta|alpha|beta|varphi|phi|omega)")
_DEGREE_SIGNS = re.compile(r"\^ ?\{?\\circ\}?|°")
_SAYS_WHOLE = re.compile(r"odd|even|divisible|multiple|\\mid|\\in")
_MODULO = re.compile(r"\\equiv|mod")
_SIGN_OF_FAMILY = re.compile(rf"{_SAYS_WHOLE.pattern}|{_MODULO.pattern}|{_PARAMETER.pattern}")
_MAX_CLASSES = 1000

Offset = tuple[Fraction, Fraction]  # a number and a multiple of pi


class Family(NamedTuple):
    """Holds the offsets below the period, which is a number or a multiple of pi, and the name of the unknown."""

    name: str
    offsets: frozenset[Offset]
    period: Offset
    is_explicit: bool  # Says that the letter is whole; not only a formula with a letter.


def compare_families(candidate: str, gold: str, has_whole_letter: bool) -> bool | None:
    r"""Return True if both answers are the same family, None if one is none, or nothing says that a letter is whole.

    Example: `compare_families("x=5k+2", r"x \equiv 7 \pmod 5", False) is True`
    """
    if not all(map(_SIGN_OF_FAMILY.search, (candidate, gold))):
        return None
    families = [read_family(answer) for answer in (candidate, gold)]
    one, other = families
    if one is None or other is None or not (has_whole_letter or one.is_explicit or other.is_explicit):
        return None
    if not (
        has_whole_letter or all(_SAYS_WHOLE.search(answer) or "=" in answer for answer in (candidate, gold))
    ) and not (_MODULO.search(candidate + gold)):
        return None  # 2k+2 by itself is a formula, and not the even numbers.
    if one.name and other.name and one.name != other.name:
        return False
    ratio = _divide(one.period, other.period)
    if ratio is None or max(ratio.numerator, ratio.denominator) > _MAX_CLASSES:
        return False
    return _lift(one, ratio.denominator) == _lift(other, ratio.numerator)


def read_family(answer: str) -> Family | None:
    r"""Return the family that an answer describes, or None. Example: `read_family(r"3 \mid n").name == "n"`"""
    bare = re.sub(r"\s+", " ", remove_text_commands(answer)).strip()
    if builder := _FAMILY_BUILDER.fullmatch(bare):
        parameter = _WHOLE_PARAMETER.fullmatch(builder[2].strip())
        inner = read_family(builder[1] if parameter else _WHOLE_DOMAIN.sub("", builder[2]))
        return inner and inner._replace(is_explicit=True)
    try:
        return _read_congruence(bare) or _read_words(bare) or _read_formulas(bare)
    except (Unreadable, ArithmeticError):
        return None


def _read_congruence(bare: str) -> Family | None:
    bare = _EQUIVALENT_MODULO.sub(r"\\equiv \2 (mod \1)", bare)
    congruence = _CONGRUENCE.fullmatch(bare)
    if congruence is None:
        return None
    place = next(number for number in (2, 3, 5, 6) if congruence[number])
    modulus = int(congruence[place])
    residues: set[int] = set()
    for sign, digits in _RESIDUES.findall(bare[len(congruence[1] or "") : congruence.start(place)]):
        signs = {"": (1,), "-": (-1,)}.get(sign, (1, -1))
        residues |= {factor * int(digits) % modulus for factor in signs}
    return _make_whole((congruence[1] or "").strip(), residues, modulus)


def _read_words(bare: str) -> Family | None:
    if divisible := _DIVISIBLE.fullmatch(bare):
        return _make_whole(divisible[2] or divisible[3] or "", {0}, int(divisible[1] or divisible[4] or divisible[5]))
    if parity := _PARITY.fullmatch(bare):
        return _make_whole((parity[1] or parity[3] or "").strip(), {int(parity[2] == "odd")}, 2)
    return None


def _make_whole(name: str, residues: set[int], modulus: int) -> Family:
    offsets = frozenset((Fraction(residue), Fraction(0)) for residue in residues)
    return Family(name, offsets, (Fraction(modulus), Fraction(0)), True)


def _read_formulas(bare: str) -> Family | None:
    r"""Read `x = 2k\pi + 1` or a list of such."""
    names, families = set(), []
    variants = [variant for part in split_list(bare) for variant in expand_plus_or_minus(part) or (part,)]
    for sides in map(split_equation, variants):
        if len(sides) == 2 and is_name(sides[0]):
            names.add(sides[0])
        elif len(sides) > 1:
            return None
        families.append(_read_formula(sides[-1]))
    if not families or None in families or len(names) > 1:
        return None
    common = families[0][1]  # type: ignore[index]
    for _, period in families:  # type: ignore[misc]
        ratio = _divide(period, common)
        if ratio is None or max(ratio.numerator, ratio.denominator) > _MAX_CLASSES:
            return None
        common = (common[0] * ratio.numerator, common[1] * ratio.numerator)
    name = "".join(names)
    offsets = frozenset().union(
        *(_lift(Family(name, frozenset({offset}), period, True), _count(common, period)) for offset, period in families)  # type: ignore[misc]
    )
    is_angle = _ANGLE.search(bare) is not None and _ANGLE_NAME.fullmatch(name) is not None
    return Family(name, offsets, common, is_angle)


def _read_formula(side: str) -> tuple[Offset, Offset] | None:
    """Return the offset and the period of an expression that is linear in one letter."""
    letters = set(_PARAMETER.findall(side))
    if len(letters) != 1:
        return None
    letter = letters.pop()
    is_in_degrees = _DEGREE_SIGNS.search(side) is not None
    side = _DEGREE_SIGNS.sub("", side).replace(r"\pi", r"\Xi ")

    def evaluate(number: int, pi: int) -> Value:
        return evaluate_with({letter: Fraction(number), "Xi": Fraction(pi)}, side)

    at = {(number, pi): evaluate(number, pi) for number, pi in product((0, 1, 7), (0, 1))}
    if not all(isinstance(value, Fraction) for value in at.values()) or evaluate(0, 7) != at[0, 0] + 7 * (
        at[0, 1] - at[0, 0]
    ):
        return None
    plain = [at[number, 0] for number in (0, 1, 7)]
    turns = [at[number, 1] - at[number, 0] for number in (0, 1, 7)]
    period = abs(plain[1] - plain[0]), abs(turns[1] - turns[0])
    is_linear = all(values[2] - values[0] == 7 * (values[1] - values[0]) for values in (plain, turns))
    if not is_linear or (period[0] == 0) == (period[1] == 0):
        return None
    offset = (plain[0], turns[0])
    return ((Fraction(0), offset[0] / 180), (Fraction(0), period[0] / 180)) if is_in_degrees else (offset, period)


def _divide(one: Offset, other: Offset) -> Fraction | None:
    """Return how often the period `other` fits into `one`; None if only one of the two is a multiple of pi."""
    place = int(one[0] == 0)
    return one[place] / other[place] if other[place] else None


def _count(common: Offset, period: Offset) -> int:
    return int(_divide(common, period) or 1)


def _lift(family: Family, times: int) -> frozenset[Offset]:
    """Return the offsets of the family below its period times `times`."""
    place = int(family.period[0] == 0)
    lifted = set()
    for offset in family.offsets:
        for shift in range(times):
            parts = list(offset)
            parts[place] = (parts[place] + shift * family.period[place]) % (times * family.period[place])
            lifted.add((parts[0], parts[1]))
    return frozenset(lifted)

r"""The number that an answer writes out is read, from what `text.clean` returns."""

import re
from fractions import Fraction

# ASCII digits only: int() would read the digits of any script.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_REPEATING = re.compile(r"(-?[0-9]*)\.([0-9]*)\\overline\{([0-9]+)\}")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:[, ][0-9]{3})+(?:\.[0-9]+)?")
_RATIO = re.compile(
    r"([+-]?)(?:([0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+) *(?=\\frac| [0-9]))?"
    r" *(?:\\frac\{(-?[0-9]+)\}\{([0-9]+)\}|([0-9]+) */ *([0-9]+))"
)
_SCALES = {
    "hundred": Fraction(100),
    "thousand": Fraction(10**3),
    "million": Fraction(10**6),
    "billion": Fraction(10**9),
    "trillion": Fraction(10**12),
    "quadrillion": Fraction(10**15),
    "dozen": Fraction(12),
    "tenth": Fraction(1, 10),
    "hundredth": Fraction(1, 100),
    "thousandth": Fraction(1, 1000),
    "half": Fraction(1, 2),
    "third": Fraction(1, 3),
    "fourth": Fraction(1, 4),
}
_POWERS = {"squared": 2, "cubed": 3}
_SCALE = re.compile(
    rf" ?(?:\\(?:text|mathrm|mbox)\{{ ?)?(?:({'|'.join(_SCALES)})s?|({'|'.join(_POWERS)})) ?\}}?$", re.IGNORECASE
)

# `3 \text{ mod } 5`, `41 \text{ or more}`: such words belong to the answer.
CONNECTIVE = re.compile("or|and|more|less|not|no|to|if|for|any|all|only|except|than|least|most|when|where|is|are", re.I)


def read_number(number: str) -> Fraction | None:
    r"""Return the number that `number` writes out, or None if it is anything else.

    Reads integers, decimals, repeating decimals, thousands separators, `a/b`, `\frac{a}{b}`, mixed numbers and
    `5 million`. A zero denominator is not a number. Example: `read_number("1 4/5") == Fraction(9, 5)`
    """
    if scale := _SCALE.search(number):
        value = read_number(number[: scale.start()])
        if value is None or scale[2]:
            return value if value is None else value ** _POWERS[scale[2].lower()]
        return value * _SCALES[scale[1].lower()]
    if _DECIMAL.fullmatch(number):
        return Fraction(number)
    if _GROUPED.fullmatch(number):
        return Fraction(number.replace(",", "").replace(" ", ""))
    if repeating := _REPEATING.fullmatch(number):
        return _read_repeating(*repeating.groups())
    ratio = _RATIO.fullmatch(number)
    return None if ratio is None else _read_ratio(ratio)


def _read_repeating(whole: str, fixed: str, repeated: str) -> Fraction:
    """Compute the value: 0.1(6) is (16 - 1) / 90."""
    digits = Fraction(int(fixed + repeated) - int(fixed or 0), (10 ** len(repeated) - 1) * 10 ** len(fixed))
    value = abs(int(whole.strip("-") or 0)) + digits
    return -value if whole.startswith("-") else value


def _read_ratio(ratio: re.Match[str]) -> Fraction | None:
    numerator, denominator = int(ratio[3] or ratio[5]), int(ratio[4] or ratio[6])
    if denominator == 0 or (ratio[2] and numerator < 0):
        return None
    value = int((ratio[2] or "0").replace(",", "")) + Fraction(numerator, denominator)
    return -value if ratio[1] == "-" else value

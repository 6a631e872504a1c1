r"""The number that an answer writes out is read, from what `text.clean` returns."""

import re
from fractions import Fraction

# ASCII digits only: int() would read the digits of any script.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_REPEATING = re.compile(r"(-?[0-9]*)\.([0-9]*)\\overline\{([0-9]+)\}")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:[, ][0-9]{3})+(?:\.[0-9]+)?")
_RATIO = re.compile(
    r"([+-]?)(?:([0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+) *(?=\\frac| [0-9]))?"
    r" *(?:\\frac\{(-?[0-9]+)\}\{([0-9]+)\}|([0-9]+) *[/:] *([0-9]+))"
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

_BARE_TEXT = re.compile(r"^\\text\{ ?([a-z -]+) ?\}$", re.IGNORECASE)
_SMALL = dict(
    zip(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        range(20),
        strict=True,
    )
)
_TENS = dict(
    zip(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], range(20, 100, 10), strict=True)
)
_PARTS = {
    "half": 2,
    "halves": 2,
    "quarter": 4,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
}

# `3 \text{ mod } 5`, `41 \text{ or more}`: such words belong to the answer.
CONNECTIVE = re.compile("or|and|more|less|not|no|to|if|for|any|all|only|except|than|least|most|when|where|is|are", re.I)


def read_number(number: str) -> Fraction | None:
    r"""Return the number that `number` writes out, or None if it is anything else.

    Reads integers, decimals, repeating decimals, thousands separators, `a/b`, `\frac{a}{b}`, mixed numbers and
    `5 million`. A zero denominator is not a number. Example: `read_number("1 4/5") == Fraction(9, 5)`
    """
    if scale := _SCALE.search(number):
        value = read_number(number[: scale.start()])
        if value is not None:
            return value ** _POWERS[scale[2].lower()] if scale[2] else value * _SCALES[scale[1].lower()]
    if number.isascii() and number[:1].isalpha() or number.startswith(r"\text{"):
        return read_number_words(_BARE_TEXT.sub(r"\1", number))
    if _DECIMAL.fullmatch(number):
        return Fraction(number)
    if _GROUPED.fullmatch(number):
        return Fraction(number.replace(",", "").replace(" ", ""))
    if repeating := _REPEATING.fullmatch(number):
        return _read_repeating(*repeating.groups())
    ratio = _RATIO.fullmatch(number)
    return None if ratio is None else _read_ratio(ratio)


def read_number_words(text: str) -> Fraction | None:
    """Return the number that words name, or None. Example: `read_number_words("two hundred and forty-two") == 242`"""
    words = re.split("[- ]+", text.strip().lower())
    sign = -1 if words[0] in ("minus", "negative") else 1
    words = words[sign < 0 :]
    if not words:
        return None
    part = _PARTS.get(words[-1]) or _PARTS.get(words[-1].removesuffix("s"))
    if part and len(words) == 2:
        count = 1 if words[0] in ("a", "one") else _SMALL.get(words[0])
        return None if count is None else Fraction(sign * count, part)
    total, current = Fraction(0), Fraction(0)
    for word in words:
        if word in _SMALL or word in _TENS:
            current += _SMALL.get(word, _TENS.get(word, 0))
        elif word in _SCALES and _SCALES[word] >= 100 and current:
            current *= _SCALES[word]
            if _SCALES[word] > 100:
                total, current = total + current, Fraction(0)
        elif word != "and" or not current + total:
            return None
    is_number = any(word in _SMALL or word in _TENS for word in words)
    return sign * (total + current) if is_number else None


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

r"""The number that an answer writes out and its unit are read, from what `text.clean` returns."""

import re
from fractions import Fraction

from reward_fns.equivalence.text import TEXT_GROUP

# ASCII digits only: int() would read the digits of any script.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_REPEATING = re.compile(r"(-?[0-9]*)\.([0-9]*)\\overline\{([0-9]+)\}")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:[, ][0-9]{3})+(?:\.[0-9]+)?")
_RATIO = re.compile(
    r"([+-]?)(?:([0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+) *(?=\\frac| [0-9]))?"
    r" *(?:\\frac\{(-?[0-9]+)\}\{([0-9]+)\}|([0-9]+) */ *([0-9]+))"
)
_SCALE = re.compile(r" ?(?:\\(?:text|mathrm|mbox)\{ ?)?(hundred|thousand|million|billion|trillion|dozen) ?\}?$")
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}

_CURRENCY = re.compile(r"^(-?) ?\\?([$€£]) ?(?=[0-9.])|(?<=[0-9]) ?\\?([$€£])$")
_CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound"}
_EXPONENT = r" ?(?:\^ ?\{? ?(-?[0-9]) ?\}?)?"
_TEXT_UNIT = re.compile(rf"(?<=\S) ?{TEXT_GROUP}{_EXPONENT}$")
_SHORT_UNIT_NAMES = "cm|mm|km|nm|kg|mg|ml|ft|in|mi|hr|hrs|lbs|yds|Hz|kHz|MHz|kW|kPa|Pa|km/h|m/s|mph"
_SHORT_UNIT = re.compile(rf"(?<=[0-9}})]) ?({_SHORT_UNIT_NAMES}){_EXPONENT}$")
_WORD_UNIT = re.compile(rf"(?<=[0-9}})]) ([A-Za-z]+(?: [A-Za-z]+){{0,3}}){_EXPONENT}$")
# A word after a number is its unit; without a vowel, or this short, it would be a product of variables.
_UNIT_WORD = re.compile(rf"(?=[a-z]*[aeiou])[a-z]{{3,}}|{_SHORT_UNIT_NAMES}", re.IGNORECASE)

# `3 \text{ mod } 5`, `41 \text{ or more}`: such words belong to the answer.
CONNECTIVE = re.compile("or|and|more|less|not|no|to|if|for|any|all|only|except|than|least|most|when|where|is|are", re.I)
_NO_UNIT = re.compile(
    rf"{CONNECTIVE.pattern}|mod|base|at|hundred|thousand|million|billion|trillion|dozen|sqrt|sin|cos|tan|log|exp", re.I
)


def split_unit(answer: str) -> tuple[str, str]:
    """Return a cleaned answer without its unit, and the unit in lower case and singular; empty if there is none.

    A percent sign is a unit here, and so is a currency sign. Example: `split_unit("5 miles") == ("5", "mile")`
    """
    if answer.endswith("%"):
        return answer[:-1].rstrip(), "%"
    if currency := _CURRENCY.search(answer):
        return _CURRENCY.sub(r"\1", answer).strip(), _CURRENCIES[currency[2] or currency[3]]
    unit = _TEXT_UNIT.search(answer) or _SHORT_UNIT.search(answer) or _WORD_UNIT.search(answer)
    if unit is None or not _is_unit(unit[1].split(), is_marked=unit.re is _TEXT_UNIT):
        return answer, ""
    name = re.sub(r"(?<=ch)es\b|(?<=[a-z]{2})s\b|[\s.]", "", unit[1].lower())
    return answer[: unit.start()].rstrip(), name + (unit[2] or "")


def read_number(number: str) -> Fraction | None:
    r"""Return the number that `number` writes out, or None if it is anything else.

    Reads integers, decimals, repeating decimals, thousands separators, `a/b`, `\frac{a}{b}`, mixed numbers and
    `5 million`. A zero denominator is not a number. Example: `read_number("1 4/5") == Fraction(9, 5)`
    """
    if scale := _SCALE.search(number):
        value = read_number(number[: scale.start()])
        return None if value is None else value * _SCALES[scale[1]]
    if _DECIMAL.fullmatch(number):
        return Fraction(number)
    if _GROUPED.fullmatch(number):
        return Fraction(number.replace(",", "").replace(" ", ""))
    if repeating := _REPEATING.fullmatch(number):
        return _read_repeating(*repeating.groups())
    ratio = _RATIO.fullmatch(number)
    return None if ratio is None else _read_ratio(ratio)


def _is_unit(words: list[str], is_marked: bool) -> bool:
    if not words or any(_NO_UNIT.fullmatch(word.strip(".,")) or any(map(str.isdigit, word)) for word in words):
        return False
    return is_marked or all(_UNIT_WORD.fullmatch(word) for word in words)


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

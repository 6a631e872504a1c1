r"""A word behind a number is its unit only if it stands in the tables here.

Units of one dimension are converted, so that 1 km is 1000 m. What is no unit stays in the answer: the i of
`5\mathrm{i}`, the variable of `3\text{x}`, the words of `5 \text{ hundredths}`.
"""

import re
from collections import Counter
from fractions import Fraction
from typing import NamedTuple

from reward_fns.equivalence.spellings import TEXT_COMMANDS
from reward_fns.equivalence.text import remove_text_commands
from reward_fns.equivalence.unit_tables import COUNTED_THINGS, NO_PLURALS, NUMBER_WORDS, UNITS


class Unit(NamedTuple):
    """Holds a unit as powers of basic units, and how many of their product it is."""

    powers: tuple[tuple[str, int], ...]
    factor: Fraction


PERCENT = Unit((("%", 1),), Fraction(1))

_COMPOUND = {"mph": "mi/h", "kph": "km/h", "kmph": "km/h", "kmh": "km/h", "rpm": "revolution/min", "bps": "bit/s"}
_TEMPERATURE = re.compile(r"(?:degrees? |°)?(?:celsius|fahrenheit)|°? ?[CF]", re.IGNORECASE)
_PART_OF_UNITS = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([a-zA-Z]+)")
_PARTS_OF_UNITS = re.compile(rf"{_PART_OF_UNITS.pattern}(?:(?: and|,)* {_PART_OF_UNITS.pattern})+")
_UNIT_TEXT = rf"\\(?:{TEXT_COMMANDS}|mathrm|operatorname)\{{[^{{}}]*\}}"
_UNIT_FRACTION = (
    rf"\\frac ?\{{ ?(?:{_UNIT_TEXT}|[a-zA-Z]+) ?\}}\{{ ?(?:{_UNIT_TEXT}|[a-zA-Z]+) ?(?:\^\{{?[0-9]\}}?)? ?\}}"
)
_NUMBER_BEFORE = r"(?:(?<=[0-9})\]%])|(?<=illion)|(?<=hundred)|(?<=thousand)|(?<=dozen)|(?<=\\pi)|(?<=\\pi ))"
# Possessive, because what a piece matches could else be divided in exponentially many ways.
_UNIT_WORDS = re.compile(
    rf"{_NUMBER_BEFORE}\s*(?!\s|\w*illion|thousand|hundred|dozen)"
    rf"((?:{_UNIT_FRACTION}|{_UNIT_TEXT}|[a-zA-Z\u0400-\u04ff\u3040-\u9fffμñ.]|°|/"
    r"|\\Omega(?![a-zA-Z])|\\cdot(?![a-zA-Z])|\s|\^ ?\{? ?-?[0-9] ?\}?(?![0-9}]))++)$"
)
_MARKED = re.compile(rf"{_UNIT_TEXT}|\\Omega|{_UNIT_FRACTION}|[\u0400-\u04ff\u3040-\u9fff]")
_UNIT_LETTERS = re.compile(r"[a-zA-Z]+")
_CURRENCY = re.compile(r"^(-?) ?\\?([$€£¥]) ?(?=[0-9.])|(?<=[0-9]) ?\\?([$€£¥])$")
_CURRENCIES = {"$": "$", "€": "€", "£": "£", "¥": "元"}
_FLAT = re.compile(rf"\\(?:{TEXT_COMMANDS}|mathrm|operatorname)(?=\{{)|[{{}}]")
_PER = re.compile(r"/|(?<![a-zA-Z])(?:per|an?)(?![a-zA-Z])")
_POWER_WORDS = {"square": 2, "sq": 2, "sq.": 2, "cubic": 3, "cu": 3}


def split_unit(answer: str) -> tuple[str, Unit | None]:
    """Return a cleaned answer without its unit, and the unit; None if it has none.

    A percent sign is a unit here, and so is a currency sign. `split_unit("5 apples")[0] == "5"`
    """
    if answer.endswith("%"):
        return answer[:-1].rstrip(), PERCENT
    answer = re.sub(r"^\\?(?:text\{)?Rs\.? ?\}? ?(?=[0-9])|^\\pounds ?(?=[0-9])", "", answer)
    if currency := _CURRENCY.search(answer):
        unit = Unit(((_CURRENCIES[currency[2] or currency[3]], 1),), Fraction(1))
        return _CURRENCY.sub(r"\1", answer).strip(), unit
    bare = re.sub(r"\s+", " ", remove_text_commands(answer)).strip()
    if _PARTS_OF_UNITS.fullmatch(bare) and (total := _add_units(bare)):
        return total
    words = _UNIT_WORDS.search(answer)
    if words is None:
        return answer, None
    is_marked = _MARKED.search(words[1]) is not None
    if (
        not is_marked
        and not re.search("[/°]", words[1])
        and max(map(len, _UNIT_LETTERS.findall(words[1])), default=0) < 2
    ):
        return answer, None  # 5 m and 5 x look alike.
    found = read_unit(words[1])
    if found is None or (not is_marked and answer[: words.start()][-1:].isalpha()):
        return answer, None
    return answer[: words.start()].rstrip() or answer, found


def _add_units(answer: str) -> tuple[str, Unit] | None:
    """Return the sum of `2 hours and 30 minutes` in its first unit, or None if they are of several dimensions."""
    parts = [(Fraction(number), read_unit(unit)) for number, unit in _PART_OF_UNITS.findall(answer)]
    first = parts[0][1]
    if first is None or any(unit is None or unit.powers != first.powers for _, unit in parts):
        return None
    total = sum((number * unit.factor / first.factor for number, unit in parts if unit), Fraction(0))
    return f"{total.numerator}/{total.denominator}", first


def read_unit(text: str) -> Unit | None:
    """Return the unit that words and symbols name, or None. `read_unit("km/h") == read_unit("kilometers per hour")`"""
    flat = re.sub(r"\\frac ?\{(.*?)\}\{(.*)\}", r"\1/\2", text)
    flat = re.sub(r"\s+", " ", _FLAT.sub(" ", flat).replace(r"\cdot", " ").replace("*", " ")).strip(" .")
    flat = re.sub(r" ?\^ ?", "^", flat).replace(r"\Omega", "Ω")
    flat = re.sub("^平方", "square ", re.sub("^立方", "cubic ", flat.replace("k Ω", "kΩ")))
    if not flat:
        return None
    if _TEMPERATURE.fullmatch(flat) and ("°" in flat or len(flat) > 1):
        return Unit(((flat.strip("°")[-10:].lower()[0], 1),), Fraction(1))
    powers: Counter[str] = Counter()
    factor = Fraction(1)
    for position, side in enumerate(_PER.split(_COMPOUND.get(flat, flat))):
        if not side.strip():
            return None
        exponent = 1
        for word in side.split():
            if word in _POWER_WORDS:
                exponent = _POWER_WORDS[word]
                continue
            basic = _read_word(word)
            if basic is None:
                return None
            name, power, scale = basic
            power *= exponent * (-1 if position else 1)
            powers[name] += power
            factor *= scale**power
            exponent = 1
    if liters := powers.pop("L", 0):  # cubic decimetres
        powers["m"] += 3 * liters
        factor /= 1000**liters
    return Unit(tuple(sorted((name, power) for name, power in powers.items() if power)), factor)


def _read_word(word: str) -> tuple[str, int, Fraction] | None:
    """Return the basic unit that a word is of, its power and its size."""
    name, _, exponent = word.partition("^")
    power = int(exponent) if re.fullmatch("-?[0-9]", exponent) else 1
    if exponent and power == 1:
        return None
    for spelling in (name, name.lower(), name.lower().rstrip("."), re.sub("s$", "", name.lower())):
        if spelling in UNITS and (len(spelling) > 1 or spelling == name):
            return UNITS[spelling][0], power, UNITS[spelling][1]
    lower = name.lower()
    if NUMBER_WORDS.fullmatch(lower) or lower in NO_PLURALS:
        return None
    is_plural = len(lower) > 3 and lower.endswith("s") and not lower.endswith(("ss", "us", "is")) and lower.isalpha()
    if lower in COUNTED_THINGS or is_plural:
        return re.sub(r"(?<=[sxh])es$|s$", "", lower), power, Fraction(1)
    return None

r"""A word behind a number is its unit only if it stands in the tables here.

Units of one dimension are converted, so that 1 km is 1000 m. What is no unit stays in the answer: the i of
`5\mathrm{i}`, the variable of `3\text{x}`, the words of `5 \text{ hundredths}`.
"""

import re
from collections import Counter
from fractions import Fraction
from typing import NamedTuple

from reward_fns.equivalence.text import TEXT_COMMANDS


class Unit(NamedTuple):
    """Holds a unit as powers of basic units, and how many of their product it is."""

    powers: tuple[tuple[str, int], ...]
    factor: Fraction


PERCENT = Unit((("%", 1),), Fraction(1))

_PREFIXES = {"n": -9, "μ": -6, "m": -3, "c": -2, "d": -1, "k": 3, "M": 6, "G": 9}
_LONG_PREFIXES = {"nano": -9, "micro": -6, "milli": -3, "centi": -2, "deci": -1, "kilo": 3, "mega": 6, "giga": 9}
# Symbols that take prefixes, with their names and the power of ten in the basic unit of the same symbol.
_METRIC = {
    "m": "meter metre",
    "g": "gram gramme",
    "s": "second sec",
    "L": "liter litre l",
    "N": "newton",
    "J": "joule",
    "W": "watt",
    "V": "volt",
    "A": "ampere amp",
    "Pa": "pascal",
    "Hz": "hertz",
    "C": "coulomb",
    "F": "farad",
    "T": "tesla",
    "eV": "electronvolt",
    "mol": "mole",
    "cal": "calorie",
    "K": "kelvin",
    "Ω": "ohm",
}
# Names, the basic unit, and how many of it.
_OTHER = (
    ("in inch inches", "m", "0.0254"),
    ("ft foot feet", "m", "0.3048"),
    ("yd yard", "m", "0.9144"),
    ("mi mile", "m", "1609.344"),
    ("min minute mins", "s", "60"),
    ("h hr hrs hour", "s", "3600"),
    ("day", "s", "86400"),
    ("week wk", "s", "604800"),
    ("month", "month", "1"),
    ("year yr yrs", "month", "12"),
    ("lb lbs pound", "lb", "1"),
    ("oz ounce", "lb", "0.0625"),
    ("ton tonne", "g", "1000000"),
    ("gal gallon", "gal", "1"),
    ("quart qt", "gal", "0.25"),
    ("pint", "gal", "0.125"),
    ("cup", "cup", "1"),
    ("acre", "acre", "1"),
    ("dollar USD", "$", "1"),
    ("cent", "$", "0.01"),
    ("euro", "€", "1"),
    ("yuan 元", "元", "1"),
    ("rupee", "rupee", "1"),
    ("radian rad", "radian", "1"),
    ("unit", "unit", "1"),
    ("bar", "bar", "1"),
    ("atm", "atm", "1"),
)
_COMPOUND = {"mph": "mi/h", "kph": "km/h", "kmph": "km/h", "kmh": "km/h", "rpm": "revolution/min", "bps": "bit/s"}
_TEMPERATURE = re.compile(r"(?:degrees? |°)?(?:celsius|fahrenheit)|°? ?[CF]", re.IGNORECASE)
_PLURALS_OF_NOTHING = frozenset({"plus", "minus", "times", "less", "this", "was", "has", "vs", "series"})
# Of numbers, not of things: `5 \text{ tens}` is 50, and `5 \text{ primes}` may name a list.
_NUMBER_WORDS = re.compile(
    r"(?:one|ten|hundred|thousand|\w*illion|dozen|score|half|halve|third|fourth|fifth|sixth|seventh|eighth|ninth|\w*th)s?"
    "|squares?d?|cube[sd]?|percents?|factorials?|multiples?|roots?|powers?|logs?|modul(?:o|us)|digits?|bases?|halves"
)
# Of more things the plural will do.
_COUNTED = frozenset(
    re.split(
        " ",
        "people men women children mice fish sheep person child man woman student boy girl way apple orange book ball "
        "card cookie coin marble car tree point game number integer solution piece page ticket seat item box bag team "
        "player triangle rectangle edge face vertex vertices pair set path step move room house worker machine cat "
        "dog egg flower each total",
    )
)
_UNIT_TEXT = rf"\\(?:{TEXT_COMMANDS}|mathrm|operatorname)\{{[^{{}}]*\}}"
_UNIT_FRACTION = (
    rf"\\frac ?\{{ ?(?:{_UNIT_TEXT}|[a-zA-Z]+) ?\}}\{{ ?(?:{_UNIT_TEXT}|[a-zA-Z]+) ?(?:\^\{{?[0-9]\}}?)? ?\}}"
)
# One letter at a time: a repeated word within a repetition could be matched in exponentially many ways.
_UNIT_WORDS = re.compile(
    rf"(?:(?<=[0-9}})\]%])|(?<=\\pi)|(?<=\\pi ))\s*((?:{_UNIT_FRACTION}|{_UNIT_TEXT}|[a-zA-Z元μ.]|°|/"
    r"|\\Omega(?![a-zA-Z])|\\cdot(?![a-zA-Z])|\s|\^ ?\{? ?-?[0-9] ?\}?(?![0-9}]))+)$"
)
_MARKED = re.compile(rf"{_UNIT_TEXT}|\\Omega|{_UNIT_FRACTION}|元")
_UNIT_LETTERS = re.compile(r"[a-zA-Z]+")
_CURRENCY = re.compile(r"^(-?) ?\\?([$€£¥]) ?(?=[0-9.])|(?<=[0-9]) ?\\?([$€£¥])$")
_CURRENCIES = {"$": "$", "€": "€", "£": "£", "¥": "元"}
_FLAT = re.compile(rf"\\(?:{TEXT_COMMANDS}|mathrm|operatorname)(?=\{{)|[{{}}]")
_PER = re.compile(r"/|(?<![a-zA-Z])(?:per|an?)(?![a-zA-Z])")
_POWER_WORDS = {"square": 2, "sq": 2, "sq.": 2, "cubic": 3, "cu": 3}


def _make_table() -> dict[str, tuple[str, Fraction]]:
    table: dict[str, tuple[str, Fraction]] = {}
    for symbol, names in _METRIC.items():
        for name in names.split():
            table |= {prefix + name: (symbol, Fraction(10) ** power) for prefix, power in _LONG_PREFIXES.items()}
            table[name] = (symbol, Fraction(1))
        table |= {prefix + symbol: (symbol, Fraction(10) ** power) for prefix, power in _PREFIXES.items()}
        table[symbol] = (symbol, Fraction(1))
    table |= {"ml": ("L", Fraction(1, 1000)), "l": ("L", Fraction(1)), "hz": ("Hz", Fraction(1))}
    for names, basic, factor in _OTHER:
        table |= dict.fromkeys(names.split(), (basic, Fraction(factor)))
    return table | {"minute": ("s", Fraction(60)), "min": ("s", Fraction(60))}


_TABLE = _make_table()


def split_unit(answer: str) -> tuple[str, Unit | None]:
    """Return a cleaned answer without its unit, and the unit; None if it has none.

    A percent sign is a unit here, and so is a currency sign. `split_unit("5 apples")[0] == "5"`
    """
    if answer.endswith("%"):
        return answer[:-1].rstrip(), PERCENT
    if currency := _CURRENCY.search(answer):
        unit = Unit(((_CURRENCIES[currency[2] or currency[3]], 1),), Fraction(1))
        return _CURRENCY.sub(r"\1", answer).strip(), unit
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


def read_unit(text: str) -> Unit | None:
    """Return the unit that words and symbols name, or None. `read_unit("km/h") == read_unit("kilometers per hour")`"""
    flat = re.sub(r"\\frac ?\{(.*?)\}\{(.*)\}", r"\1/\2", text)
    flat = re.sub(r"\s+", " ", _FLAT.sub(" ", flat).replace(r"\cdot", " ").replace("*", " ")).strip(" .")
    flat = re.sub(r" ?\^ ?", "^", flat).replace(r"\Omega", "Ω")
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
    return Unit(tuple(sorted((name, power) for name, power in powers.items() if power)), factor)


def _read_word(word: str) -> tuple[str, int, Fraction] | None:
    """Return the basic unit that a word is of, its power and its size."""
    name, _, exponent = word.partition("^")
    power = int(exponent) if re.fullmatch("-?[0-9]", exponent) else 1
    if exponent and power == 1:
        return None
    for spelling in (name, name.lower(), name.lower().rstrip("."), re.sub("s$", "", name.lower())):
        if spelling in _TABLE and (len(spelling) > 1 or spelling == name):
            return _TABLE[spelling][0], power, _TABLE[spelling][1]
    lower = name.lower()
    if _NUMBER_WORDS.fullmatch(lower) or lower in _PLURALS_OF_NOTHING:
        return None
    is_plural = len(lower) > 3 and lower.endswith("s") and not lower.endswith(("ss", "us", "is")) and lower.isalpha()
    if lower in _COUNTED or is_plural:
        return re.sub(r"(?<=[sxh])es$|s$", "", lower), power, Fraction(1)
    return None

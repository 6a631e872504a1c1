"""The units, the things that are counted, and words that look like them.

A new unit: its row in `_METRIC` if it takes prefixes, else in `_OTHER`.
"""

import re
from fractions import Fraction

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
    ("円 yen", "円", "1"),
    ("руб рублей рубля рубль", "руб", "1"),
    ("米 м metro", "m", "1"),
    ("厘米 см", "m", "0.01"),
    ("千米 公里 км", "m", "1000"),
    ("千克 公斤 кг", "g", "1000"),
    ("克", "g", "1"),
    ("小时 час stunde heure hora", "s", "3600"),
    ("分钟 мин minuto", "s", "60"),
    ("秒 sekunde seconde segundo", "s", "1"),
    ("cent", "$", "0.01"),
    ("euro", "€", "1"),
    ("yuan 元", "元", "1"),
    ("rupee Rs Re", "rupee", "1"),
    ("radian rad", "radian", "1"),
    ("unit", "unit", "1"),
    ("bar", "bar", "1"),
    ("atm", "atm", "1"),
)
NO_PLURALS = frozenset({"plus", "minus", "times", "less", "this", "was", "has", "vs", "series"})
# Of numbers, not of things: `5 \text{ tens}` is 50, and `5 \text{ primes}` may name a list.
NUMBER_WORDS = re.compile(
    r"(?:one|ten|hundred|thousand|\w*illion|dozen|score|half|halve|third|fourth|fifth|sixth|seventh|eighth|ninth|\w*th)s?"
    "|squares?d?|cube[sd]?|percents?|factorials?|multiples?|roots?|powers?|logs?|modul(?:o|us)|digits?|bases?|halves"
)
# Of more things the plural will do.
COUNTED_THINGS = frozenset(
    re.split(
        " ",
        "people men women children mice fish sheep person child man woman student boy girl way apple orange book ball "
        "card cookie coin marble car tree point game number integer solution piece page ticket seat item box bag team "
        "player triangle rectangle edge face vertex vertices pair set path step move room house worker machine cat "
        "dog egg flower each total day old ans jahre uhr años jours 人 个 只 本 岁 天 名 种 个人 lat шт",
    )
)


def _make_table() -> dict[str, tuple[str, Fraction]]:
    table: dict[str, tuple[str, Fraction]] = {}
    for symbol, names in _METRIC.items():
        for name in names.split():
            table |= {prefix + name: (symbol, Fraction(10) ** power) for prefix, power in _LONG_PREFIXES.items()}
            table[name] = (symbol, Fraction(1))
        table |= {prefix + symbol: (symbol, Fraction(10) ** power) for prefix, power in _PREFIXES.items()}
        table[symbol] = (symbol, Fraction(1))
    table["hz"] = ("Hz", Fraction(1))
    for names, basic, factor in _OTHER:
        table |= dict.fromkeys(names.split(), (basic, Fraction(factor)))
    return table | {"minute": ("s", Fraction(60)), "min": ("s", Fraction(60))}


_TABLE = _make_table()


UNITS = _make_table()

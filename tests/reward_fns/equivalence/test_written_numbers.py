"""The number that an answer writes out, and its unit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.equivalence.written_numbers import read_number, split_unit

NO_UNITS = "or and more mod base hundred million dozen sqrt sin log exp"
UNITS = [
    ("5 cm", "5", "cm"),
    (r"5\text{ cm}", "5", "cm"),
    (r"5\text{cm }", "5", "cm"),
    (r"5\textbf{cm}", "5", "cm"),
    (r"5\mathrm{cm}", "5", "cm"),
    (r"5\mbox{cm}", "5", "cm"),
    (r"5 \hbox{cm}", "5", "cm"),
    ("5 cm^2", "5", "cm2"),
    (r"5\text{ cm}^{3}", "5", "cm3"),
    ("5 Miles", "5", "mile"),
    ("5 square feet", "5", "squarefeet"),
    ("5 feet per second", "5", "feetpersecond"),
    ("7 in", "7", "in"),
    ("5%", "5", "%"),
    ("5 %", "5", "%"),
    ("(3) cm", "(3)", "cm"),
    (r"\sqrt{2} cm", r"\sqrt{2}", "cm"),
    ("x^2 cm", "x^2", "cm"),
    # no unit
    ("5", "5", ""),
    ("cm", "cm", ""),
    ("x cm", "x cm", ""),
    ("5cm", "5", "cm"),
    ("5xy", "5xy", ""),
    ("5 xyz", "5 xyz", ""),
    (r"5\text{ }", r"5\text{ }", ""),
    (r"\$x", r"\$x", ""),
    (r"\$5", "5", "dollar"),
    ("-$5", "-5", "dollar"),
    ("£5", "5", "pound"),
    ("5 €", "5", "euro"),
    (r"\$1,234 million", "1,234 million", "dollar"),
    ("5 m", "5 m", ""),  # 5 m and 5 x look alike
    ("5 xy", "5 xy", ""),
    *[(f"5 {word}", f"5 {word}", "") for word in NO_UNITS.split()],
    (r"5\text{ or }6", r"5\text{ or }6", ""),
    (r"5\text{ m2}", r"5\text{ m2}", ""),
]


@pytest.mark.parametrize(("answer", "number", "unit"), UNITS, ids=[case[0] for case in UNITS])
def test_a_word_after_a_number_is_its_unit(answer, number, unit):
    assert split_unit(answer) == (number, unit)


@pytest.mark.parametrize(("one", "many"), [("mile", "miles"), ("dollar", "dollars"), ("inch", "inches")])
def test_a_unit_is_the_same_in_the_singular_and_in_the_plural(one, many):
    assert split_unit(f"5 {many}") == split_unit(f"5 {one}")


@pytest.mark.parametrize(("one", "other"), [("m", "m/s"), ("s", ""), ("km", "km/h")])
def test_the_second_is_a_unit_and_no_plural(one, other):
    assert split_unit(rf"5\text{{ {one}}}")[1] != split_unit(rf"5\text{{ {other}}}")[1]


NUMBERS = [
    ("42", 42),
    ("-42", -42),
    ("007", 7),
    ("5.", 5),
    (".5", Fraction(1, 2)),
    ("-.5", Fraction(-1, 2)),
    ("1.5e3", 1500),
    ("1e-3", Fraction(1, 1000)),
    ("1E+3", 1000),
    ("1,234", 1234),
    ("1 234 567", 1_234_567),
    ("-1,234.5", Fraction(-2469, 2)),
    ("3/12", Fraction(1, 4)),
    ("1 / 2", Fraction(1, 2)),
    ("-1/2", Fraction(-1, 2)),
    (r"\frac{1}{2}", Fraction(1, 2)),
    (r"-\frac{1}{2}", Fraction(-1, 2)),
    (r"\frac{-1}{2}", Fraction(-1, 2)),
    (r"-\frac{-1}{2}", Fraction(1, 2)),
    ("1 4/5", Fraction(9, 5)),
    ("-1 4/5", Fraction(-9, 5)),
    (r"1\frac{4}{5}", Fraction(9, 5)),
    (r"-1 \frac{4}{5}", Fraction(-9, 5)),
    ("5 hundred", 500),
    ("7 thousand", 7000),
    ("5 million", 5_000_000),
    ("2.5 billion", 2_500_000_000),
    ("3 trillion", 3 * 10**12),
    ("2 dozen", 24),
    (r"5\text{ million}", 5_000_000),
    ("1,234 million", 1_234_000_000),
    (r"0.\overline{3}", Fraction(1, 3)),
    (r".\overline{3}", Fraction(1, 3)),
    (r"-0.1\overline{6}", Fraction(-1, 6)),  # (16 - 1) / 90
    (r"12.34\overline{567}", 12 + Fraction(34_567 - 34, 99_900)),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS, ids=[case[0] for case in NUMBERS])
def test_a_written_number_has_its_exact_value(text, value):
    assert read_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "-", "--5", "5x", "5 x", "nan", "inf", "1_000", "million", "1e1000", "1e", "0x10", "٤٢", "1/٢"),
        *("1/0", r"\frac{1}{0}", "1/-2", "1/2/3", "1 2/3/4", "1 -4/5", r"1\frac{-4}{5}", r"\frac{1.5}{2}", "1.5/2"),
        *("12,34", "1,2345", "1, 234", "1,234,56", "1 2", "0,123", "00,123"),
    ],
)
def test_anything_else_is_no_number(text):
    assert read_number(text) is None


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**4))
def test_every_way_to_write_a_fraction_has_its_value(numerator, denominator):
    sign = "-" if numerator < 0 else ""
    written = [
        f"{sign}\\frac{{{abs(numerator)}}}{{{denominator}}}",
        f"{numerator}/{denominator}",
        f"{sign}{abs(numerator) // denominator} {abs(numerator) % denominator}/{denominator}",
    ]
    assert [read_number(text) for text in written] == [Fraction(numerator, denominator)] * 3


@given(st.integers(-999, 999), st.text("0123456789", max_size=4), st.text("0123456789", min_size=1, max_size=4))
def test_a_repeating_decimal_is_the_limit_of_its_decimals(whole, fixed, repeated):
    value = read_number(rf"{whole}.{fixed}\overline{{{repeated}}}")
    decimals = Fraction(f"{whole}.{fixed}{repeated * 20}")
    assert abs(value - decimals) <= Fraction(1, 10 ** (len(fixed) + 20 * len(repeated)))

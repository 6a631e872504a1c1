"""The number that an answer writes out."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.equivalence.written_numbers import read_number

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
    ("5 quadrillion", 5 * 10**15),
    (r"5 \text{ hundredths}", Fraction(1, 20)),
    ("5 thousandths", Fraction(1, 200)),
    (r"5\text{ squared}", 25),
    ("-3 cubed", -27),
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

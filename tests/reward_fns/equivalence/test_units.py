"""What is a unit behind a number, what is none, and which units are the same."""

import pytest

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.equivalence.units import read_unit, split_unit
from reward_fns.math_reward import grade

UNITS = [
    ("5 cm", "5"),
    (r"5\text{ cm}", "5"),
    (r"5\textbf{cm}", "5"),
    (r"5\mathrm{cm}", "5"),
    (r"5 \hbox{cm}", "5"),
    ("5cm", "5"),
    (r"5\text{ m}", "5"),
    (r"25 \mathrm{ft} / \mathrm{s}", "25"),
    (r"25 \frac{\text{ft}}{\text{s}}", "25"),
    (r"9.8 \text{ m/s}^2", "9.8"),
    ("5 cm^2", "5"),
    (r"5\text{ cm}^{3}", "5"),
    ("5 Miles", "5"),
    ("5 square feet", "5"),
    ("5 feet per second", "5"),
    ("7 in", "7"),
    ("(3) cm", "(3)"),
    (r"\sqrt{2} cm", r"\sqrt{2}"),
    (r"576\pi \text{ m}^2", r"576\pi"),
    ("x^2 cm", "x^2"),
    (r"5 \text{ apples}", "5"),
    (r"12 \text{ people}", "12"),
    ("45元", "45"),
    ("5%", "5"),
    (r"\$5", "5"),
    ("-$5", "-5"),
    ("5 €", "5"),
]
NO_UNITS = [
    *(rf"5\mathrm{{{letter}}}" for letter in "iedxnk"),
    *(rf"5\text{{ {word}}}" for word in ("hundredths", "thousandths", "squared", "cubed", "tens", "halves")),
    *(rf"5\text{{ {word}}}" for word in ("quadrillion", "wrong", "or", "more", "times")),
    *(
        f"5 {word}"
        for word in ("or", "and", "more", "mod", "base", "hundred", "million", "dozen", "sqrt", "sin", "log")
    ),
    *(f"5 {word}" for word in ("log", "exp", "m", "xy", "xyz")),
    *("5", "cm", "x cm", "5xy", r"5\text{ }", r"\$x", r"5\text{ or }6", "5 times", r"1-5\mathrm{i}"),
]


@pytest.mark.parametrize(("answer", "number"), UNITS, ids=[case[0] for case in UNITS])
def test_a_unit_behind_a_number_is_split_off(answer, number):
    rest, unit = split_unit(answer)
    assert (rest, unit is not None) == (number, True)


@pytest.mark.parametrize("answer", NO_UNITS)
def test_what_is_no_unit_stays_in_the_answer(answer):
    assert split_unit(answer) == (answer, None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mile", "miles"),
        ("inch", "inches"),
        ("mph", "miles per hour"),
        ("km/h", r"\frac{\text{km}}{\text{h}}"),
        ("m/s^2", "meters per second^2"),
        ("sq cm", r"\text{cm}^2"),
        ("cubic feet", "ft^3"),
    ],
)
def test_two_spellings_are_one_unit(one, other):
    assert read_unit(one) == read_unit(other) is not None


@pytest.mark.parametrize(
    ("candidate", "gold", "verdict"),
    [
        (r"621.2 \text{ g}", r"621{,}200 \mathrm{mg}", True),
        ("2 hours", "120 minutes", True),
        ("1 km", r"1000 \text{ m}", True),
        ("50 cents", r"\$0.50", True),
        ("500 cm", r"5 \text{ m}", True),
        ("1 km", r"100 \text{ m}", False),
        (r"5\text{ cm}^2", r"5\text{ cm}^3", False),
        (r"5\text{ m/s}", r"5\text{ m}", False),
        (r"5 \text{ apples}", r"5 \text{ pears}", False),
        (r"5\mathrm{i}", "5", False),
        ("5", r"5\mathrm{i}", False),
        (r"1-5\mathrm{i}", "-4", False),
        (r"\sqrt{2}\mathrm{i}", r"\sqrt{2}", False),
        (r"3\text{x}", "3", False),
        (r"3\text{x}", "3x", True),
        (r"2\mathrm{i}+1", r"1+2\mathrm{i}", True),
        (r"5\text{ hundredths}", "5", False),
        (r"5\text{ hundredths}", "0.05", True),
        (r"5\text{ squared}", "5", False),
        (r"5\text{ wrong}", "5", False),
    ],
)
def test_units_are_converted_and_factors_are_no_units(candidate, gold, verdict):
    assert compare_quickly(candidate, gold) is verdict
    assert grade(rf"\boxed{{{candidate}}}", gold) == float(verdict)

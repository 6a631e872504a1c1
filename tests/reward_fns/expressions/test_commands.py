"""The values of LaTeX commands: fractions, roots, functions, logarithms, binomial coefficients."""

from fractions import Fraction

import pytest

from reward_fns.expressions.points import evaluate
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import FUNCTIONS, ROUNDED, Undefined

VALUES = {"x": Fraction(1, 3), "y": Fraction(5)}


def value(text):
    return evaluate(text, VALUES.__getitem__)


EXACT = [
    (r"\frac{1}{2}", Fraction(1, 2)),
    (r"\frac12", Fraction(1, 2)),
    (r"\frac 1 2", Fraction(1, 2)),
    (r"\frac{1}2", Fraction(1, 2)),
    (r"\frac xy", Fraction(1, 15)),
    (r"\frac{1}{y}", Fraction(1, 5)),
    (r"\dfrac{1}{2}+\tfrac{1}{3}+\cfrac{1}{6}", 1),
    (r"\frac{\frac{1}{2}}{\frac{3}{4}}", Fraction(2, 3)),
    (r"\sqrt{9}", 3),
    (r"\sqrt 9", 3),
    (r"\sqrt9", 3),
    (r"\sqrt{\frac{4}{9}}", Fraction(2, 3)),
    (r"\sqrt[3]{8}", 2),
    (r"2\sqrt{9}", 6),
    (r"\sqrt{9}\sqrt{4}", 6),
    (r"\sqrt{9}^2", 9),
    ("sqrt(9)", 3),
    ("2sqrt(9)", 6),
    (r"\binom{5}{2}", 10),
    (r"\dbinom{5}{0}", 1),
    (r"\tbinom{5}{5}", 1),
]


@pytest.mark.parametrize(("text", "expected"), EXACT, ids=[case[0] for case in EXACT])
def test_a_command_with_an_exact_value(text, expected):
    result = value(text)
    assert isinstance(result, Fraction)
    assert result == expected


SQRT_2, SQRT_3 = ROUNDED.sqrt(2), ROUNDED.sqrt(3)

ROUNDED_VALUES = [
    (r"\sqrt{2}", SQRT_2),
    (r"\sqrt[3]{2}", ROUNDED.cbrt(2)),
    (r"\sqrt{2}\sqrt{2}", 2),
    (r"\sin\frac{\pi}{6}", 0.5),
    (r"\tan\frac{\pi}{4}", 1),
    (r"\cot\frac{\pi}{4}", 1),
    (r"\sec\frac{\pi}{3}", 2),
    (r"\csc\frac{\pi}{6}", 2),
    (r"\sin^2 \frac{\pi}{4}", 0.5),
    (r"\sin^{-1} 1", ROUNDED.pi / 2),
    (r"\cos^{-1}(0)", ROUNDED.pi / 2),
    (r"\tan^{-1}(1)", ROUNDED.pi / 4),
    (r"\arcsin 1", ROUNDED.pi / 2),
    (r"\arccos 0", ROUNDED.pi / 2),
    (r"\arctan 1", ROUNDED.pi / 4),
    (r"\sinh 1", (ROUNDED.e - 1 / ROUNDED.e) / 2),
    (r"\cosh 1", (ROUNDED.e + 1 / ROUNDED.e) / 2),
    (r"\tanh 1", (ROUNDED.exp(2) - 1) / (ROUNDED.exp(2) + 1)),
    (r"\exp(2)", ROUNDED.exp(2)),
    (r"\ln e^3", 3),
    (r"\ln 2 + \ln 3", ROUNDED.ln(6)),
    (r"\log_2 8", 3),
    (r"\log_{10} 1000", 3),
    (r"\log_{10}(1000)", 3),
    (r"\log_y 25", 2),
    (r"\sin^2 1 + \cos^2 1", 1),
    (r"(\sqrt{2}+\sqrt{3})^2", 5 + 2 * SQRT_2 * SQRT_3),
]


@pytest.mark.parametrize(("text", "expected"), ROUNDED_VALUES, ids=[case[0] for case in ROUNDED_VALUES])
def test_a_command_with_a_rounded_value(text, expected):
    assert abs(value(text) - expected) < ROUNDED.mpf("1e-45")


UNREADABLE = [
    (r"\frac{1}", "no denominator"),
    (r"\sqrt", "no argument"),
    (r"\sqrt+", "no argument"),
    (r"\frac-12", "a sign is no argument"),
    (r"\log 100", "no base"),
    ("log(100)", "no base"),
    (r"\ln^{-1} x", "the inverse function or the reciprocal"),
    (r"\cosh^{-1} x", "the inverse function or the reciprocal"),
    (r"\binom{x}{2}", "no whole number"),
    (r"\binom{2}{5}", "more than there are"),
    (r"\binom{5}{-1}", "fewer than none"),
    (r"\binom{\pi}{2}", "no whole number"),
    (r"\binom{5}{\pi}", "no whole number"),
    (r"\binom{5}{i}", "no whole number"),
    (r"\frac٣2", "a digit of another script"),
]


@pytest.mark.parametrize("text", [case[0] for case in UNREADABLE], ids=[f"{case[0]}: {case[1]}" for case in UNREADABLE])
def test_a_command_without_its_arguments_or_with_an_ambiguous_one_is_not_read(text):
    with pytest.raises(Unreadable):
        value(text)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_known_by_its_command_and_by_its_plain_name(name):
    assert value(rf"\{name} x") == value(f"{name}(x)") == FUNCTIONS[name](ROUNDED.mpf(1) / 3)


@pytest.mark.parametrize("text", [r"\frac{1}{0}", r"\frac{1}{1-1}", r"\ln 0", r"\cot 0", r"\log_1 2", r"\sqrt[0]{2}"])
def test_a_command_at_a_pole_has_no_value(text):
    with pytest.raises(Undefined):
        value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\lfloor 2.5 \rfloor", 2),
        (r"\lfloor -2.5 \rfloor", -3),
        (r"\lceil 2.5 \rceil", 3),
        (r"\lceil -2.5 \rceil", -2),
        (r"2\lfloor \frac{7}{2} \rfloor + 1", 7),
        (r"\lfloor 2.5 \rfloor x", Fraction(2, 3)),
        (r"\sqrt[3]{-8}", -2),
        (r"\sqrt[5]{-32}", -2),
        (r"\sqrt[3]{-8}\sqrt[3]{8}", -4),
        ("|-5|", 5),
        ("2|x-1|", Fraction(4, 3)),
        ("|x||y|", Fraction(5, 3)),
    ],
)
def test_whole_parts_real_roots_and_absolute_values_are_exact(text, expected):
    result = value(text)
    assert isinstance(result, Fraction)
    assert result == expected


def names_in(text):
    """What the evaluation asks a value for, because it is known by its name only."""
    names = []

    def value_of(name):
        names.append(name)
        return Fraction(1)

    evaluate(text, value_of)
    return names


@pytest.mark.parametrize(
    ("text", "num_names"),
    [
        (r"\lfloor x \rfloor", 2),
        (r"\lfloor \pi \rfloor", 1),
        (r"\lceil x \rceil + \lfloor 2.5 \rfloor", 2),
        (r"\lfloor x + \lceil 2.5 \rceil \rfloor", 2),
    ],
)
def test_the_whole_part_of_what_is_no_fraction_is_a_name_of_its_own(text, num_names):
    assert len(names_in(text)) == num_names
    assert r"\rfloor" in names_in(text)[-1] or r"\rceil" in names_in(text)[-1]


def test_a_derivative_is_a_name_and_no_quotient():
    assert names_in(r"\frac{dy}{dx}") == [r"{dy}{dx}"]
    assert names_in(r"\frac{\partial f}{\partial x}") == [r"{\partialf}{\partialx}"]
    assert names_in(r"\frac{d}{y}") == ["d", "y"]


def test_even_roots_of_negative_numbers_are_imaginary():
    assert abs(value(r"\sqrt{-4}") - ROUNDED.mpc(0, 2)) < ROUNDED.mpf("1e-45")
    assert abs(value(r"\sqrt[4]{-4}") - ROUNDED.mpc(1, 1)) < ROUNDED.mpf("1e-45")


@pytest.mark.parametrize("text", ["f(x)", "g_1(x)", "h'(x)", "F(x)", r"\Gamma(x)", "y(2)", "x(-1.5)"])
def test_the_value_of_a_function_is_no_product(text):
    assert len([name for name in names_in(text) if "(" in name]) == 1


@pytest.mark.parametrize("text", ["x(y)", "y(x+1)", "x(2+3)", "xf", "2(3)"])
def test_a_product_with_brackets_is_one(text):
    assert not [name for name in names_in(text) if "(" in name]


@pytest.mark.parametrize("text", [r"\lfloor 2.5", r"\lfloor 2.5 \rceil", r"\rfloor", r"\lfloor \rfloor"])
def test_a_whole_part_needs_its_brackets(text):
    with pytest.raises(Unreadable):
        value(text)

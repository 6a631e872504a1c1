"""What is settled about two answers without a computer algebra system, and what is left open."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.equivalence import (
    MAX_CHARACTERS,
    MAX_DIGIT_RUN,
    MAX_NESTING,
    clean,
    compare_quickly,
    exact_value,
    exceeds_limits,
)

EQUAL = [
    ("42", "42"),
    ("42.0", "42"),
    ("$42$", "42"),
    (r"\(42\)", "42"),
    ("42.", "42"),
    (".5", "1/2"),
    ("0.5", r"\frac{1}{2}"),
    (r"\dfrac{2}{4}", r"\tfrac{1}{2}"),
    (r"-\frac{3}{6}", "-0.5"),
    ("1,234", "1234"),
    (r"1\,234", "1234"),
    ("1{,}234,567", "1234567"),
    (r"32,\! 349", "32349"),
    (r"1\frac{4}{5}", "1.8"),
    ("1 4/5", r"\frac{9}{5}"),
    (r"-2\frac{1}{2}", "-2.5"),
    (r"90^\circ", "90"),
    (r"90^{\circ}", "90 degrees"),
    (r"9 \text{ inches}", "9"),
    (r"4000\text{ cm}^3", "4000"),
    (r"\$0.10", "0.1"),
    ("$782", "782"),
    ("33.5%", "0.335"),
    (r"28\%", "28 percent"),
    ("10", r"10\%"),
    (r"\frac{1}{2}\%", "0.005"),
    (r"\text{odd}", "odd"),
    (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\frac{\pi}{2})"),
    ("n - 1", "n-1"),
    ("−7", "-7"),  # noqa: RUF001 - the typographic minus sign
]

DIFFERENT = [
    ("41", "42"),
    ("0.333", "1/3"),
    (r"\frac{1}{3}", r"\frac{1}{4}"),
    ("-2.5", "2.5"),
    (r"1\frac{4}{5}", "0.8"),
    ("1,234", "1.234"),
    (r"28\%", r"2800\%"),
    (r"28\%", "2.8"),
    ("1", ""),
    ("", "1"),
    ("", ""),
]

OPEN = [
    ("1, 234", "1234"),  # A list of two numbers, not one number.
    ("12,34", "1234"),  # No thousands separator stands there.
    (r"\sqrt{4}", "2"),
    ("x+1", "1+x"),
    (r"\frac{1}{0}", "1"),
    ("٤٢", "42"),  # Digits of another script are not read as numbers.
    (r"41\text{ or }42", "42"),
    ("1e3", "1000"),
    (r"1 234\text{ or }1", "1234"),
]


@pytest.mark.parametrize(
    ("candidate", "gold", "expected"),
    [(*pair, verdict) for pairs, verdict in ((EQUAL, True), (DIFFERENT, False), (OPEN, None)) for pair in pairs],
)
def test_answers_are_equal_different_or_left_open(candidate, gold, expected):
    assert compare_quickly(candidate, gold) is expected


@pytest.mark.parametrize(("candidate", "gold"), EQUAL)
def test_equality_does_not_depend_on_which_side_is_the_reference(candidate, gold):
    assert compare_quickly(gold, candidate) is True


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("007", Fraction(7)),
        ("5.", Fraction(5)),
        ("1,000.5", Fraction(2001, 2)),
        ("3/12", Fraction(1, 4)),
        ("28%", Fraction(28)),
        ("1/0", None),
        ("--5", None),
        ("", None),
        (".", None),
        ("5x", None),
        ("nan", None),
    ],
)
def test_the_exact_value_is_that_of_a_written_number_only(answer, value):
    assert exact_value(answer) == value


def test_cleaning_keeps_commands_that_begin_like_a_size_command():
    assert clean(r"\leftarrow x \rightarrow \bigcup") == r"\leftarrow x \rightarrow \bigcup"


def test_cleaning_keeps_the_line_breaks_of_a_matrix():
    matrix = r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \\, 5 \end{pmatrix}"
    assert clean(matrix) == matrix


def test_a_root_in_call_notation_becomes_latex():
    assert clean("-1 + sqrt(3)") == r"-1 + \sqrt{3}"


@pytest.mark.parametrize(
    ("accepted", "refused"),
    [
        ("x" * MAX_CHARACTERS, "x" * (MAX_CHARACTERS + 1)),
        ("(" * MAX_NESTING + ")" * MAX_NESTING, "(" * (MAX_NESTING + 1)),
        ("1" * MAX_DIGIT_RUN + "." + "1" * 99, "1" * (MAX_DIGIT_RUN + 1)),
    ],
    ids=["length", "nesting", "digits"],
)
def test_each_limit_is_the_last_value_accepted(accepted, refused):
    assert not exceeds_limits(accepted)
    assert exceeds_limits(refused)


def test_parentheses_side_by_side_are_not_nested():
    assert not exceeds_limits("()" * (MAX_NESTING + 1))


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**4))
def test_every_way_to_write_a_fraction_has_its_value(numerator, denominator):
    sign = "-" if numerator < 0 else ""
    written = [
        f"{sign}\\frac{{{abs(numerator)}}}{{{denominator}}}",
        f"{numerator}/{denominator}",
        f"{sign}{abs(numerator) // denominator} {abs(numerator) % denominator}/{denominator}",
    ]
    assert [exact_value(text) for text in written] == [Fraction(numerator, denominator)] * 3


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_compared_without_an_error(candidate, gold):
    assert compare_quickly(candidate, gold) in (True, False, None)

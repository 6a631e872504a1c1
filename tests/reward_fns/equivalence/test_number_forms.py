"""Every way to write a rational number equals every other way, and no way to write one of its neighbours."""

from fractions import Fraction
from itertools import cycle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.math_reward import grade

# Decimals of six places or more may be rounded, and are then less than 10^-6 away from what they round. Two neighbours
# with denominators up to d differ by 1/(d(d+1)) at least, which is above 10^-5 here.
MAX_DENOMINATOR = 240


def decimal(value):
    """The decimals of `value`, or None if they do not end."""
    places = next((n for n in range(12) if (value * 10**n).denominator == 1), None)
    if places is None:
        return None
    digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}d}"
    whole, part = (digits[:-places], digits[-places:]) if places else (digits, "")
    return "-" * (value < 0) + whole + ("." + part if part else "")


def unsigned_forms(value):
    """What can be written behind a sign, for a value from 0."""
    numerator, denominator = value.numerator, value.denominator
    forms = [
        f"{numerator}/{denominator}",
        f"{3 * numerator}/{3 * denominator}",
        rf"\frac{{{numerator}}}{{{denominator}}}",
        rf"\dfrac{{{2 * numerator}}}{{{2 * denominator}}}",
    ]
    if numerator < 10 and denominator < 10:
        forms.append(rf"\frac{numerator}{denominator}")
    whole, rest = divmod(numerator, denominator)
    if whole and rest:
        forms += [rf"{whole}\frac{{{rest}}}{{{denominator}}}", rf"{whole} \dfrac{{{rest}}}{{{denominator}}}"]
        forms += [f"{whole} {rest}/{denominator}"]
    if (digits := decimal(value)) is not None:
        forms += [digits, f"{digits}0" if "." in digits else f"{digits}.0"]
        if digits.startswith("0."):
            forms.append(digits[1:])
    if denominator == 1 and whole >= 1000:
        forms += [f"{whole:,}".replace(",", separator) for separator in (",", r"\,", "{,}", " ", "\u202f")]
    return forms


def plain_forms(value):
    """The number without a percent sign."""
    forms = unsigned_forms(abs(value))
    if value < 0:
        negative = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
        return [f"-{form}" for form in forms] + [negative, f"−{forms[0]}"]  # noqa: RUF001 - the minus sign
    return forms + [f"+{form}" for form in forms[-3:]]


def percent_forms(value):
    """The number as a percentage."""
    return [form + sign for form, sign in zip(plain_forms(100 * value), cycle([r"\%", "%", " percent"]), strict=False)]


def neighbours(value):
    """The numbers that are one slip away."""
    numerator, denominator = value.numerator, value.denominator
    found = {Fraction(numerator + 1, denominator), Fraction(numerator - 1, denominator)}
    found |= {Fraction(numerator, denominator + 1), -value}
    if (digits := decimal(value)) is not None:
        last_place = Fraction(1, 10 ** len(digits.partition(".")[2]))
        found |= {value + last_place, value - last_place}
    return sorted(found - {value})


def is_right(candidate, gold):
    return grade(rf"so \boxed{{{candidate}}}", gold) == 1.0


rationals = st.one_of(
    st.integers(-20, 20).map(Fraction),
    st.integers(-(10**7), 10**7).map(Fraction),
    st.builds(Fraction, st.integers(-3000, 3000), st.integers(1, MAX_DENOMINATOR)),
    st.builds(Fraction, st.integers(-100, 100), st.sampled_from([2, 4, 5, 8, 10, 20, 50, 100])),
)
EXAMPLES = [Fraction(0), Fraction(1), Fraction(-1234), Fraction(9, 5), Fraction(-1, 64), Fraction(1, 100)]


def with_examples(test):
    for value in EXAMPLES:
        test = example(value)(test)
    return test


@pytest.mark.slow
@settings(max_examples=15)
@with_examples
@given(rationals)
def test_every_form_of_a_number_equals_every_other(value):
    forms = plain_forms(value) + percent_forms(value)
    verdicts = {(candidate, gold): compare_quickly(candidate, gold) for candidate in forms for gold in forms}
    assert [pair for pair, verdict in verdicts.items() if verdict is not True] == []
    assert [form for form, gold in zip(forms, forms[1:] + forms[:1], strict=True) if not is_right(form, gold)] == []


@settings(max_examples=15)
@with_examples
@given(rationals)
def test_every_percentage_equals_the_number_before_its_sign(value):
    assert all(compare_quickly(form, gold) for form in percent_forms(value) for gold in plain_forms(100 * value))
    assert all(compare_quickly(gold, form) for form in percent_forms(value) for gold in plain_forms(100 * value))


@pytest.mark.slow
@settings(max_examples=15)
@with_examples
@given(rationals)
def test_no_form_of_a_number_equals_any_form_of_its_neighbours(value):
    # A percentage equals the number before its sign, too, so that a percentage of v and a plain w are the same for
    # w = 100v. No neighbour is: with v = p/q and w = (p+-1)/q that would be 99p = +-1 or, the other way round,
    # 99p = +-100; with w = p/(q+1) it would be 100(q+1) = q or q+1 = 100q; with w = -v it would be v = 0; and the
    # decimals are fractions with the denominator q = 10^n. So there is nothing to exclude.
    forms = plain_forms(value) + percent_forms(value)
    for number, neighbour in enumerate(neighbours(value)):
        others = plain_forms(neighbour) + percent_forms(neighbour)
        pairs = [(form, other) for form in forms for other in others[number % 3 :: 3]]
        assert [pair for pair in pairs if compare_quickly(*pair) is not False] == []
        assert [pair for pair in pairs[::5] if compare_quickly(*pair[::-1]) is not False] == []
        assert [form for form, other in zip(forms, cycle(others), strict=False) if is_right(form, other)] == []


def test_the_neighbours_of_a_number_are_those_that_are_one_slip_away():
    fractions = [Fraction(-3, 4), Fraction(1, 2), Fraction(3, 5), Fraction(74, 100), Fraction(76, 100), Fraction(1)]
    assert neighbours(Fraction(3, 4)) == fractions


def test_numbers_are_written_in_all_forms():
    assert unsigned_forms(Fraction(1234))[-5:] == ["1,234", r"1\,234", "1{,}234", "1 234", "1\u202f234"]
    assert {r"1\frac{4}{5}", "1 4/5", "9/5", r"\frac{9}{5}", r"\frac95", "1.8"} <= set(unsigned_forms(Fraction(9, 5)))
    assert {"-.5", "-0.50", "-1/2", r"\frac{-1}{2}", "−1/2"} <= set(plain_forms(Fraction(-1, 2)))  # noqa: RUF001
    assert r"50/1\%" in percent_forms(Fraction(1, 2))

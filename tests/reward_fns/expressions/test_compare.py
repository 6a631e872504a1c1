"""Expressions compared by their values at two points, multiples of each other, and rounded decimals."""

import threading
from fractions import Fraction
from string import ascii_letters

import pytest

from reward_fns.expressions import points
from reward_fns.expressions.compare import compare_expressions, compare_multiples, is_rounded
from reward_fns.expressions.points import evaluate_at, is_readable
from reward_fns.expressions.values import ROUNDED, TooLarge

SAME = [
    ("x+1", "1+x"),
    ("(x+1)^2", "x^2+2x+1"),
    (r"\frac{x^2-1}{x-1}", "x+1"),
    (r"\frac{1}{x}+\frac{1}{y}", r"\frac{x+y}{xy}"),
    ("-(a-b)", "b-a"),
    ("(r+5)(r+5)", "(r+5)^2"),
    (r"\sqrt{8}", r"2\sqrt{2}"),
    (r"\sqrt{3+2\sqrt{2}}", r"1+\sqrt{2}"),
    (r"\frac{1}{\sqrt{2}}", r"\frac{\sqrt{2}}{2}"),
    (r"\sin 2x", r"2\sin x\cos x"),
    (r"\ln(x^2)", r"2\ln x"),
    (r"e^{i\pi}", "-1"),
    ("2^{n+1}", r"2\cdot 2^n"),
    (r"\sqrt[3]{-8}", "-2"),
    ("x_1+x_2", "x_2+x_1"),
    (r"\frac{1}{2004!}", r"\frac{2005}{2005!}"),
    ("9^{9^4}", "3^{2*9^4}"),
    ("(n+1)!", "(n+1)n!"),
    ("(n+1)!-(n-1)!", "(n-1)!(n^2+n-1)"),
    (r"2^{n^2}(2n)!", r"(2n)!\cdot 2^{n^2}"),
    ("|x-5|", "|5-x|"),
    (r"\sqrt{(a-b)^2}", "|a-b|"),
    (r"\sqrt[5]{x-3}", "(x-3)^{1/5}"),
    (r"2\operatorname{cis} \frac{\pi}{3}", r"1+\sqrt{3}i"),
]

DIFFERENT = [
    ("x", "y"),
    ("x", "X"),
    ("x_1", "x_2"),
    ("x", "x'"),
    ("x+1", "x+2"),
    ("x^2", "x^3"),
    ("(x+1)^2", "x^2+2x+2"),
    (r"\sqrt{2}", "1.41421"),
    (r"\sqrt{2}", r"\sqrt{3}"),
    (r"\sin x", r"\cos x"),
    ("1/2004!", "1/2006!"),
    ("2^{-98}", "2^{-99}"),
    (r"e^{\pi\sqrt{163}}", "262537412640768744"),
    ("1+i", "1-i"),
    ("1/0", "1/0"),  # without a value, equal to nothing
    ("1/0", "1"),
    ("x/(y-y)", "x"),
    ("|x|", "x"),
    ("|x-5|", "5-x"),
    ("|2x-7|", "7-2x"),
    ("|x+5|", "x+5"),
    ("|x-0.01|", "x-0.01"),
    ("x+|x-4|", "4"),
    (r"\sqrt{(a-b)^2}", "a-b"),
    (r"\sqrt{(a-b)^2}", "b-a"),
    (r"\frac{x+y+|x-y|}{2}", "x"),
    (r"\frac{x+y+|x-y|}{2}", "y"),
    (r"\sqrt{10^{80}+1}", "10^{40}"),
    (r"2^{\frac{1}{2^{1000}}}", "1"),
]

OPEN = [
    ("x or y", "x"),
    ("1", "1/2x"),
    (r"\sqrt{x-40}", "y"),  # negative at both points, and different above
    (r"\sqrt{8}-2\sqrt{2}-10^{-40}", "0"),  # less than the rounding error
    ("x+10^{-36}\\pi", "x"),  # between equal and different
]


@pytest.mark.parametrize(
    ("candidate", "gold", "expected"),
    [(*pair, verdict) for pairs, verdict in ((SAME, True), (DIFFERENT, False), (OPEN, None)) for pair in pairs],
)
def test_expressions_are_the_same_different_or_left_open(candidate, gold, expected):
    assert compare_expressions(candidate, gold) is expected
    assert compare_expressions(gold, candidate) is expected


def test_a_complex_value_counts_where_the_imaginary_unit_is_written():
    # At both points the root is complex and the number is not; only the second pair says that it is meant to be.
    assert compare_expressions(r"\sqrt{x-4}", "2") is None
    assert compare_expressions(r"\sqrt{x-4}", "2+0i") is False
    assert compare_expressions(r"\sqrt{-4}", "2i") is True
    assert compare_expressions(r"\sqrt{-4}", r"\pi") is None  # the i of a command is no imaginary unit


def test_both_points_have_to_agree():
    # Equal at the first point by construction, and not at the second.
    first = evaluate_at(0, "x")
    text = f"\\frac{{{first.numerator}}}{{{first.denominator}}}"
    assert compare_expressions("x", text) is False
    second = evaluate_at(1, "x")
    assert compare_expressions("x", f"\\frac{{{second.numerator}}}{{{second.denominator}}}") is False


def test_an_expression_that_is_too_large_is_an_error():
    with pytest.raises(TooLarge):
        compare_expressions("10^{10^{10}}", "1")
    with pytest.raises(TooLarge):
        compare_multiples("x", "5001!")


NAMES = [*ascii_letters.replace("e", "").replace("i", ""), "alpha", "omega", "ell", "x_1", "x_2", "a_n", "x'", "infty"]


def test_the_points_lie_between_zero_and_one_and_between_one_and_three():
    for name in NAMES:
        text = name if len(name.split("_")[0].rstrip("'")) == 1 else f"\\{name}"
        assert 0 < evaluate_at(0, text) < 1 < evaluate_at(1, text) < 3


def test_a_variable_has_the_same_value_wherever_it_stands_and_different_ones_have_different_values():
    names = [f"{letter}_{index}" for letter in ascii_letters for index in "0123456789nk"]
    assert len({(evaluate_at(0, name), evaluate_at(1, name)) for name in names}) == len(names) == 624
    assert evaluate_at(0, "x+x-x") == evaluate_at(0, "x")


@pytest.mark.parametrize(
    ("candidate", "gold", "expected"),
    [
        ("2x+4y-6", "x+2y-3", (True, 1)),
        ("x+2y-3", "2x+4y-6", (True, 1)),
        ("3-x", "x-3", (True, -1)),
        (r"\pi x", "x", (True, 1)),
        ("ix", "x", (True, 0)),  # the factor is not real
        ("x+2y-3", "x+2y+1-3", (False, 0)),
        ("x", "y", (False, 0)),
        ("x^2", "x", (False, 0)),
        ("0", "x", (None, 0)),  # zero is a multiple of everything
        ("x", "0", (None, 0)),
        ("1/0", "x", (None, 0)),
        ("x or y", "x", (None, 0)),
    ],
)
def test_a_multiple_is_known_by_the_quotient_at_both_points(candidate, gold, expected):
    assert compare_multiples(candidate, gold) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("x+1", True), ("wxyz", False), ("1/2x", False), ("1/0", False), ("5001!", False), ("1,2", False), ("", False)],
)
def test_only_one_expression_with_a_value_is_readable(text, expected):
    assert is_readable(text) is expected


TWO_THIRDS, PI = Fraction(2, 3), +ROUNDED.pi


@pytest.mark.parametrize(
    ("decimal", "exact", "exact_value", "expected"),
    [
        ("0.666667", "2/3", TWO_THIRDS, True),  # rounded
        ("0.666666", "2/3", TWO_THIRDS, True),  # cut
        ("-0.666667", "-2/3", -TWO_THIRDS, True),
        ("0.66666666666666666667", "2/3", TWO_THIRDS, True),
        ("0.66667", "2/3", TWO_THIRDS, False),  # five decimals
        ("0.666665", "2/3", TWO_THIRDS, False),  # 1.7 units of the last place away
        ("0.666668", "2/3", TWO_THIRDS, False),  # 1.3 units
        ("0.6666660", "2/3", TWO_THIRDS, False),
        ("3.141593", r"\pi", PI, True),
        ("3.141592", r"\pi", PI, True),
        ("3.14159", r"\pi", PI, False),
        # Six decimals have to carry the value: 100000 units of the last place at least.
        ("0.111111", "1/9", Fraction(1, 9), True),
        ("0.100000", r"\frac{1000001}{10000007}", Fraction(1_000_001, 10_000_007), True),  # just 100000 units
        ("0.090909", "1/11", Fraction(1, 11), False),
        ("0.0909091", "1/11", Fraction(1, 11), True),
        ("0.000000", "1/10000001", Fraction(1, 10_000_001), False),
        # What has an end has to be written out.
        ("0.333333", "0.3333331", Fraction(3_333_331, 10**7), False),
        ("0.1428571", r"\frac{14285712}{100000000}", Fraction(14_285_712, 10**8), False),
        ("0.0078124", "1/128", Fraction(1, 128), False),
        ("3.125001", "100/32", Fraction(100, 32), False),
        # What is not a plain decimal is not a rounded one.
        ("0.66666{7}", "2/3", TWO_THIRDS, False),
        ("2.666667/2", "4/3", Fraction(4, 3), False),
    ],
)
def test_a_decimal_may_be_rounded_or_cut_at_six_significant_places(decimal, exact, exact_value, expected):
    try:
        decimal_value = Fraction(decimal)
    except ValueError:
        decimal_value = exact_value
    assert is_rounded(decimal, exact, decimal_value, exact_value) is expected
    assert is_rounded(exact, decimal, exact_value, decimal_value) is expected


def test_neither_of_two_decimals_is_the_rounded_one():
    assert not is_rounded("0.666667", "0.6666667", Fraction("0.666667"), Fraction("0.6666667"))


def is_free():
    """True if another thread could begin an evaluation."""

    def try_to_lock():
        found.append(points._EVALUATION.acquire(blocking=False))
        if found[0]:
            points._EVALUATION.release()

    found = []
    thread = threading.Thread(target=try_to_lock)
    thread.start()
    thread.join()
    return found[0]


def test_one_evaluation_runs_at_a_time(monkeypatch):
    # The contexts of mpmath are not safe for threads; to see the lock held is surer than to wait for a collision.
    def evaluate(text, value_of, factors):
        assert not is_free()
        return Fraction(1)

    monkeypatch.setattr(points, "evaluate", evaluate)
    assert evaluate_at(0, "x") == 1
    assert is_free()


def test_many_threads_get_the_values_that_one_gets():
    expressions = [rf"\sqrt{{{number}}}+\sin {number}+\ln x" for number in range(2, 22)]
    expected = [evaluate_at(0, text) for text in expressions]
    results = {}

    def evaluate_all(thread):
        results[thread] = [evaluate_at(0, text) for text in expressions]

    threads = [threading.Thread(target=evaluate_all, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(results.values()) == [expected] * 8

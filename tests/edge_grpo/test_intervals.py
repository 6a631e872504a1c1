"""Intervals of shares and of means: the formulas by hand, where they lie, and what is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.edge_grpo.intervals import cut_interval, mean_interval, next_value_interval, t_test, wilson_interval


def test_the_interval_is_wilsons():
    # p = 0.5, n = 256, z^2 = 3.8415: the middle stays 0.5, and the half width is
    # 1.96 sqrt(0.25/256 + 3.8415/(4 * 65536)) / (1 + 3.8415/256) = 1.96 * 0.031484 / 1.015006 = 0.060794
    assert wilson_interval(0.5, 256) == pytest.approx((0.5 - 0.060794, 0.5 + 0.060794), abs=2e-6)
    # p = 0, n = 10: (z^2/20 + z * z/20) / (1 + z^2/10) = 0.384146 / 1.384146 = 0.277533
    assert wilson_interval(0.0, 10) == pytest.approx((0.0, 0.277533), abs=1e-6)


@given(num_right=st.integers(0, 300), num_wrong=st.integers(0, 300))
def test_the_interval_holds_the_share_lies_within_0_and_1_and_mirrors(num_right, num_wrong):
    num_problems = num_right + num_wrong or 1
    share = num_right / num_problems
    low, high = wilson_interval(share, num_problems)
    assert 0 <= low <= share + 1e-12 and share - 1e-12 <= high <= 1
    assert low < high
    assert wilson_interval(1 - share, num_problems) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("share", "num_problems"), [(-0.1, 10), (1.1, 10), (0.5, 0), (float("nan"), 10)])
def test_what_is_no_share_of_problems_is_refused(share, num_problems):
    with pytest.raises(ValueError, match=f"got {share} of {num_problems}"):
        wilson_interval(share, num_problems)


def test_a_higher_level_makes_a_wider_interval():
    # z = 1.6449 for 90 %; p = 0, n = 10: (z^2/20 + z * z/20) / (1 + z^2/10) = 0.270554 / 1.270554 = 0.212942
    assert wilson_interval(0.0, 10, 0.9) == pytest.approx((0.0, 0.212942), abs=1e-6)
    assert wilson_interval(0.0, 10, 0.9)[1] < wilson_interval(0.0, 10)[1] < wilson_interval(0.0, 10, 0.99)[1]


@pytest.mark.parametrize("level", [0.0, 1.0, 95, float("nan")])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(ValueError, match=f"confidence_level must be between 0 and 1, got {level}"):
        wilson_interval(0.5, 10, level)


def test_the_interval_of_a_mean_is_students():
    # 1, 2, 3, 4, 5: mean 3, s = sqrt(10 / 4) = 1.58114, t of 4 degrees 2.77645: 2.77645 * 1.58114 / sqrt(5) = 1.96324
    assert mean_interval([1, 2, 3, 4, 5]) == pytest.approx((3 - 1.96324, 3 + 1.96324), abs=1e-5)
    # one value more: 2.77645 * 1.58114 * sqrt(6 / 5) = 4.80893
    assert next_value_interval([1, 2, 3, 4, 5]) == pytest.approx((3 - 4.80893, 3 + 4.80893), abs=1e-4)
    # t of one degree and 99 % is tan(0.495 pi) = 63.6567; of 0 and 2 the deviation is sqrt(2), so half is 63.6567
    assert mean_interval([0, 2], 0.99) == pytest.approx((1 - 63.6567, 1 + 63.6567), abs=1e-3)


def test_the_test_of_a_mean_is_students():
    # one degree of freedom is Cauchy's: t = mean sqrt(2) / s = 2 * 1.41421 / 1.41421 = 2, p = 1 - 2 atan(2) / pi
    assert t_test([1, 3]) == pytest.approx(1 - 2 * math.atan(2) / math.pi)
    # two degrees: p = 1 - t / sqrt(2 + t^2), t = 2 sqrt(3)
    assert t_test([1, 2, 3]) == pytest.approx(1 - math.sqrt(12 / 14))
    assert t_test([-1, -2, -3]) == t_test([1, 2, 3]) == t_test([2, 3, 4], expected=1)


@pytest.mark.slow
@given(values=st.lists(st.floats(-1, 1), min_size=2, max_size=6, unique=True), expected=st.floats(-1, 1))
def test_a_mean_is_outside_of_the_interval_exactly_where_the_test_finds_it(values, expected):
    low, high = mean_interval(values)
    if min(abs(expected - low), abs(expected - high)) > 1e-6 * (high - low):
        assert (low <= expected <= high) == (t_test(values, expected) >= 0.05)


def test_values_without_deviation_leave_no_doubt():
    assert mean_interval([0.5, 0.5]) == (0.5, 0.5)
    assert t_test([0.5, 0.5]) == 0.0
    assert t_test([0.5, 0.5], expected=0.5) == 1.0


@pytest.mark.parametrize("function", [mean_interval, next_value_interval, t_test])
def test_one_value_has_no_deviation(function):
    with pytest.raises(ValueError, match="two values or more, got 1"):
        function([0.5])


@pytest.mark.parametrize(
    ("interval", "highest", "expected"),
    [
        ((0.2, 0.8), 1.0, (0.2, 0.8)),
        ((-0.5, 1.5), 1.0, (0.0, 1.0)),
        ((-0.5, 1.5), math.inf, (0.0, 1.5)),
        ((1.1, 1.5), 1.0, (1.0, 1.0)),
        ((-0.5, -0.1), math.inf, (0.0, 0.0)),
    ],
)
def test_an_interval_ends_where_its_number_cannot_be(interval, highest, expected):
    assert cut_interval(interval, highest) == expected

"""The interval of a share: Wilson's formula by hand, where it lies, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.edge_grpo.intervals import wilson_interval


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

"""pass@k, avg@n, the bootstrap interval and the two averages: hand-worked values, properties, slow versions."""

import itertools
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.edge_grpo.evaluate.statistics import (
    accuracy_interval,
    avg_at_n,
    bootstrap_interval,
    interval_method,
    macro_average,
    pass_at_k,
    sample_weighted_average,
)
from recipe.edge_grpo.intervals import wilson_interval


@st.composite
def counts(draw, most=60):
    """(n, c, k) with 0 <= c <= n and 1 <= k <= n."""
    num_samples = draw(st.integers(1, most))
    return num_samples, draw(st.integers(0, num_samples)), draw(st.integers(1, num_samples))


@pytest.mark.parametrize(
    ("num_samples", "num_correct", "k", "expected"),
    [
        (4, 2, 1, 1 / 2),  # 1 - C(2,1)/C(4,1) = 1 - 2/4
        (4, 2, 2, 5 / 6),  # 1 - C(2,2)/C(4,2) = 1 - 1/6
        (4, 2, 3, 1.0),  # any 3 of 4 contain one of the 2 correct ones
        (5, 1, 3, 3 / 5),  # 1 - C(4,3)/C(5,3) = 1 - 4/10
        (8, 3, 4, 13 / 14),  # 1 - C(5,4)/C(8,4) = 1 - 5/70
        (1, 1, 1, 1.0),
        (1, 0, 1, 0.0),
        (8, 0, 8, 0.0),
        (8, 8, 1, 1.0),
    ],
)
def test_pass_at_k_has_the_hand_worked_value(num_samples, num_correct, k, expected):
    assert pass_at_k(num_samples, num_correct, k) == pytest.approx(expected, abs=1e-15)


@given(counts(most=9))
def test_pass_at_k_is_the_share_of_choices_of_k_samples_with_a_correct_one(case):
    num_samples, num_correct, k = case
    samples = [True] * num_correct + [False] * (num_samples - num_correct)
    slow = statistics.fmean(any(chosen) for chosen in itertools.combinations(samples, k))
    assert pass_at_k(*case) == pytest.approx(slow, abs=1e-12)


@given(counts())
def test_pass_at_k_grows_with_k_and_with_the_number_of_correct_samples(case):
    num_samples, num_correct, k = case
    value = pass_at_k(*case)
    assert 0 <= value <= 1
    assert k == num_samples or value <= pass_at_k(num_samples, num_correct, k + 1)
    assert num_correct == num_samples or value < pass_at_k(num_samples, num_correct + 1, k) or value == 1


@given(counts())
def test_pass_at_one_is_the_accuracy_and_pass_at_n_says_whether_any_is_correct(case):
    num_samples, num_correct, _ = case
    assert pass_at_k(num_samples, num_correct, 1) == pytest.approx(num_correct / num_samples, abs=1e-15)
    assert pass_at_k(num_samples, num_correct, num_samples) == float(num_correct > 0)


def test_pass_at_k_keeps_its_precision_with_thousands_of_samples():
    # 1 - C(9999, 5000) / C(10000, 5000) = 1 - 5000/10000
    assert pass_at_k(10_000, 1, 5000) == 0.5


@pytest.mark.parametrize("k", [5, 0, -1])
def test_a_k_that_the_samples_cannot_answer_is_an_error_with_k_and_n(k):
    with pytest.raises(ValueError, match=f"k = {k} with n = 4 samples"):
        pass_at_k(4, 2, k)


@pytest.mark.parametrize("num_correct", [-1, 5])
def test_an_impossible_number_of_correct_samples_is_an_error(num_correct):
    with pytest.raises(ValueError, match=f"got {num_correct} of 4"):
        pass_at_k(4, num_correct, 1)


def test_no_samples_are_an_error():
    with pytest.raises(ValueError, match="n = 0"):
        pass_at_k(0, 0, 1)


def test_avg_at_n_gives_every_problem_the_same_weight():
    # (1/2 + 0/1 + 3/4) / 3 = 5/12, not 4 correct of 7 samples
    assert avg_at_n([[1, 0], [0], [1, 1, 0, 1]]) == pytest.approx(5 / 12)


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=8), min_size=1, max_size=8))
def test_avg_at_n_is_the_unbiased_pass_at_one(accuracies):
    slow = statistics.fmean(pass_at_k(len(samples), int(sum(samples)), 1) for samples in accuracies)
    assert avg_at_n(accuracies) == pytest.approx(slow, abs=1e-12)


@pytest.mark.parametrize("accuracies", [[], [[]], [[1.0], []]])
def test_avg_at_n_of_nothing_is_an_error(accuracies):
    with pytest.raises(ValueError):
        avg_at_n(accuracies)


def test_the_interval_of_a_coin_is_that_of_the_binomial_distribution():
    # 10 of 20 correct: a resample has Bin(20, 1/2) correct. P(X <= 5) = 0.0207, P(X <= 6) = 0.0577, so that the 2.5 %
    # quantile is 6/20 and by symmetry the 97.5 % quantile 14/20. For 80 %: P(X <= 6) = 0.0577, P(X <= 7) = 0.1316.
    values = [1.0, 0.0] * 10
    assert bootstrap_interval(values, num_resamples=100_000, seed=0) == pytest.approx((0.30, 0.70))
    assert bootstrap_interval(values, num_resamples=100_000, seed=0, confidence_level=0.8) == pytest.approx(
        (0.35, 0.65)
    )


def test_the_interval_of_rare_successes_is_that_of_the_binomial_distribution():
    # 1 of 10 correct: a resample has Bin(10, 1/10) correct. P(X = 0) = 0.349, P(X <= 2) = 0.930, P(X <= 3) = 0.987.
    values = [0.0] * 9 + [1.0]
    assert bootstrap_interval(values, num_resamples=100_000, seed=0) == pytest.approx((0.0, 0.3))


def test_the_interval_agrees_with_a_slow_version_that_draws_every_problem():
    values = [0.0, 0.0, 0.125, 0.25, 0.25, 0.5, 0.5, 0.5, 0.75, 1.0, 1.0]
    generator = random.Random(0)
    means = sorted(statistics.fmean(generator.choices(values, k=len(values))) for _ in range(20_000))
    slow = means[500], means[19_500]
    # The two draw differently; means lie on a grid of 0.125/11 = 0.0114.
    assert bootstrap_interval(values, num_resamples=20_000, seed=1) == pytest.approx(slow, abs=0.0114)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_interval_encloses_what_it_can_and_does_not_depend_on_the_order(values, generator):
    low, high = bootstrap_interval(values, num_resamples=400, seed=3)
    assert min(values) <= low <= high <= max(values)
    shuffled = generator.sample(values, len(values))
    assert bootstrap_interval(shuffled, num_resamples=400, seed=3) == (low, high)


def test_the_interval_is_drawn_from_its_seed_and_number_of_resamples():
    values = [0.1 * number for number in range(10)]
    first = bootstrap_interval(values, num_resamples=50, seed=0)
    assert first == bootstrap_interval(values, num_resamples=50, seed=0)
    assert first != bootstrap_interval(values, num_resamples=50, seed=1)
    assert first != bootstrap_interval(values, num_resamples=51, seed=0)


@pytest.mark.parametrize("values", [[0.1], [1.0] * 7, [0.0] * 7, [0.1] * 3])
def test_one_problem_and_equal_problems_have_an_interval_of_width_zero(values):
    assert bootstrap_interval(values, num_resamples=100, seed=0) == (values[0], values[0])


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ([], {"num_resamples": 10}, "at least one value"),
        ([1.0], {"num_resamples": 0}, "num_resamples must be at least 1, got 0"),
        ([1.0], {"num_resamples": 10, "confidence_level": 0.0}, "between 0 and 1, got 0.0"),
        ([1.0], {"num_resamples": 10, "confidence_level": 95}, "between 0 and 1, got 95"),
    ],
)
def test_an_interval_that_cannot_be_drawn_is_an_error(values, settings, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(values, seed=0, **settings)


@pytest.mark.parametrize(
    ("values", "method"),
    [
        ([0.0] * 100, "wilson"),
        ([1.0] * 100, "wilson"),
        ([0.5] * 29, "wilson"),
        ([0.0, 1.0] * 14 + [1.0], "wilson"),
        ([0.0, 1.0] * 15, "bootstrap"),
        ([0.0] * 99 + [0.125], "bootstrap"),
    ],
)
def test_wilsons_interval_is_taken_of_few_problems_and_where_all_are_right_or_all_wrong(values, method):
    assert interval_method(values) == method
    interval = accuracy_interval(values, num_resamples=200, seed=0)
    slow = {
        "wilson": wilson_interval(statistics.fmean(values), len(values)),
        "bootstrap": bootstrap_interval(values, num_resamples=200, seed=0),
    }
    assert interval == slow[method]


def test_no_right_answer_to_a_hundred_problems_leaves_room_for_some():
    # Wilson: (z^2/200 + z * z/200) / (1 + z^2/100) = 0.0384146 / 1.0384146 = 0.0369935
    assert accuracy_interval([0.0] * 100, num_resamples=10, seed=0) == pytest.approx((0.0, 0.0369935), abs=1e-6)


def test_an_interval_of_accuracies_refuses_what_the_bootstrap_refuses():
    with pytest.raises(ValueError, match="at least one value"):
        accuracy_interval([], num_resamples=10, seed=0)


def test_the_two_averages_differ_where_benchmarks_differ_in_size():
    accuracy, num_problems = {"small": 0.9, "large": 0.3}, {"small": 10, "large": 30}
    # (10 * 0.9 + 30 * 0.3) / 40 = 18 / 40; (0.9 + 0.3) / 2 = 0.6
    assert sample_weighted_average(accuracy, num_problems) == pytest.approx(0.45)
    assert macro_average(accuracy) == pytest.approx(0.6)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=6), st.integers(1, 1000))
def test_benchmarks_of_one_size_make_the_two_averages_equal(accuracy, size):
    weighted = sample_weighted_average(accuracy, dict.fromkeys(accuracy, size))
    assert math.isclose(weighted, macro_average(accuracy), abs_tol=1e-12)


def test_an_average_over_nothing_is_an_error():
    with pytest.raises(ValueError):
        macro_average({})
    with pytest.raises(ValueError):
        sample_weighted_average({}, {})

"""Two policies on the same problems: the exact sign test, the paired bootstrap beside a slow one, and the matching."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.edge_grpo.evaluate.paired import (
    ProblemResult,
    match_problems,
    paired_difference,
    paired_interval,
    results_by_temperature,
    sign_test,
)


@pytest.mark.parametrize(
    ("num_better", "num_worse", "expected"),
    [
        (0, 0, 1.0),  # nothing was unequal
        (1, 0, 1.0),  # 2 * 1/2
        (5, 0, 1 / 16),  # 2 * 1/32
        (8, 2, 7 / 64),  # 2 * (1 + 10 + 45) / 1024
        (2, 8, 7 / 64),
        (3, 3, 1.0),  # 2 * (1 + 6 + 15 + 20) / 64 is above 1
        (15, 5, 0.0413895),  # 2 * (1 + 20 + 190 + 1140 + 4845 + 15504) / 2^20
    ],
)
def test_the_sign_test_has_the_hand_worked_p_value(num_better, num_worse, expected):
    assert sign_test(num_better, num_worse) == pytest.approx(expected, abs=1e-7)


@given(st.integers(0, 9), st.integers(0, 9))
def test_the_sign_test_is_the_share_of_coin_throws_that_are_as_uneven(num_better, num_worse):
    num_problems = num_better + num_worse
    heads = [bin(throws).count("1") for throws in range(2 ** min(num_problems, 18))]
    as_uneven = [abs(2 * each - num_problems) >= abs(num_better - num_worse) for each in heads]
    assert sign_test(num_better, num_worse) == pytest.approx(statistics.fmean(as_uneven))


def test_the_sign_test_of_thousands_of_problems_neither_overflows_nor_vanishes_too_early():
    assert sign_test(1000, 1000) == 1.0
    assert 0 < sign_test(1100, 900) < 1e-5
    assert sign_test(2000, 0) == 0.0  # 2^-1999 is below every float


def test_a_negative_number_of_problems_is_refused():
    with pytest.raises(ValueError, match="at least 0, got -1 and 3"):
        sign_test(-1, 3)


@pytest.mark.slow
def test_the_paired_interval_agrees_with_a_slow_version_that_draws_problems():
    generator = random.Random(0)
    pairs = [(generator.choice([0.0, 0.5, 1.0]), generator.choice([0.0, 0.5, 1.0])) for _ in range(40)]
    slow = []
    for _ in range(20_000):
        drawn = [pairs[generator.randrange(len(pairs))] for _ in pairs]
        slow.append(statistics.fmean(second for _, second in drawn) - statistics.fmean(first for first, _ in drawn))
    slow.sort()
    # Differences of means lie on a grid of 0.5/40 = 0.0125.
    fast = paired_interval(pairs, num_resamples=20_000, seed=1)
    assert fast == pytest.approx((slow[500], slow[19_500]), abs=0.0126)


def test_what_both_find_hard_makes_the_paired_interval_no_wider():
    # Nine of ten problems go the same way in both. Unpaired, an interval of each accuracy is some 30 points wide.
    pairs = [(float(number % 2), float(number % 2)) for number in range(36)] + [(0.0, 1.0)] * 4
    low, high = paired_interval(pairs, num_resamples=10_000, seed=0)
    # The number of better ones among 40 is Bin(40, 1/10): P(X = 0) = 0.0148, P(X <= 1) = 0.0805, P(X <= 7) = 0.958,
    # P(X <= 8) = 0.985: from 1/40 to 8/40.
    assert (low, high) == pytest.approx((1 / 40, 8 / 40))


PAIRS = st.lists(st.tuples(*[st.sampled_from([0.0, 0.25, 1.0])] * 2), min_size=1, max_size=20)


@given(PAIRS)
def test_runs_in_the_other_order_have_the_opposite_difference_and_the_same_p_value(pairs):
    one = paired_difference(pairs, num_resamples=50, seed=0)
    other = paired_difference([(second, first) for first, second in pairs], num_resamples=50, seed=0)
    assert other.difference == pytest.approx(-one.difference)
    assert (other.num_better, other.num_worse) == (one.num_worse, one.num_better)
    assert other.p_value == one.p_value
    assert one.num_problems == len(pairs) >= one.num_better + one.num_worse


@pytest.mark.parametrize("pairs", [[(0.0, 0.0)] * 50, [(0.0, 1.0)] * 50, [(1.0, 0.5)]])
def test_a_difference_that_is_the_same_everywhere_has_no_interval(pairs):
    assert paired_difference(pairs, num_resamples=10, seed=0).interval is None


def test_the_mean_over_the_samples_of_a_problem_is_compared():
    # 3/4 against 1/2, 0 against 0, 1/4 against 1/2: differences -1/4, 0, 1/4
    result = paired_difference([(0.75, 0.5), (0.0, 0.0), (0.25, 0.5)], num_resamples=10, seed=0)
    assert result.difference == 0.0
    assert (result.num_problems, result.num_better, result.num_worse, result.p_value) == (3, 1, 1, 1.0)


def test_results_are_means_over_the_samples_of_first_passes_at_each_temperature(graded):
    responses = [
        graded(1.0, temperature=0.6, problem_index=1),
        graded(1.0, sample_index=0),
        graded(0.0, sample_index=1),
        graded(1.0, sample_index=1, reflection_text="Wait!"),
    ]
    results = results_by_temperature(responses)
    assert list(results) == [0.1, 0.6]
    assert results[0.1] == {("aime24", 0): ProblemResult(0.5, "What is 1 + 1?", "2")}


def result(accuracy=1.0, prompt="1+1?", answer="2"):
    return ProblemResult(accuracy, prompt, answer)


def test_every_problem_is_matched_or_in_one_list_of_those_that_are_not():
    first = {("amc", 0): result(), ("amc", 1): result(), ("amc", 2): result(), ("math", 0): result(0.25)}
    second = {("amc", 0): result(0.0), ("amc", 1): result(answer="3"), ("amc", 7): result(), ("math", 0): result(0.5)}
    matching = match_problems(first, second)
    assert matching.pairs == {"amc": [(1.0, 0.0)], "math": [(0.25, 0.5)]}
    assert matching.only_in_first == [("amc", 2)]
    assert matching.only_in_second == [("amc", 7)]
    assert matching.changed == [("amc", 1)]


def test_another_prompt_is_another_problem_unless_the_runs_have_different_templates():
    first = {("amc", number): result(prompt=f"What is {number}?") for number in range(3)}
    in_template = {name: each._replace(prompt=f"<user>{each.prompt}") for name, each in first.items()}
    assert match_problems(first, in_template).pairs == {"amc": [(1.0, 1.0)] * 3}
    reworded = {**first, ("amc", 2): result(prompt="What is 5?")}
    assert match_problems(first, reworded).changed == [("amc", 2)]

"""Entropy of correct and of wrong responses: hand-worked values, what is absent, and a slow readable version."""

import random
import statistics

import pytest

from recipe.edge_grpo.evaluate.entropy_by_correctness import entropy_by_correctness


@pytest.fixture
def measured(graded):
    """measured((accuracy, entropy), …): responses with these."""
    return lambda *pairs: [
        graded(accuracy, sample_index=index, mean_entropy=entropy) for index, (accuracy, entropy) in enumerate(pairs)
    ]


def test_entropies_and_shares_have_the_hand_worked_values(measured):
    # all: (0.2 + 0.4 + 1.2 + 0.1 + 0.6) / 5 = 0.5; correct: (0.2 + 0.4 + 1.2) / 3 = 0.6; wrong: (0.1 + 0.6) / 2 = 0.35
    # above 0.5 among the correct: 1.2, one of three; below 0.5 among the wrong: 0.1, one of two
    assert entropy_by_correctness(measured((1, 0.2), (1, 0.4), (1, 1.2), (0, 0.1), (0, 0.6))) == {
        "num_measured": 5,
        "num_unmeasured": 0,
        "mean": pytest.approx(0.5),
        "correct": pytest.approx(0.6),
        "wrong": pytest.approx(0.35),
        "correct_above_mean": pytest.approx(1 / 3),
        "wrong_below_mean": pytest.approx(1 / 2),
    }


def test_responses_without_an_entropy_are_left_out_and_counted(measured):
    with_gaps = entropy_by_correctness(measured((1, 0.2), (1, None), (0, 0.6), (0, None), (0, None)))
    assert with_gaps == entropy_by_correctness(measured((1, 0.2), (0, 0.6))) | {"num_unmeasured": 3}


@pytest.mark.parametrize(("accuracy", "defined", "absent"), [(1, "correct", "wrong"), (0, "wrong", "correct")])
def test_what_concerns_no_response_is_absent(measured, accuracy, defined, absent):
    result = entropy_by_correctness(measured((accuracy, 0.5), (accuracy, 1.5)))
    assert result["mean"] == result[defined] == 1.0
    assert not [name for name in result if name.startswith(absent)]


@pytest.mark.parametrize("pairs", [[], [(1, None), (0, None)]])
def test_without_any_entropy_there_are_only_counts(measured, pairs):
    assert entropy_by_correctness(measured(*pairs)) == {"num_measured": 0, "num_unmeasured": len(pairs)}


def test_an_entropy_of_zero_is_measured(measured):
    assert entropy_by_correctness(measured((1, 0.0), (0, 0.0)))["correct"] == 0.0


@pytest.mark.parametrize("entropy", [0.1, 1 / 3, 0.7, 1.1])
@pytest.mark.parametrize("count", range(1, 12))
def test_rounding_puts_no_entropy_above_or_below_the_mean_of_equal_ones(measured, entropy, count):
    result = entropy_by_correctness(measured(*[(1, entropy)] * count, *[(0, entropy)] * count))
    assert result["correct_above_mean"] == result["wrong_below_mean"] == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_all_values_agree_with_a_slow_version(measured, seed):
    generator = random.Random(seed)
    pairs = [(generator.randint(0, 1), generator.choice([None, generator.random()])) for _ in range(50)]
    entropies = {0: [], 1: []}
    for accuracy, entropy in pairs:
        if entropy is not None:
            entropies[accuracy].append(entropy)
    mean = statistics.fmean(entropies[0] + entropies[1])
    result = entropy_by_correctness(measured(*pairs))
    assert result["num_unmeasured"] == sum(entropy is None for _, entropy in pairs)
    assert result["mean"] == pytest.approx(mean)
    assert result["correct"] == pytest.approx(statistics.fmean(entropies[1]))
    assert result["wrong"] == pytest.approx(statistics.fmean(entropies[0]))
    assert result["correct_above_mean"] == pytest.approx(sum(e > mean for e in entropies[1]) / len(entropies[1]))
    assert result["wrong_below_mean"] == pytest.approx(sum(e < mean for e in entropies[0]) / len(entropies[0]))

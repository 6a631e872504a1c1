"""EGPO: the advantage weighted by the entropy, by hand, in its limits, and reduced to verl's GRPO."""

import pytest
import torch

from recipe.edge_grpo.comparators.egpo import egpo_advantages

# mean 0.5: 0.5 / (P + 1e-5) = 1.249969, 0.624992, 2.499875, 0.833319
ENTROPY = torch.tensor([0.4, 0.8, 0.2, 0.6])
GROUP = torch.zeros(4, dtype=torch.int64)
ALL = torch.ones(4, dtype=torch.bool)
EXACT = {"rtol": 0, "atol": 1e-6}


@pytest.mark.parametrize(
    ("rewards", "all_wrong", "expected"),
    [
        # A = +-0.5 / (0.577350 + 1e-6) = +-0.866024; right rows clamped to [1, 2], wrong ones to [0.8, 1]
        ([1, 1, 0, 0], -1.0, [1.082503, 0.866024, -0.866024, -0.721675]),
        ([0, 0, 0, 0], -1.0, [-1.0, -0.8, -1.0, -0.833319]),  # the paper's rule
        ([0, 0, 0, 0], 0.0, [0.0, 0.0, 0.0, 0.0]),  # the code's
        ([1, 1, 1, 1], -1.0, [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_a_right_response_is_never_weakened_and_a_wrong_one_never_strengthened(rewards, all_wrong, expected):
    advantages = egpo_advantages(torch.tensor(rewards).float(), GROUP, ENTROPY, ALL, all_wrong=all_wrong)
    torch.testing.assert_close(advantages, torch.tensor(expected), **EXACT)


def test_rewards_of_plus_and_minus_1_give_what_1_and_0_give():
    zero_one = torch.tensor([1.0, 1.0, 0.0, 0.0])
    plus_minus = 2 * zero_one - 1
    torch.testing.assert_close(
        egpo_advantages(plus_minus, GROUP, ENTROPY, ALL), egpo_advantages(zero_one, GROUP, ENTROPY, ALL), **EXACT
    )


def test_a_row_without_an_entropy_has_weight_1_and_does_not_count_in_the_mean():
    entropy = torch.tensor([0.4, 99.0, 0.2, torch.nan])
    has_entropy = torch.tensor([True, False, True, True])
    # of 0.4 and 0.2 the mean is 0.3: weights 1 (0.75 clamped from below), and 1 (1.5 clamped from above)
    advantages = egpo_advantages(torch.tensor([1.0, 1.0, 0.0, 0.0]), GROUP, entropy, has_entropy)
    torch.testing.assert_close(advantages, torch.tensor([0.866024, 0.866024, -0.866024, -0.866024]), **EXACT)


def test_entropies_of_0_are_bounded_by_the_weights():
    advantages = egpo_advantages(torch.tensor([1.0, 0.0]), GROUP[:2], torch.tensor([0.0, 1.0]), ALL[:2])
    # right: 0.5 / 1e-5 bounded to 2; wrong: 0.5 / 1.00001 bounded to 0.8
    torch.testing.assert_close(advantages, torch.tensor([2 * 0.707106, -0.8 * 0.707106]), **EXACT)


@pytest.mark.parametrize(("reward", "expected"), [(1.0, 1.0), (0.0, -1.0)])
def test_a_group_of_one_has_its_reward_as_in_grpo_or_is_all_wrong(reward, expected):
    # its ratio is P / (P + 1e-5), so a wrong one has 0.99998
    advantages = egpo_advantages(torch.tensor([reward]), GROUP[:1], torch.tensor([0.5]), ALL[:1])
    assert advantages.item() == pytest.approx(expected, abs=3e-5)


@pytest.mark.parametrize("seed", range(5))
def test_with_bounds_of_1_it_is_verls_grpo(random_groups, verls_grpo, seed):
    rewards, index = random_groups(seed)
    entropy = torch.rand(len(rewards), generator=torch.Generator().manual_seed(seed))
    advantages = egpo_advantages(rewards, index, entropy, torch.ones(len(rewards)).bool(), 1.0, 1.0, all_wrong=0.0)
    grpo = verls_grpo(rewards, index, torch.ones(len(rewards), 1))[:, 0]
    torch.testing.assert_close(advantages, grpo, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_version_gives_the_same_in_any_order_of_the_rows(random_groups, verls_grpo, seed):
    rewards, index = random_groups(seed)
    entropy = torch.rand(len(rewards), generator=torch.Generator().manual_seed(seed)) + 0.01
    grpo = verls_grpo(rewards, index, torch.ones(len(rewards), 1))[:, 0]
    expected = []
    for row, group in enumerate(index.tolist()):
        members = index == group
        ratio = (entropy[members].mean() / (entropy[row] + 1e-5)).item()
        weight = min(max(ratio, 1.0), 2.0) if rewards[row] > 0 else min(max(ratio, 0.8), 1.0)
        expected.append(weight * (-1.0 if rewards[members].sum() == 0 else grpo[row].item()))
    advantages = egpo_advantages(rewards, index, entropy, torch.ones(len(rewards)).bool())
    torch.testing.assert_close(advantages, torch.tensor(expected), rtol=1e-5, atol=1e-5)

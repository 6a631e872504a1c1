"""NGRPO and AVSPO: a group compared with rewards that no response got, by hand and by a slow version."""

import statistics

import pytest
import torch

from recipe.edge_grpo.comparators.avspo import avspo_advantages
from recipe.edge_grpo.comparators.groups import has_equal_rewards
from recipe.edge_grpo.comparators.ngrpo import ngrpo_advantages
from recipe.edge_grpo.comparators.virtual_rewards import advantages_beside_virtual

EXACT = {"rtol": 0, "atol": 1e-6}


def one_group(*rewards):
    return torch.tensor(rewards), torch.zeros(len(rewards), dtype=torch.int64)


@pytest.mark.parametrize(
    ("rewards", "expected"),
    [
        # R+ = 1 1 1 and six times 0: mean 1/3, variance (3 x 4/9 + 6 x 1/9) / 8 = 1/4; 2/3 and -1/3 over 0.5
        ([1.0, 1.0, *[0.0] * 6], [1.333331, 1.333331, *[-0.666665] * 6]),
        # R+ = 1 and eight times 0: mean 1/9, variance (64/81 + 8/81) / 8 = 1/9; -1/9 over 1/3
        ([0.0] * 8, [-0.333332] * 8),
        ([1.0] * 8, [0.0] * 8),
        # R+ = 1 1 0 0 0: mean 0.4, variance (2 x 0.36 + 3 x 0.16) / 4 = 0.3; 0.6 and -0.4 over 0.547723
        ([1.0, 0.0, 0.0, 0.0], [1.095443, -0.730295, -0.730295, -0.730295]),
        ([0.0] * 4, [-0.447213] * 4),  # -1 / sqrt(5)
        # one response: R+ = 1 0, mean 0.5, variance 0.5; -0.5 over 0.707107
        ([0.0], [-0.707106]),
        ([1.0], [0.0]),
    ],
)
def test_ngrpo_compares_every_group_with_a_right_response(rewards, expected):
    torch.testing.assert_close(ngrpo_advantages(*one_group(*rewards)), torch.tensor(expected), **EXACT)


def test_ngrpo_pushes_a_mixed_group_down():
    assert ngrpo_advantages(*one_group(1.0, 0.0, 0.0)).sum() < 0


def test_ngrpo_refuses_a_reward_above_the_one_that_it_compares_with():
    with pytest.raises(ValueError, match=r"reward of 1\.5 exceeds edge_grpo\.comparator\.max_reward=1"):
        ngrpo_advantages(*one_group(1.5, 0.0))


@pytest.mark.parametrize(
    ("rewards", "expected"),
    [
        ([0.0] * 4, -0.447114),  # R+ has a 1: mean 1/5, deviation 0.447214; -0.2 / 0.447314
        ([1.0] * 4, 0.447114),  # R+ has a 0
        ([0.0] * 8, -0.333233),  # mean 1/9, deviation 1/3; -0.111111 / 0.333433
        ([1.0] * 8, 0.333233),
    ],
)
def test_avspo_compares_a_group_without_contrast_with_the_opposite(rewards, expected):
    torch.testing.assert_close(avspo_advantages(*one_group(*rewards)), torch.full((len(rewards),), expected), **EXACT)


@pytest.mark.parametrize("reward", [0.2, 0.6, -1.0, 2.0])
def test_avspo_leaves_a_group_alone_whose_equal_reward_is_neither_right_nor_wrong(reward):
    # the released rule asks for all 0 or all 1; a format reward alone is neither
    assert avspo_advantages(*one_group(*[reward] * 4)).tolist() == [0.0] * 4


def test_avspo_takes_the_extremes_that_the_reward_has():
    rewards, index = one_group(-1.0, -1.0, -1.0)
    # beside a 1: mean -0.5, variance (3 x 0.25 + 2.25) / 3 = 1
    expected = torch.full((3,), -0.5 / (1 + 1e-4))
    torch.testing.assert_close(avspo_advantages(rewards, index, 1.0, -1.0), expected)


def test_avspo_with_identical_virtual_rewards_has_the_bound_of_the_paper_in_population_deviation():
    # |A| = sqrt(K / G) with the population deviation; the sample deviation is sqrt(n / (n - 1)) larger, n = G + K
    for num_virtual in (1, 3, 8):
        advantage = advantages_beside_virtual(*one_group(*[0.0] * 8), torch.ones(8), num_virtual, 0.0)[0]
        total = 8 + num_virtual
        assert -advantage == pytest.approx((num_virtual / 8) ** 0.5 * ((total - 1) / total) ** 0.5)


@pytest.mark.parametrize("seed", range(5))
def test_without_virtual_rewards_both_are_verls_grpo(random_groups, verls_grpo, seed):
    rewards, index = random_groups(seed)
    mask = torch.ones(len(rewards), 2)
    for advantages in (
        ngrpo_advantages(rewards, index, num_virtual=0),
        avspo_advantages(rewards, index, num_virtual=0),
    ):
        torch.testing.assert_close(advantages, verls_grpo(rewards, index, mask)[:, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_avspo_is_verls_grpo_where_a_group_has_contrast(random_groups, verls_grpo, seed):
    rewards, index = random_groups(seed)
    mixed = ~has_equal_rewards(rewards, index)
    grpo = verls_grpo(rewards, index, torch.ones(len(rewards), 1))[:, 0]
    torch.testing.assert_close(avspo_advantages(rewards, index)[mixed], grpo[mixed], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("num_virtual", [1, 2])
def test_a_slow_version_gives_the_same(random_groups, seed, num_virtual):
    rewards, index = random_groups(seed)
    expected = []
    for reward, group in zip(rewards.tolist(), index.tolist(), strict=True):
        others = [*rewards[index == group].tolist(), *[1.0] * num_virtual]
        expected.append((reward - statistics.fmean(others)) / (statistics.stdev(others) + 1e-6))
    torch.testing.assert_close(ngrpo_advantages(rewards, index, 1.0, num_virtual), torch.tensor(expected))


@pytest.mark.parametrize("function", [ngrpo_advantages, avspo_advantages])
def test_the_order_of_the_rows_does_not_matter(random_groups, function):
    rewards, index = random_groups(3)
    order = torch.randperm(len(rewards), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(function(rewards[order], index[order]), function(rewards, index)[order])


def test_rewards_are_equal_to_a_millionth_and_a_group_of_one_is():
    rewards = torch.tensor([0.1, 0.1 + 5e-7, 0.1, 0.1001, 3.0])
    index = torch.tensor([0, 0, 1, 1, 2])
    assert has_equal_rewards(rewards, index).tolist() == [True, True, False, False, True]
    assert has_equal_rewards(torch.zeros(0), torch.zeros(0, dtype=torch.int64)).tolist() == []

"""The advantage of a reward within its group, which is verl's GRPO."""

import numpy as np
import pytest
import torch

from recipe.edge_grpo.advantage import group_relative_advantage


def test_group_relative_advantage_uses_the_sample_std():
    # rewards 1, 0, 0, 0: mean 0.25; sample variance (0.75^2 + 3 * 0.25^2) / 3 = 0.25, std 0.5 (population std: 0.433)
    rewards = torch.tensor([1.0, 0.0, 0.0, 0.0])
    advantages = group_relative_advantage(rewards, torch.zeros(4, dtype=torch.int64))
    torch.testing.assert_close(advantages, torch.tensor([0.75, -0.25, -0.25, -0.25]) / (0.5 + 1e-6))


def test_without_scaling_the_advantage_is_only_centred():
    advantages = group_relative_advantage(
        torch.tensor([1.0, 0.0, 0.0, 0.0]), torch.zeros(4, dtype=torch.int64), scale_by_std=False
    )
    assert advantages.tolist() == [0.75, -0.25, -0.25, -0.25]


def test_epsilon_is_added_to_the_std_and_not_to_the_variance():
    # std of (0, 1) is sqrt(0.5); epsilon 0.5 shows where it is added
    advantages = group_relative_advantage(torch.tensor([0.0, 1.0]), torch.zeros(2, dtype=torch.int64), epsilon=0.5)
    torch.testing.assert_close(advantages, torch.tensor([-0.5, 0.5]) / (0.5**0.5 + 0.5))


def test_a_group_of_one_keeps_its_reward_as_in_verl():
    rewards = torch.tensor([0.8, 1.0, 0.0])
    group_index = torch.tensor([1, 0, 0])
    # mean 0 and std 1 by definition: 0.8 / (1 + 1e-6)
    assert group_relative_advantage(rewards, group_index)[0].item() == pytest.approx(0.8 / (1 + 1e-6), rel=1e-6)
    assert group_relative_advantage(rewards, group_index, scale_by_std=False)[0].item() == pytest.approx(0.8)


@pytest.mark.parametrize("reward", [0.0, 0.1, 1 / 3, 1.0, -2.7])
def test_equal_rewards_give_exactly_0(reward):
    for group_size in range(2, 20):
        group_index = torch.zeros(group_size, dtype=torch.int64)
        advantages = group_relative_advantage(torch.full((group_size,), reward), group_index)
        assert advantages.tolist() == [0.0] * group_size


@pytest.mark.parametrize("scale_by_std", [True, False])
def test_group_relative_advantage_is_the_one_of_verl(random_batch, size, seed, scale_by_std):
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    _, _, rewards, group_index = random_batch(size, seed)
    verls, _ = compute_grpo_outcome_advantage(
        rewards.unsqueeze(-1).clone(),
        torch.ones(size, 1),
        np.array([f"uid-{group}" for group in group_index.tolist()], dtype=object),
        norm_adv_by_std_in_grpo=scale_by_std,
    )
    torch.testing.assert_close(
        group_relative_advantage(rewards, group_index, scale_by_std), verls.squeeze(-1), rtol=0, atol=1e-6
    )


def test_a_group_of_a_million_loses_no_digits():
    # rewards 0, 0.7 in turn: mean 0.35, deviations +-0.35, sample variance n * 0.35^2 / (n - 1)
    num_rewards = 2**20
    rewards = torch.tensor([0.0, 0.7]).repeat(num_rewards // 2)
    advantages = group_relative_advantage(rewards, torch.zeros(num_rewards, dtype=torch.int64))
    expected = 0.35 / (0.35 * (num_rewards / (num_rewards - 1)) ** 0.5 + 1e-6)
    torch.testing.assert_close(advantages, torch.tensor([-expected, expected]).repeat(num_rewards // 2))


def test_adding_a_constant_to_the_rewards_of_a_group_changes_nothing():
    rewards, group_index = torch.tensor([1.0, 0.0, 0.5, 0.0, 1.0]), torch.tensor([0, 0, 0, 1, 1])
    shifted = rewards + torch.tensor([3.0, 3.0, 3.0, -4.0, -4.0])
    torch.testing.assert_close(
        group_relative_advantage(shifted, group_index), group_relative_advantage(rewards, group_index)
    )

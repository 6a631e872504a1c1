"""Dr. GRPO, which is settings of verl: advantage and loss by verl's own functions, as the recipe sets them."""

import numpy as np
import pytest
import torch


@pytest.fixture
def recipe(compose):
    return compose("+recipe=dr_grpo", "actor_rollout_ref.rollout.name=vllm", "data.max_response_length=4")


def advantages_of(rewards, recipe, lengths=(2, 4, 3, 1), width=4):
    """(B, T) as verl computes them for one group."""
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    mask = (torch.arange(width) < torch.tensor(lengths).unsqueeze(1)).float()
    names = np.array(["q"] * len(rewards), dtype=object)
    by_std = recipe.algorithm.norm_adv_by_std_in_grpo
    token_level_rewards = torch.zeros(len(rewards), width)
    token_level_rewards[:, 0] = torch.tensor(rewards)
    return compute_grpo_outcome_advantage(token_level_rewards, mask, names, norm_adv_by_std_in_grpo=by_std)[0], mask


def loss_of(advantages, mask, mode, scale):
    """At a ratio of 1 the loss of a token is its negative advantage."""
    from verl.trainer.ppo.core_algos import agg_loss

    return agg_loss(-advantages, mask, mode, loss_scale_factor=scale).item()


@pytest.mark.parametrize(
    ("rewards", "expected"),
    [([1.0, 0.0, 0.0, 0.0], [0.75, -0.25, -0.25, -0.25]), ([1.0] * 4, [0.0] * 4), ([0.0] * 4, [0.0] * 4)],
)
def test_rewards_are_centred_and_not_divided(recipe, rewards, expected):
    assert advantages_of(rewards, recipe)[0][:, 0].tolist() == expected


def test_a_group_of_one_has_its_reward(recipe):
    assert advantages_of([1.0], recipe, lengths=[2])[0].tolist() == [[1.0, 1.0, 0.0, 0.0]]


@pytest.mark.parametrize("width", [4, 7])
def test_the_loss_is_the_one_of_the_paper_whatever_the_padding(recipe, width):
    actor = recipe.actor_rollout_ref.actor
    advantages, mask = advantages_of([1.0, 0.0, 0.0, 0.0], recipe, width=width)
    # sums over tokens: -0.75 x 2, 0.25 x 4, 0.25 x 3, 0.25 x 1, together 0.5; by 4 responses and the constant length 4
    loss = loss_of(advantages, mask, actor.loss_agg_mode, actor.loss_scale_factor)
    assert loss == pytest.approx(0.031250, abs=1e-6)


@pytest.mark.parametrize(("mode", "expected"), [("token-mean", 0.05), ("seq-mean-token-mean", 0.0)])
def test_the_other_means_of_verl_give_another_loss(recipe, mode, expected):
    # 0.5 by 10 tokens; and the mean of -0.75, 0.25, 0.25, 0.25
    assert loss_of(*advantages_of([1.0, 0.0, 0.0, 0.0], recipe), mode, None) == pytest.approx(expected, abs=1e-6)

"""Rewards that no response got: they change the mean and deviation that the responses of a group are compared with."""

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_mean_of


def advantages_beside_virtual(
    rewards: Tensor, group_index: Tensor, virtual_reward: Tensor, num_virtual: int, epsilon: float
) -> Tensor:
    """Return A_i = (r_i - mean(R+)) / (s(R+) + epsilon), R+ the rewards of the group and `num_virtual` virtual ones.

    s is the sample deviation of all of them. Only the responses have advantages, which need not sum to 0. Without
    virtual rewards it is GRPO's advantage, but for a group of one, whose deviation is 0.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).
        virtual_reward: (B,) the value of the virtual rewards in the row's group.
        num_virtual: how many of them each group has; at least 1.
        epsilon: added to the deviation.

    Returns:
        (B,) without gradient, in the dtype of the rewards.

    >>> zeros, group = torch.zeros(4), torch.zeros(4, dtype=torch.int64)
    >>> advantages_beside_virtual(zeros, group, torch.ones(4), 1, 0.0)  # mean 1/5, deviation 1/sqrt(5)
    tensor([-0.4472, -0.4472, -0.4472, -0.4472])
    """
    values, virtual = rewards.detach().double(), virtual_reward.detach().double()
    size = torch.bincount(group_index)[group_index].double()
    total_size = size + num_virtual
    mean = (size * group_mean_of(values, group_index)[group_index] + num_virtual * virtual) / total_size
    of_responses = size * group_mean_of((values - mean).square(), group_index)[group_index]
    variance = (of_responses + num_virtual * (virtual - mean).square()) / (total_size - 1)
    return ((values - mean) / (variance.sqrt() + epsilon)).to(torch.promote_types(rewards.dtype, torch.float32))

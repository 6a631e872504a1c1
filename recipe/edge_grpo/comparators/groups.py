"""Groups without contrast: all rewards of a prompt are equal, and GRPO's advantage is 0."""

import torch
from torch import Tensor

TOLERANCE = 1e-6
"""Rewards of a group that lie closer together count as equal: the threshold of AVSPO's Advantage Collapse Rate."""


def has_equal_rewards(rewards: Tensor, group_index: Tensor) -> Tensor:
    """Return True for the rows of groups whose rewards are all equal; a group of one is such a group.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).

    Returns:
        (B,) bool.

    >>> has_equal_rewards(torch.tensor([1.0, 1.0, 1.0, 0.0]), torch.tensor([0, 0, 1, 1]))
    tensor([ True,  True, False, False])
    """
    values = rewards.detach().double()
    num_groups = int(group_index.max()) + 1 if len(group_index) else 0
    largest = values.new_full((num_groups,), -torch.inf).scatter_reduce(0, group_index, values, "amax")
    smallest = values.new_full((num_groups,), torch.inf).scatter_reduce(0, group_index, values, "amin")
    return (largest - smallest < TOLERANCE)[group_index]

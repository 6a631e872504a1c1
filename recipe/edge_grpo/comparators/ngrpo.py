"""NGRPO (arXiv 2509.18851, sections 4.1 and 4.2): every group is compared with a right response that it may not have.

Where paper and code leave a choice: the deviation is the sample deviation, as in the authors' code (repository
nangongrui-ngr/NGRPO, e7a3804); the paper does not say. The asymmetric clip of the method is verl's own
`clip_ratio_low` and `clip_ratio_high`, which the recipe sets.
"""

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_relative_advantage
from recipe.edge_grpo.comparators.virtual_rewards import advantages_beside_virtual

NGRPO_EPSILON = 1e-6


def ngrpo_advantages(rewards: Tensor, group_index: Tensor, max_reward: float = 1.0, num_virtual: int = 1) -> Tensor:
    """Return A_i = (r_i - mean(R+)) / (s(R+) + 1e-6), R+ = the group's rewards and n times r_max, in every group.

    All wrong: -1/sqrt(G + 1) for n = 1, so that the group is pushed down. All right: 0. Mixed: GRPO's shifted down, as
    the advantages no longer sum to 0. A group of one: by the same formula. n = 0 is GRPO.

    Args:
        rewards: (B,) one scalar per response, at most `max_reward`.
        group_index: (B,) int64 in [0, num_groups).
        max_reward: r_max, what a right response gets.
        num_virtual: n.

    Returns:
        (B,) without gradient.

    Raises:
        ValueError: if the shapes differ, or a reward exceeds r_max.

    >>> ngrpo_advantages(torch.tensor([1.0, 0.0, 0.0, 0.0]), torch.zeros(4, dtype=torch.int64))  # mean 2/5
    tensor([ 1.0954, -0.7303, -0.7303, -0.7303])
    """
    grpo = group_relative_advantage(rewards, group_index)
    if (rewards > max_reward).any():
        raise ValueError(
            f"a reward of {rewards.max().item():g} exceeds edge_grpo.comparator.max_reward={max_reward:g}, with which "
            "NGRPO compares every group; set it to what a right response gets"
        )
    if num_virtual == 0:
        return grpo
    return advantages_beside_virtual(
        rewards, group_index, torch.full_like(rewards, max_reward), num_virtual, epsilon=NGRPO_EPSILON
    )

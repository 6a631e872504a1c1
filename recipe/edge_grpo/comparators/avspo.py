"""AVSPO (arXiv 2605.21125), released rule, per group: a group without contrast is compared with one opposite reward.

What is followed: the rule in the authors' code (repository hexixiang/ACR, ca40ccf), which adds one virtual reward, the
opposite extreme, where all rewards are 0 or all are 1, and 1e-4 to the deviation. Theirs asks for that over all
gathered rewards, which with several prompts a step hardly ever holds; here it is asked of each group. The paper's
adaptive threshold is not in that code, and its values are not known.
"""

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_relative_advantage
from recipe.edge_grpo.comparators.groups import has_equal_rewards
from recipe.edge_grpo.comparators.virtual_rewards import advantages_beside_virtual

AVSPO_EPSILON = 1e-4


def avspo_advantages(
    rewards: Tensor, group_index: Tensor, max_reward: float = 1.0, min_reward: float = 0.0, num_virtual: int = 1
) -> Tensor:
    """Return GRPO's advantage, and for groups of equal rewards that beside `num_virtual` opposite ones.

    All wrong: compared with `max_reward`, -1/sqrt(G + 1) but for 1e-4. All right: compared with `min_reward`, the same
    with another sign. A group of one is one of equal rewards. Mixed: GRPO.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).
        max_reward: what a right response gets; a group is all right if its common reward is nearer to it.
        min_reward: what a wrong one gets.
        num_virtual: K; 0 is GRPO.

    Returns:
        (B,) without gradient.

    Raises:
        ValueError: if the shapes differ.

    >>> avspo_advantages(torch.tensor([0.0, 0, 0, 0]), torch.zeros(4, dtype=torch.int64))
    tensor([-0.4471, -0.4471, -0.4471, -0.4471])
    """
    grpo = group_relative_advantage(rewards, group_index)
    if num_virtual == 0:
        return grpo
    is_right = rewards > (max_reward + min_reward) / 2
    opposite = torch.where(is_right, min_reward, max_reward).to(rewards.dtype)
    revived = advantages_beside_virtual(rewards, group_index, opposite, num_virtual, epsilon=AVSPO_EPSILON)
    return torch.where(has_equal_rewards(rewards, group_index), revived, grpo)

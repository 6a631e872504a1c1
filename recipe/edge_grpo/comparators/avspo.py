"""AVSPO (arXiv 2605.21125), released rule, per group: a group without contrast is compared with one opposite reward.

What is followed: the rule in the authors' code (repository hexixiang/ACR, ca40ccf), which adds one virtual reward, the
opposite extreme, where all rewards are 0 or all are 1, and 1e-4 to the deviation (for such a group; a mixed one has
verl's 1e-6). Theirs asks for that over all gathered rewards, which with several prompts a step hardly ever holds; here
it is asked of each group. The paper's adaptive threshold is not in that code, and its values are not known.
"""

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_relative_advantage
from recipe.edge_grpo.comparators.groups import TOLERANCE, has_equal_rewards
from recipe.edge_grpo.comparators.virtual_rewards import advantages_beside_virtual

AVSPO_EPSILON = 1e-4


def avspo_advantages(
    rewards: Tensor, group_index: Tensor, max_reward: float = 1.0, min_reward: float = 0.0, num_virtual: int = 1
) -> Tensor:
    """Return GRPO's advantage, and for groups of equal rewards that beside `num_virtual` opposite ones.

    All wrong: compared with `max_reward`, -1/sqrt(G + 1) but for 1e-4. All right: compared with `min_reward`, the same
    with another sign. A group of one is one of equal rewards. Mixed: GRPO. An equal reward that is neither of the two,
    as a format reward alone, stays at 0, as in the authors' code.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).
        max_reward: what a right response gets.
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
    is_right = (rewards - max_reward).abs() < TOLERANCE
    is_wrong = (rewards - min_reward).abs() < TOLERANCE
    opposite = torch.where(is_right, min_reward, max_reward).to(rewards.dtype)
    revived = advantages_beside_virtual(rewards, group_index, opposite, num_virtual, epsilon=AVSPO_EPSILON)
    is_extreme = has_equal_rewards(rewards, group_index) & (is_right | is_wrong)
    return torch.where(is_extreme, revived, grpo)

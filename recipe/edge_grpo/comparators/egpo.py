"""EGPO (arXiv 2602.22751): confident right responses gain, unsure wrong ones are punished less; the others keep theirs.

Where paper and code differ: the formula and its bounds are those of the authors' code (repository Zzzzyear/test_verl,
4656be8: mode "clamp", 1e-5 beside the entropy, bounds 0.8 and 2 in most of its configurations). The advantage -1 of
groups that are all wrong is the paper's; the code has no such rule (`all_wrong=0`). The entropy is over the whole
response, one of the choices of the code.
"""

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_mean_of, group_relative_advantage
from recipe.edge_grpo.comparators.groups import has_equal_rewards

EGPO_EPSILON = 1e-5


def egpo_advantages(
    rewards: Tensor,
    group_index: Tensor,
    response_entropy: Tensor,
    has_entropy: Tensor,
    low: float = 0.8,
    high: float = 2.0,
    all_wrong: float = -1.0,
) -> Tensor:
    """Return w_i A_i, A GRPO's advantage, w_i = clamp(mean_group(P) / (P_i + 1e-5)) to [1, high] or [low, 1].

    The first bounds are those of a right response (r > 0), the second of a wrong one: a confident right response gains
    and an uncertain wrong one loses less, but nothing is weakened that is right. All wrong: A is `all_wrong`. All
    right: 0. A row without an entropy has w = 1 and does not count in the mean of its group. low = high = 1 and
    all_wrong = 0 are GRPO.

    Args:
        rewards: (B,) one scalar per response; above 0 for a right one.
        group_index: (B,) int64 in [0, num_groups).
        response_entropy: (B,) P in nats: the mean negative log-probability of the sampled tokens.
        has_entropy: (B,) False for padding and where no token counts.
        low: at most 1.
        high: at least 1.
        all_wrong: at most 0.

    Returns:
        (B,) without gradient.

    Raises:
        ValueError: if the shapes differ.

    >>> rewards, entropy = torch.tensor([1.0, 1, 0, 0]), torch.tensor([0.4, 0.8, 0.2, 0.6])  # the mean is 0.5
    >>> egpo_advantages(rewards, torch.zeros(4, dtype=torch.int64), entropy, torch.ones(4).bool())
    tensor([ 1.0825,  0.8660, -0.8660, -0.7217])
    """
    advantages = group_relative_advantage(rewards, group_index)
    is_right = rewards > 0
    is_all_wrong = has_equal_rewards(rewards, group_index) & ~is_right
    advantages = torch.where(is_all_wrong, all_wrong, advantages)
    rows = has_entropy.bool() & torch.isfinite(response_entropy)
    entropy = response_entropy[rows].detach().double()
    weight = torch.ones_like(advantages)
    ratio = group_mean_of(entropy, group_index[rows])[group_index[rows]] / (entropy + EGPO_EPSILON)
    weight[rows] = torch.where(is_right[rows], ratio.clamp(1.0, high), ratio.clamp(low, 1.0)).to(weight.dtype)
    return weight * advantages

"""Entropy-shaped advantage (arXiv 2506.14758): a bonus for tokens at which the policy was uncertain.

The authors' repository was not found; two notes and several ports agree on the formula. The ports take the entropy in
the pass of the loss, of the current policy; here it is that of the policy before the update, which is the same in the
first mini-batch.
"""

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_relative_advantage
from recipe.edge_grpo.comparators.per_token import check_token_shapes


def entropy_shaped_advantages(
    rewards: Tensor,
    group_index: Tensor,
    token_entropy: Tensor,
    response_mask: Tensor,
    alpha: float = 0.4,
    kappa: float = 2.0,
) -> Tensor:
    """Return A_it = A_i + min(alpha H_it, |A_i| / kappa), A_i GRPO's advantage and H the entropy of the token.

    The bonus is at least 0 for either sign: a right response gains, a wrong one loses less, down to half for kappa 2.
    No sign changes. A group without contrast has A = 0 and stays at 0. alpha = 0 is GRPO. An entropy below 0 is a
    rounding error of the logits and counts as 0.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).
        token_entropy: (B, T) in nats, without effect on the gradient; masked positions may hold anything.
        response_mask: (B, T), non-zero where a token counts.
        alpha: at least 0.
        kappa: above 1.

    Returns:
        (B, T) without gradient; 0 where the mask is 0.

    Raises:
        ValueError: if the shapes differ.

    >>> rewards, group = torch.tensor([1.0, 0.0]), torch.tensor([0, 0])  # A = +-0.7071
    >>> entropy_shaped_advantages(rewards, group, torch.tensor([[0.5, 9.0], [0.5, 9.0]]), torch.ones(2, 2))
    tensor([[ 0.9071,  1.0607],
            [-0.5071, -0.3536]])
    """
    check_token_shapes(rewards, token_entropy, response_mask)
    advantages = group_relative_advantage(rewards, group_index).unsqueeze(1)
    entropy = token_entropy.detach().to(advantages.dtype).clamp(min=0.0)
    bonus = torch.minimum(alpha * entropy, advantages.abs() / kappa)
    return torch.where(response_mask.bool(), advantages + bonus, 0.0)

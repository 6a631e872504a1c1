"""RL-ZVP (arXiv 2509.21880, equation 5 and section 3.2): groups without contrast learn from the entropy of each token.

The authors' code was not found; three independent implementations agree on the formula. Not said there, and chosen
here: a group is "all right" if its common reward is above 0.
"""

import torch
from torch import Tensor

from recipe.edge_grpo.advantage import group_relative_advantage
from recipe.edge_grpo.comparators.groups import has_equal_rewards
from recipe.edge_grpo.comparators.per_token import check_token_shapes


def rl_zvp_advantages(
    rewards: Tensor, group_index: Tensor, token_entropy: Tensor, response_mask: Tensor, alpha: float = 0.1
) -> Tensor:
    """Return GRPO's advantage for each token, and in groups of equal rewards one made of the token's entropy H.

        all right   A_it = alpha H_it                        rewarded where the policy was uncertain
        all wrong   A_it = -alpha (max_k H_ik - H_it)        punished where it was certain, 0 where it was least so

    The maximum is over the tokens of response i that count. Equal entropies give 0 where all are wrong. alpha = 0 is
    GRPO, but for a group of one, which is one of equal rewards. An entropy below 0 is a rounding error and counts as 0.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).
        token_entropy: (B, T) in nats, of the policy that sampled; masked positions may hold anything.
        response_mask: (B, T), non-zero where a token counts.
        alpha: at least 0.

    Returns:
        (B, T) without gradient; 0 where the mask is 0.

    Raises:
        ValueError: if the shapes differ.

    >>> entropy, mask = torch.tensor([[0.2, 0.6, 1.0, 9.0]]), torch.tensor([[1, 1, 1, 0]])
    >>> rl_zvp_advantages(torch.zeros(1), torch.zeros(1, dtype=torch.int64), entropy, mask)
    tensor([[-0.0800, -0.0400,  0.0000,  0.0000]])
    """
    check_token_shapes(rewards, token_entropy, response_mask)
    counts = response_mask.bool()
    entropy = token_entropy.detach().clamp(min=0.0)
    largest = entropy.masked_fill(~counts, -torch.inf).amax(dim=1, keepdim=True)
    of_entropy = alpha * torch.where((rewards > 0).unsqueeze(1), entropy, entropy - largest)
    grpo = group_relative_advantage(rewards, group_index).unsqueeze(1)
    is_degenerate = has_equal_rewards(rewards, group_index).unsqueeze(1)
    advantages = torch.where(is_degenerate, of_entropy.to(grpo.dtype), grpo)
    return torch.where(counts, advantages, 0.0)

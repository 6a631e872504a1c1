"""What methods with an advantage of its own for each token share."""

from torch import Tensor


def check_token_shapes(rewards: Tensor, token_entropy: Tensor, response_mask: Tensor) -> None:
    """Raise ValueError unless token_entropy and response_mask have one shape (B, T) and rewards (B,).

    >>> import torch
    >>> check_token_shapes(torch.zeros(2), torch.zeros(2, 3), torch.ones(2, 3))
    """
    if token_entropy.ndim != 2 or token_entropy.shape != response_mask.shape or len(token_entropy) != len(rewards):
        raise ValueError(
            f"token_entropy {tuple(token_entropy.shape)} and response_mask {tuple(response_mask.shape)} must have one "
            f"shape (B, T), with B the length of rewards {tuple(rewards.shape)}"
        )

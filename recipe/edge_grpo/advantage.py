"""Entropy-driven advantage (EDA), as pure functions of tensors.

Shapes: B responses, T response tokens. `group_index` (B,) int64 in [0, num_groups) names the prompt of each response;
groups may differ in size and their rows may stand in any order.

Where this differs from the authors' code, and why:
1. The entropy mean counts response tokens only. Theirs averages over padded positions too, so that the entropy of a
   response depends on the length of its neighbours.
2. The group mean is taken over the responses of one prompt. Theirs is a mean over all processes of a micro-batch, which
   is the group only with one prompt a step.
3. No gradient flows through the entropy. In theirs the numerator keeps it, which adds a term that the paper's
   equation 7 does not have.
4. Zero and near-zero entropies are defined (see `entropy_ratio`, `entropy_driven_advantage`). Theirs divides 0 by 0.
5. The denominator of the group-relative advantage is std + 1e-6, verl's, not std + 1e-4, theirs.
"""

import torch
from torch import Tensor

SMALLEST_RATIO = 1e-6
"""Ratios are raised to this before dividing: a deterministic response must not make the advantage infinite."""


def mean_response_entropy(token_entropy: Tensor, response_mask: Tensor) -> Tensor:
    """Policy entropy of each response, P_i = (1/|O_i|) sum_t H_t (paper equation 3), in nats.

    Args:
        token_entropy: (B, T) full-vocabulary entropy of each position; masked positions may hold anything, even NaN.
        response_mask: (B, T), non-zero where the position is a token of the response.

    Returns:
        (B,) without gradient; 0 for a response whose mask is empty.

    Raises:
        ValueError: if the shapes differ or are not two-dimensional.
    """
    if token_entropy.ndim != 2 or token_entropy.shape != response_mask.shape:
        raise ValueError(
            f"token_entropy {tuple(token_entropy.shape)} and response_mask {tuple(response_mask.shape)} "
            "must have one and the same shape (B, T)"
        )
    is_response_token = response_mask.bool()
    total = token_entropy.detach().masked_fill(~is_response_token, 0.0).sum(dim=1)
    return total / is_response_token.sum(dim=1).clamp(min=1)


def entropy_ratio(response_entropy: Tensor, group_index: Tensor, clip: tuple[float, float] | None = None) -> Tensor:
    """Normalised entropy of each response, P̂_i = P_i / mean_group(P) (paper equation 6).

    Equal entropies in a group, and a group of one, give exactly 1. A group whose entropies are all 0 gives 1: it says
    nothing about which response was more certain. Entropies a rounding error below 0 count as 0.

    Args:
        response_entropy: (B,) in nats.
        group_index: (B,) int64 in [0, num_groups).
        clip: bounds (low, high) on the ratio, or None for the paper's unbounded one.

    Returns:
        (B,) without gradient, in the dtype of `response_entropy`.

    Raises:
        ValueError: if the shapes differ, or the bounds are not 0 < low <= 1 <= high.
    """
    _check_rows("response_entropy", response_entropy, group_index)
    # Double precision, so that equal entropies give exactly 1 and hence exactly verl's GRPO.
    entropy = response_entropy.detach().double().clamp(min=0.0)
    group_mean_entropy = group_mean_of(entropy, group_index)[group_index]
    ratio = torch.where(group_mean_entropy > 0, entropy / group_mean_entropy.clamp(min=1e-300), 1.0)
    if clip is not None:
        low, high = clip
        if not 0 < low <= 1 <= high:
            raise ValueError(f"clip bounds must satisfy 0 < low <= 1 <= high, got ({low}, {high})")
        ratio = ratio.clamp(min=low, max=high)
    return ratio.to(response_entropy.dtype)


def group_relative_advantage(
    rewards: Tensor, group_index: Tensor, scale_by_std: bool = True, epsilon: float = 1e-6
) -> Tensor:
    """GRPO advantage A_i = (r_i - mean_group(r)) / (std_group(r) + epsilon), with the sample std, as verl's GRPO.

    Equal rewards in a group give 0. A group of one gives r / (1 + epsilon), or r without scaling: verl takes mean 0 and
    std 1 there.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).
        scale_by_std: False only centres (Dr. GRPO).
        epsilon: added to the std.

    Returns:
        (B,) in the dtype of `rewards`.

    Raises:
        ValueError: if the shapes differ.
    """
    _check_rows("rewards", rewards, group_index)
    rewards_double = rewards.detach().double()
    group_size = torch.bincount(group_index)
    is_singleton = group_size == 1
    group_mean = group_mean_of(rewards_double, group_index).masked_fill(is_singleton, 0.0)
    advantages = rewards_double - group_mean[group_index]
    if scale_by_std:
        sum_of_squares = torch.zeros_like(group_mean).index_add_(0, group_index, advantages.square())
        group_std = (sum_of_squares / (group_size - 1).clamp(min=1)).sqrt().masked_fill(is_singleton, 1.0)
        advantages = advantages / (group_std[group_index] + epsilon)
    return advantages.to(rewards.dtype)


def entropy_driven_advantage(raw_advantages: Tensor, ratio: Tensor) -> Tensor:
    """Entropy-driven advantage Â_i = A_i / P̂_i (paper equation 7).

    A confident correct response gains, a confident wrong one loses more. Signs are kept, and 0 stays 0: only error
    correction can revive a group without contrast. A ratio below `SMALLEST_RATIO` counts as `SMALLEST_RATIO`.

    Args:
        raw_advantages: (B,).
        ratio: (B,) from `entropy_ratio`.

    Returns:
        (B,) in the dtype of `raw_advantages`.

    Raises:
        ValueError: if the shapes differ.
    """
    if raw_advantages.shape != ratio.shape:
        raise ValueError(f"raw_advantages {tuple(raw_advantages.shape)} and ratio {tuple(ratio.shape)} differ in shape")
    return raw_advantages / ratio.to(raw_advantages.dtype).clamp(min=SMALLEST_RATIO)


def group_mean_of(values: Tensor, group_index: Tensor) -> Tensor:
    """Mean of the values (B,) of each group, (num_groups,); 0 for a number that no row has."""
    group_size = torch.bincount(group_index)
    total = values.new_zeros(len(group_size)).index_add_(0, group_index, values)
    return total / group_size.clamp(min=1)


def _check_rows(name: str, values: Tensor, group_index: Tensor) -> None:
    if values.ndim != 1 or values.shape != group_index.shape:
        raise ValueError(
            f"{name} {tuple(values.shape)} and group_index {tuple(group_index.shape)} must have one same shape (B,)"
        )

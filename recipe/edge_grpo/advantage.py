"""Entropy-driven advantage (EDA), as pure functions of tensors: paper equations 3, 6 and 7, and their composition.

Shapes: B responses, T response tokens. `group_index` (B,) int64 in [0, num_groups) names the prompt of each response;
groups may differ in size and their rows may stand in any order. Results have the dtype of the values, but are float32
for half precision, whose three digits are too few for a ratio near 1.

Where this differs from the authors' code, and why:
1. The entropy mean counts response tokens only. Theirs averages over padded positions too, so that the entropy of a
   response depends on the length of its neighbours.
2. The group mean is taken over the responses of one prompt. Theirs is a mean over all processes of a micro-batch, which
   is the group only with one prompt a step.
3. No gradient flows through the entropy. In theirs the numerator keeps it, which adds a term that the paper's
   equation 7 does not have.
4. Zero and near-zero entropies are defined (see `entropy_ratio`, `entropy_driven_advantage`). Theirs divides 0 by 0.
5. The denominator of the group-relative advantage is std + 1e-6, verl's, not std + 1e-4, theirs.
6. A row may have no entropy, as padding has none: its advantage is not scaled, and its group's mean leaves it out.
"""

import torch
from torch import Tensor

SMALLEST_RATIO = 1e-6
"""Ratios are raised to this before dividing: a deterministic response must not make the advantage infinite."""


def mean_response_entropy(token_entropy: Tensor, response_mask: Tensor) -> Tensor:
    """Return the policy entropy of each response, P_i = (1/|O_i|) sum_t H_t (paper equation 3), in nats.

    With `token_entropy = -log_probs` of the sampled tokens it is the sampled estimate of that entropy, which needs no
    extra forward pass. Each term is unbiased, E[-log pi(o_t)] = H_t given the tokens before it, if o_t was sampled from
    pi itself: at the temperature of `log_probs`, not truncated by top-p or top-k, and not injected.

    Args:
        token_entropy: (B, T) entropy of each position; masked positions may hold anything, even NaN.
        response_mask: (B, T), non-zero where the position is a token that counts.

    Returns:
        (B,) without gradient; 0 for a response whose mask is empty.

    Raises:
        ValueError: if the shapes differ or are not two-dimensional.

    >>> mean_response_entropy(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[1, 1, 0]]))
    tensor([2.])
    """
    if token_entropy.ndim != 2 or token_entropy.shape != response_mask.shape:
        raise ValueError(
            f"token_entropy {tuple(token_entropy.shape)} and response_mask {tuple(response_mask.shape)} "
            "must have one and the same shape (B, T)"
        )
    num_rows = _num_rows_at_a_time(token_entropy)
    pieces = zip(torch.split(token_entropy.detach(), num_rows), torch.split(response_mask, num_rows), strict=True)
    return torch.cat([_masked_mean(entropies, mask.bool()) for entropies, mask in pieces])


def entropy_ratio(
    response_entropy: Tensor,
    group_index: Tensor,
    clip: tuple[float, float] | None = None,
    has_entropy: Tensor | None = None,
) -> Tensor:
    """Return the normalised entropy of each response, P̂_i = P_i / mean_group(P) (paper equation 6).

    The mean is over the group's rows that have an entropy. A row without one has ratio exactly 1, whatever stands in
    `response_entropy`. Equal entropies in a group, and a group of one, give exactly 1 (float64 input: to rounding).
    A group whose entropies are all 0 gives 1: it says nothing about which response was more certain. Entropies a
    rounding error below 0 count as 0. NaN makes its group NaN: a broken forward pass must show.

    With zeros as `group_index`, the ratio is relative to the mean of the batch.

    Args:
        response_entropy: (B,) in nats.
        group_index: (B,) int64 in [0, num_groups).
        clip: bounds (low, high) on the ratio, or None for the paper's unbounded one.
        has_entropy: (B,) False for padding and for responses of which no token counts; None if every row has one.

    Returns:
        (B,) without gradient.

    Raises:
        ValueError: if the shapes differ, or the bounds are not 0 < low <= 1 <= high.

    >>> entropy_ratio(torch.tensor([1.0, 3.0]), torch.tensor([0, 0]))  # the mean is 2
    tensor([0.5000, 1.5000])
    """
    _check_rows("response_entropy", response_entropy, group_index)
    if clip is not None and not 0 < clip[0] <= 1 <= clip[1]:
        raise ValueError(f"clip bounds must satisfy 0 < low <= 1 <= high, got {clip}")
    if has_entropy is not None:
        _check_rows("has_entropy", has_entropy, group_index)
        rows = has_entropy.bool()
        ratio = torch.ones_like(response_entropy, dtype=_result_dtype(response_entropy))
        ratio[rows] = entropy_ratio(response_entropy[rows], group_index[rows], clip)
        return ratio
    # Double precision, so that equal entropies give exactly 1 and hence exactly verl's GRPO.
    entropy = response_entropy.detach().double().clamp(min=0.0)
    group_mean_entropy = group_mean_of(entropy, group_index)[group_index]
    ratio = torch.where(group_mean_entropy == 0, 1.0, entropy / group_mean_entropy)
    if clip is not None:
        ratio = ratio.clamp(min=clip[0], max=clip[1])
    return ratio.to(_result_dtype(response_entropy))


def group_relative_advantage(
    rewards: Tensor, group_index: Tensor, scale_by_std: bool = True, epsilon: float = 1e-6
) -> Tensor:
    """Return the GRPO advantage A_i = (r_i - mean_group(r)) / (std_group(r) + epsilon), sample std, as verl's GRPO.

    A group of one gives r / (1 + epsilon), or r without scaling: verl takes mean 0 and std 1 there. Equal rewards in a
    group give exactly 0. verl's single precision can leave a rounding error there that epsilon then magnifies: seven
    rewards of 0.1 give 0.007 on an x86 CPU. Rewards whose sum has no rounding error, such as 0 and 1, agree.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).
        scale_by_std: False only centres (Dr. GRPO).
        epsilon: added to the std.

    Returns:
        (B,) without gradient.

    Raises:
        ValueError: if the shapes differ.

    >>> group_relative_advantage(torch.tensor([1.0, 0, 0, 0]), torch.tensor([0, 0, 0, 0]))  # mean 0.25, std 0.5
    tensor([ 1.5000, -0.5000, -0.5000, -0.5000])
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
    return advantages.to(_result_dtype(rewards))


def entropy_driven_advantage(raw_advantages: Tensor, ratio: Tensor) -> Tensor:
    """Return the entropy-driven advantage Â_i = A_i / P̂_i (paper equation 7).

    A confident correct response gains, a confident wrong one loses more. Signs are kept, and 0 stays 0: only error
    correction can revive a group without contrast. A ratio below `SMALLEST_RATIO` counts as `SMALLEST_RATIO`.

    Args:
        raw_advantages: (B,).
        ratio: (B,) from `entropy_ratio`.

    Returns:
        (B,).

    Raises:
        ValueError: if the shapes differ.

    >>> entropy_driven_advantage(torch.tensor([1.5, -0.5]), torch.tensor([0.5, 2.0]))
    tensor([ 3.0000, -0.2500])
    """
    if raw_advantages.shape != ratio.shape:
        raise ValueError(f"raw_advantages {tuple(raw_advantages.shape)} and ratio {tuple(ratio.shape)} differ in shape")
    dtype = _result_dtype(raw_advantages)
    return raw_advantages.to(dtype) / ratio.to(dtype).clamp(min=SMALLEST_RATIO)


def raw_and_scaled_advantages(
    rewards: Tensor, group_index: Tensor, ratio: Tensor, scale_by_std: bool = True
) -> tuple[Tensor, Tensor]:
    """Return A_i (`group_relative_advantage`) and Â_i = A_i / P̂_i of each response: all of EDA behind the ratio.

    Equal ratios within a group, of 1 each, give Â = A, and so verl's GRPO. A group of equal rewards has A = Â = 0.

    Args:
        rewards: (B,) one scalar per response.
        group_index: (B,) int64 in [0, num_groups).
        ratio: (B,) from `entropy_ratio`, on any device.
        scale_by_std: False only centres the rewards (Dr. GRPO).

    Returns:
        raw and scaled advantages, each (B,) without gradient, on the device of the rewards.

    Raises:
        ValueError: if the shapes differ.

    >>> raw_and_scaled_advantages(torch.tensor([3.0, 1.0]), torch.tensor([0, 0]), torch.tensor([0.5, 1.5]), False)
    (tensor([ 1., -1.]), tensor([ 2.0000, -0.6667]))
    """
    raw_advantages = group_relative_advantage(rewards, group_index, scale_by_std)
    return raw_advantages, entropy_driven_advantage(raw_advantages, ratio.to(raw_advantages.device))


def group_mean_of(values: Tensor, group_index: Tensor) -> Tensor:
    """Return the mean of the values (B,) of each group, (num_groups,); 0 for a number that no row has.

    >>> group_mean_of(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 2]))
    tensor([2., 0., 5.])
    """
    group_size = torch.bincount(group_index)
    total = values.new_zeros(len(group_size), dtype=torch.float64).index_add_(0, group_index, values.double())
    return (total / group_size.clamp(min=1)).to(_result_dtype(values))


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the values (B, T) of each row where the mask is True, (B,); 0 where it is never."""
    total = torch.where(mask, values, 0.0).sum(dim=1, dtype=_result_dtype(values))
    return total / mask.sum(dim=1).clamp(min=1)


def _num_rows_at_a_time(matrix: Tensor) -> int:
    """So many rows that copies of them stay in a CPU's cache, or keep a GPU busy without filling its memory."""
    num_elements = 2**20 if matrix.device.type == "cpu" else 2**26
    return max(1, num_elements // max(1, matrix.shape[1]))


def _result_dtype(values: Tensor) -> torch.dtype:
    """Return the dtype of the values, but at least float32."""
    return torch.promote_types(values.dtype, torch.float32)


def _check_rows(name: str, values: Tensor, group_index: Tensor) -> None:
    if values.ndim != 1 or values.shape != group_index.shape:
        raise ValueError(
            f"{name} {tuple(values.shape)} and group_index {tuple(group_index.shape)} must have one same shape (B,)"
        )

"""How the loss treats tokens that error correction injected, as pure functions of tensors.

Shapes: B responses, T response tokens, padded to the longest. A token is injected if the policy did not sample it: a
reflection text, an answer text, a reference solution.

What a choice changes is the policy-gradient term. Where verl's KL loss or entropy bonus is on, injected tokens count in
it in full, and every choice but `mask` counts them in the number of tokens that the loss is averaged over.

Where this differs from others, and why:
1. The paper trains injected tokens as if the policy had sampled them. That is `train`, where nothing here is called.
2. LUFFY (arXiv 2504.14945) shapes responses that are off-policy as a whole, and its launch scripts drop the clip of
   sampled tokens as well. Here shaping acts on injected tokens, and sampled tokens keep verl's clip.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings
from recipe.edge_grpo.training_step.batch import StoredBatch

MARK = -1.0
"""Stands in `rollout_is_weights` for an injected token; an importance weight, even a truncated one, is never negative.

verl hands a policy loss nothing else of ours for each token.
"""


def injected_mask(spans: Sequence[Sequence[tuple[int, int]]], length: int) -> Tensor:
    """Return True where a token was injected, (B, T).

    Args:
        spans: for each response, where injected text stands, each [start, end).
        length: T.

    Raises:
        ValueError: if a span does not satisfy 0 <= start <= end <= T.

    >>> injected_mask([[(1, 3)], []], 3)
    tensor([[False,  True,  True],
            [False, False, False]])
    """
    is_injected = torch.zeros(len(spans), length, dtype=torch.bool)
    for row, spans_of_response in enumerate(spans):
        for start, end in spans_of_response:
            if not 0 <= start <= end <= length:
                raise ValueError(f"span [{start}, {end}) of response {row} is not inside its {length} tokens")
            is_injected[row, start:end] = True
    return is_injected


def weight_tokens(advantages: Tensor, is_weighted: Tensor, weight: float) -> Tensor:
    """Multiply the advantage of some tokens, injected ones or those of a failed first pass, and so their loss.

    Scaling the one is scaling the other: PPO's loss is a minimum and maximum of terms that are each linear in the
    advantage, and a factor of at least 0 keeps their order, through the dual clip too. A weight of 1 changes nothing;
    0 takes the tokens out of the sum of the loss, and leaves them in the number of tokens it is divided by.

    Args:
        advantages: (B, T).
        is_weighted: (B, T) bool, the tokens in question.
        weight: at least 0.

    Returns:
        (B, T) in the dtype of `advantages`.

    Raises:
        ValueError: if the shapes differ, or the weight is negative or not finite.

    >>> weight_tokens(torch.tensor([[2.0, 2.0]]), torch.tensor([[False, True]]), 0.25)
    tensor([[2.0000, 0.5000]])
    """
    _check_shapes(advantages=advantages, is_weighted=is_weighted)
    if not (math.isfinite(weight) and weight >= 0):
        raise ValueError(f"the weight of tokens must be a finite number of at least 0, got {weight}")
    return torch.where(is_weighted, advantages * weight, advantages)


def weight_corrected(advantages: Tensor, stored: StoredBatch, settings: GuidedErrorCorrectionSettings) -> Tensor:
    """Return the advantages (B, T) with the weights of the settings at injected tokens and at those that had failed.

    They come back as they are where the settings have no weight.

    >>> from types import SimpleNamespace
    >>> is_injected, had_failed = torch.tensor([[False, True, False]]), torch.tensor([[True, False, False]])
    >>> stored = SimpleNamespace(is_injected=is_injected, is_failed_prefix=had_failed)
    >>> settings = SimpleNamespace(injected_weight=0.5, failed_prefix_weight=0.25)
    >>> weight_corrected(torch.full((1, 3), 2.0), stored, settings)
    tensor([[0.5000, 1.0000, 2.0000]])
    """
    for is_weighted, weight in (
        (stored.is_injected, settings.injected_weight),
        (stored.is_failed_prefix, settings.failed_prefix_weight),
    ):
        if weight is not None:
            advantages = weight_tokens(advantages, is_weighted, weight)
    return advantages


def mark_injected(is_injected: Tensor, importance_weights: Tensor | None) -> Tensor:
    """Return importance weights with `MARK` at injected tokens, to travel as verl's `rollout_is_weights`.

    Args:
        is_injected: (B, T) bool.
        importance_weights: (B, T) of verl's rollout correction, or None where that is off: 1 for each sampled token.
            0 stands for a rejected token and stays 0. What stands at injected tokens is replaced.

    Returns:
        (B, T); float32 without importance weights, otherwise in their dtype.

    Raises:
        ValueError: if the shapes differ, or the weight of a sampled token is negative or not a number.

    >>> mark_injected(torch.tensor([[False, True]]), None)
    tensor([[ 1., -1.]])
    """
    if importance_weights is None:
        importance_weights = torch.ones_like(is_injected, dtype=torch.float32)
    _check_shapes(is_injected=is_injected, importance_weights=importance_weights)
    is_invalid = ~is_injected & ~(importance_weights >= 0)
    if is_invalid.any():
        row, token = is_invalid.nonzero()[0].tolist()
        raise ValueError(
            f"the importance weight of token {token} of response {row} is {importance_weights[row, token].item()}; "
            "a negative one cannot be told from the mark of an injected token"
        )
    return importance_weights.masked_fill(is_injected, MARK)


def split_marked(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Take apart what `mark_injected` put together.

    Args:
        weights: (B, T), negative at injected tokens.

    Returns:
        is_injected (B, T) bool, and the importance weights (B, T), 1 at injected tokens.

    >>> split_marked(torch.tensor([[0.5, -1.0]]))
    (tensor([[False,  True]]), tensor([[0.5000, 1.0000]]))
    """
    is_injected = weights < 0
    return is_injected, weights.masked_fill(is_injected, 1.0)


def shaped_substitutes(
    log_prob: Tensor, old_log_prob: Tensor, is_injected: Tensor, importance_weights: Tensor, gamma: float
) -> tuple[Tensor, Tensor]:
    """Return what makes a clipped policy loss compute -A f(p) at injected tokens, f(p) = p / (p + gamma).

    p is the probability that the current policy gives the token. The behaviour policy that "sampled" it gave it
    probability 1, so f(p) stands for the importance ratio, and it is not clipped (LUFFY, arXiv 2504.14945).
    The loss of verl is weight * -A * exp(log_prob - old_log_prob), with the weight taken as a constant. At an injected
    token the substitutes are

        log_prob = old_log_prob + (log f(p) - stopgrad(log f(p)))    the ratio is 1, its gradient that of log f(p)
        weight   = stopgrad(f(p))                                    value -A f(p), gradient -A f(p) grad log f(p)

    and f(p) grad log f(p) = grad f(p) = gamma p / (p + gamma)^2 * grad log p. Other tokens stay as they are.

    Args:
        log_prob: (B, T) of the current policy, with gradient; finite. A probability that underflows has f(p) = 0.
        old_log_prob: (B, T) of the policy before the update; finite.
        is_injected: (B, T) bool.
        importance_weights: (B, T).
        gamma: above 0; the smaller, the more an improbable token counts.

    Returns:
        log_prob (B, T) and weights (B, T); no gradient flows through the weights.

    Raises:
        ValueError: if the shapes differ, or gamma is not above 0.

    >>> log_prob, zero = torch.tensor([[0.1]]).log(), torch.zeros(1, 1)  # p = 0.1, so f(p) = 0.1 / 0.2
    >>> shaped_substitutes(log_prob, zero, torch.tensor([[True]]), torch.ones(1, 1), gamma=0.1)
    (tensor([[0.]]), tensor([[0.5000]]))
    """
    _check_shapes(
        log_prob=log_prob, old_log_prob=old_log_prob, is_injected=is_injected, importance_weights=importance_weights
    )
    if not gamma > 0:
        raise ValueError(f"gamma must be above 0, got {gamma}")
    # f(p) = sigmoid(log p - log gamma) needs no division, and log f(p) is finite where p underflows.
    log_shaped = torch.nn.functional.logsigmoid(log_prob - math.log(gamma))
    # The bracket is exactly 0. Added from left to right the sum would round, and the ratio miss 1 by some 1e-6.
    ratio_of_one = old_log_prob + (log_shaped - log_shaped.detach())
    return (
        torch.where(is_injected, ratio_of_one, log_prob),
        torch.where(is_injected, log_shaped.detach().exp(), importance_weights.detach()),
    )


def _check_shapes(**tensors: Tensor) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 2 for shape in shapes.values()):
        described = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"{described} must have one and the same shape (B, T)")

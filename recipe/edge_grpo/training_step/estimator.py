"""`algorithm.adv_estimator=edge_grpo`: the advantage estimator that verl looks up by name.

verl hands an estimator rewards, mask and group names, and no entropy. The trainer therefore puts the entropy ratio of
each row into a context variable around the call; rows keep their order there for every estimator name but "grpo".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import pandas
import torch
from torch import Tensor

from recipe.edge_grpo.advantage import entropy_driven_advantage, group_relative_advantage

NAME = "edge_grpo"

_entropy_ratio: ContextVar[Tensor | None] = ContextVar("entropy_ratio", default=None)


@contextmanager
def entropy_ratio_for_estimator(ratio: Tensor) -> Iterator[None]:
    """Make the ratio (B,) of a batch available to the estimator that runs inside."""
    token = _entropy_ratio.set(ratio)
    try:
        yield
    finally:
        _entropy_ratio.reset(token)


def edge_grpo_advantage(
    token_level_rewards: Tensor, response_mask: Tensor, index: np.ndarray, config: Any = None, **_: Any
) -> tuple[Tensor, Tensor]:
    """Entropy-driven advantage of each token, as verl's registry wants it.

    Args:
        token_level_rewards: (B, T); summed over T, as verl's GRPO does.
        response_mask: (B, T).
        index: (B,) the group name of each row.
        config: verl's `algorithm` block; `norm_adv_by_std_in_grpo` is read from it.

    Returns:
        advantages and returns, one and the same (B, T) tensor; 0 where the mask is 0.

    Raises:
        RuntimeError: if no EDGE-GRPO trainer provided the entropy ratio.
    """
    ratio = _entropy_ratio.get()
    if ratio is None:
        raise RuntimeError(
            "algorithm.adv_estimator=edge_grpo needs the entropy that trainer.v1.trainer_mode=edge_grpo_sync provides"
        )
    raw_advantages = group_relative_advantage(
        token_level_rewards.sum(dim=-1),
        group_numbers(index).to(token_level_rewards.device),
        scale_by_std=True if config is None else config.get("norm_adv_by_std_in_grpo", True),
    )
    scaled_advantages = entropy_driven_advantage(raw_advantages, ratio.to(raw_advantages.device))
    advantages = scaled_advantages.unsqueeze(-1) * response_mask
    return advantages, advantages


def group_numbers(names: np.ndarray) -> Tensor:
    """(B,) int64 in [0, num_groups): the same number for rows of the same name."""
    return torch.from_numpy(pandas.factorize(names)[0].astype(np.int64))

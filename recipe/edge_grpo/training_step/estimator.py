"""`algorithm.adv_estimator=edge_grpo`: the advantage estimator that verl looks up by name.

verl hands an estimator rewards, mask and group names, and no entropy. The trainer therefore puts the entropy ratio of
each row into a context variable around the call; rows keep their order there for every estimator name but "grpo".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import numpy as np
import pandas
import torch
from torch import Tensor

from recipe.edge_grpo.advantage import raw_and_scaled_advantages
from recipe.edge_grpo.names import ESTIMATOR

_entropy_ratio: ContextVar[Tensor | None] = ContextVar("entropy_ratio", default=None)


def register(core_algos: ModuleType) -> None:
    """Register the estimator with `verl.trainer.ppo.core_algos`, just imported."""
    core_algos.register_adv_est(ESTIMATOR)(edge_grpo_advantage)


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
    """Return the entropy-driven advantage of each token, as verl's registry wants it.

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
    scaled_advantages = raw_and_scaled_advantages(
        token_level_rewards.sum(dim=-1),
        group_numbers(index).to(token_level_rewards.device),
        ratio,
        scale_by_std=True if config is None else config.get("norm_adv_by_std_in_grpo", True),
    )[1]
    advantages = scaled_advantages.unsqueeze(-1) * response_mask
    return advantages, advantages


def group_numbers(names: np.ndarray) -> Tensor:
    """Return a number in [0, num_groups) for each row, (B,) int64: the same for rows of the same name.

    >>> group_numbers(np.array(["b", "a", "b"], dtype=object))
    tensor([0, 1, 0])
    """
    return torch.from_numpy(pandas.factorize(names)[0].astype(np.int64))

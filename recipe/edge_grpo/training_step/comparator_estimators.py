"""The rival estimators as verl looks them up by name: each fetches its inputs and calls its pure function.

verl hands an estimator rewards, mask and group names. The trainer puts the rest into a context variable around the
call, as for our own estimator.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import numpy as np
from torch import Tensor

from recipe.edge_grpo.advantage import mean_response_entropy
from recipe.edge_grpo.comparators.avspo import avspo_advantages
from recipe.edge_grpo.comparators.egpo import egpo_advantages
from recipe.edge_grpo.comparators.entropy_shaped import entropy_shaped_advantages
from recipe.edge_grpo.comparators.ngrpo import ngrpo_advantages
from recipe.edge_grpo.comparators.rl_zvp import rl_zvp_advantages
from recipe.edge_grpo.settings.comparators import Constants
from recipe.edge_grpo.training_step.estimator import group_numbers


@dataclasses.dataclass(frozen=True)
class ComparatorInputs:
    """What the trainer knows of a batch besides what verl hands to an estimator."""

    constants: Constants
    token_entropy: Tensor
    """(B, T) in nats, of the policy before the update."""
    old_log_probs: Tensor | None
    """(B, T) of the same policy, for the tokens of the responses; None for an estimator that does not read them."""
    is_padding: Tensor
    """(B,) rows that verl added to make the batch divisible."""

    def constants_by_name(self) -> dict[str, Any]:
        return dataclasses.asdict(self.constants)


_inputs: ContextVar[ComparatorInputs | None] = ContextVar("comparator_inputs", default=None)


@contextmanager
def inputs_for_comparator(inputs: ComparatorInputs | None) -> Iterator[None]:
    """Make the inputs available to the estimator that runs inside."""
    token = _inputs.set(inputs)
    try:
        yield
    finally:
        _inputs.reset(token)


def _ngrpo(rewards: Tensor, groups: Tensor, mask: Tensor, inputs: ComparatorInputs) -> Tensor:
    return ngrpo_advantages(rewards, groups, **inputs.constants_by_name())


def _avspo(rewards: Tensor, groups: Tensor, mask: Tensor, inputs: ComparatorInputs) -> Tensor:
    return avspo_advantages(rewards, groups, **inputs.constants_by_name())


def _egpo(rewards: Tensor, groups: Tensor, mask: Tensor, inputs: ComparatorInputs) -> Tensor:
    if inputs.old_log_probs is None:
        raise RuntimeError("algorithm.adv_estimator=egpo: verl has stored no old log-probabilities")
    entropy = mean_response_entropy(-inputs.old_log_probs, mask)
    has_entropy = mask.bool().any(dim=1) & ~inputs.is_padding
    return egpo_advantages(rewards, groups, entropy, has_entropy, **inputs.constants_by_name())


def _rl_zvp(rewards: Tensor, groups: Tensor, mask: Tensor, inputs: ComparatorInputs) -> Tensor:
    return rl_zvp_advantages(rewards, groups, inputs.token_entropy, mask, **inputs.constants_by_name())


def _entropy_shaped(rewards: Tensor, groups: Tensor, mask: Tensor, inputs: ComparatorInputs) -> Tensor:
    return entropy_shaped_advantages(rewards, groups, inputs.token_entropy, mask, **inputs.constants_by_name())


ESTIMATORS: dict[str, Callable[[Tensor, Tensor, Tensor, ComparatorInputs], Tensor]] = {
    "ngrpo": _ngrpo,
    "avspo": _avspo,
    "egpo": _egpo,
    "rl_zvp": _rl_zvp,
    "entropy_shaped": _entropy_shaped,
}
"""By `algorithm.adv_estimator`: (rewards, group numbers, mask, inputs) to advantages (B,) or (B, T)."""


ON_OLD_LOG_PROBS = ("egpo",)
"""Read the log-probabilities of the sampled tokens, which cost a call of verl's storage."""


def register(core_algos: ModuleType) -> None:
    """Register the estimators with `verl.trainer.ppo.core_algos`, just imported."""
    for name in ESTIMATORS:
        core_algos.register_adv_est(name)(_as_verl_calls_it(name))


def _as_verl_calls_it(name: str) -> Callable[..., tuple[Tensor, Tensor]]:
    def comparator_advantage(
        token_level_rewards: Tensor, response_mask: Tensor, index: np.ndarray, **_: Any
    ) -> tuple[Tensor, Tensor]:
        """Return advantages and returns, one and the same (B, T) tensor; 0 where the mask is 0."""
        inputs = _inputs.get()
        if inputs is None:
            raise RuntimeError(
                f"algorithm.adv_estimator={name} needs what trainer.v1.trainer_mode=edge_grpo_sync provides; "
                f"+recipe={name} sets both"
            )
        groups = group_numbers(index).to(token_level_rewards.device)
        advantages = ESTIMATORS[name](token_level_rewards.sum(dim=-1), groups, response_mask, inputs)
        if advantages.ndim == 1:
            advantages = advantages.unsqueeze(-1) * response_mask
        return advantages, advantages

    return comparator_advantage

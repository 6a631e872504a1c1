"""`actor_rollout_ref.actor.policy_loss.loss_mode=edge_grpo_shaped`: policy shaping of injected tokens, inside verl.

verl's own vanilla loss does the work, with clip, dual clip, importance weights and aggregation as the user configured
them. It is handed a log-probability and a weight for each injected token from which the shaped objective comes out; see
`injected_tokens.shaped_substitutes`.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from torch import Tensor

from recipe.edge_grpo.names import POLICY_LOSS
from recipe.edge_grpo.training_step.injected_tokens import shaped_substitutes, split_marked

GAMMA = 0.1
"""gamma of f(p) = p / (p + gamma): LUFFY's value (arXiv 2504.14945; `p_div_p_0.1` in the authors' code).

A constant, because verl's `policy_loss` block refuses keys that it does not know.
"""


def register(core_algos: ModuleType) -> None:
    """Register the policy loss with `verl.trainer.ppo.core_algos`, just imported."""
    core_algos.register_policy_loss(POLICY_LOSS)(edge_grpo_shaped_loss)


def edge_grpo_shaped_loss(
    old_log_prob: Tensor,
    log_prob: Tensor,
    advantages: Tensor,
    response_mask: Tensor,
    loss_agg_mode: str = "token-mean",
    config: Any = None,
    rollout_is_weights: Tensor | None = None,
) -> tuple[Tensor, dict[str, Any]]:
    """Return the loss -A f(p) at injected tokens and verl's vanilla loss at all others, as verl's registry wants it.

    Without an injected token it is the vanilla loss exactly. The metrics are those of the vanilla loss: in
    `actor/pg_clipfrac` and `actor/pg_clipfrac_lower` an injected token counts as one that is not clipped, and in
    `actor/ppo_kl` as 0.

    Args:
        old_log_prob: (B, T) of the policy before the update.
        log_prob: (B, T) of the current policy.
        advantages: (B, T).
        response_mask: (B, T), 1 where a token takes part in the loss.
        loss_agg_mode: how verl aggregates over tokens.
        config: verl's `actor_rollout_ref.actor` block.
        rollout_is_weights: (B, T) from `injected_tokens.mark_injected`.

    Returns:
        the loss, a scalar, and verl's metrics.

    Raises:
        RuntimeError: if the batch carries no marks.
    """
    # verl imports this module while it imports core_algos, so this import has to wait.
    from verl.trainer.ppo.core_algos import get_policy_loss_fn

    if rollout_is_weights is None:
        raise RuntimeError(
            f"actor_rollout_ref.actor.policy_loss.loss_mode={POLICY_LOSS} and no injected token is marked: it needs "
            "edge_grpo.gec.injected_loss=shaped, and a trainer of EDGE-GRPO (trainer.v1.trainer_mode=edge_grpo_sync)"
        )
    is_injected, importance_weights = split_marked(rollout_is_weights)
    log_prob, weights = shaped_substitutes(log_prob, old_log_prob, is_injected, importance_weights, GAMMA)
    vanilla_loss: Callable[..., tuple[Tensor, dict[str, Any]]] = get_policy_loss_fn("vanilla")
    return vanilla_loss(
        old_log_prob=old_log_prob,
        log_prob=log_prob,
        advantages=advantages,
        response_mask=response_mask,
        loss_agg_mode=loss_agg_mode,
        config=config,
        rollout_is_weights=weights,
    )

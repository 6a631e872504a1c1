"""Start-up checks of error correction: what it needs of rollout, reward, estimator and loss.

A part of `config_checks.py`, which says when these run.
"""

from omegaconf import DictConfig

from recipe.edge_grpo.names import POLICY_LOSS, TRAINER_MODES
from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings
from recipe.edge_grpo.settings.choices import (
    SMALLEST_GROUP_OF_SCHEDULE,
    HintPrompt,
    InjectedLoss,
    ProbabilitySchedule,
    Strategy,
)


def bypasses_old_log_prob(config: DictConfig) -> bool:
    """Return True if verl takes the rollout's log-probabilities as the old ones, without a pass of its own."""
    correction = config.algorithm.get("rollout_correction")
    return correction is not None and bool(correction.get("bypass_mode"))


def check_error_correction(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    """Refuse what cannot work where `edge_grpo.gec.enabled` is true.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    rollout = config.actor_rollout_ref.rollout
    if config.trainer.v1.trainer_mode not in TRAINER_MODES:
        raise ValueError(f"{BLOCK}.gec.enabled=True needs trainer.v1.trainer_mode={next(iter(TRAINER_MODES))}")
    reward_model = config.reward.reward_model
    if reward_model.enable and not reward_model.enable_resource_pool:
        raise ValueError(
            "reward.reward_model.enable=True with enable_resource_pool=False scores after sampling, and error "
            "correction needs the score while sampling; give the reward model its own resource pool or set "
            f"{BLOCK}.gec.enabled=False"
        )
    if rollout.get("enable_rollout_routing_replay"):
        raise ValueError(
            "actor_rollout_ref.rollout.enable_rollout_routing_replay=True: corrected tokens have no recorded expert "
            f"routing; set it to False, or {BLOCK}.gec.enabled=False"
        )
    _check_injected_loss(config, settings)
    is_plain = settings.gec.probabilities[Strategy.HINT] > 0 and settings.gec.hint_prompt is HintPrompt.PLAIN
    if bypasses_old_log_prob(config) and is_plain:
        raise ValueError(
            f"algorithm.rollout_correction.bypass_mode=True with {BLOCK}.gec.hint_prompt=plain: that mode takes the "
            "log-probabilities of the rollout, which saw the hint, as those of the prompt without it; set "
            f"{BLOCK}.gec.hint_prompt=hinted, or algorithm.rollout_correction.bypass_mode=False"
        )
    if settings.gec.solution_in_every_group and rollout.n < 2:
        raise ValueError(
            f"{BLOCK}.gec.solution_in_every_group=True needs a response beside the solution, and "
            f"actor_rollout_ref.rollout.n={rollout.n}; raise it or set {BLOCK}.gec.solution_in_every_group=False"
        )
    if settings.gec.schedule is ProbabilitySchedule.TWO_OVER_GROUP_SIZE and rollout.n < SMALLEST_GROUP_OF_SCHEDULE:
        raise ValueError(
            f"{BLOCK}.gec.schedule=2/G needs groups of at least {SMALLEST_GROUP_OF_SCHEDULE} responses, and "
            f"actor_rollout_ref.rollout.n={rollout.n}; raise it or set {BLOCK}.gec.schedule=fixed"
        )


def _check_injected_loss(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    injected_loss = settings.gec.injected_loss
    loss_mode = config.actor_rollout_ref.actor.policy_loss.loss_mode
    if (injected_loss is InjectedLoss.SHAPED) != (loss_mode == POLICY_LOSS):
        raise ValueError(
            f"{BLOCK}.gec.injected_loss={injected_loss} with "
            f"actor_rollout_ref.actor.policy_loss.loss_mode={loss_mode}: the shaped loss of injected tokens is the "
            f"policy loss {POLICY_LOSS}; set both or neither"
        )
    if injected_loss is InjectedLoss.SHAPED and config.get("distillation") and config.distillation.enabled:
        raise ValueError(
            f"distillation.enabled=True with {BLOCK}.gec.injected_loss=shaped: verl's distillation calls another "
            "policy loss, which would take the marks of injected tokens for importance weights; use one of the two"
        )
    if bypasses_old_log_prob(config) and injected_loss is not InjectedLoss.MASK:
        raise ValueError(
            f"algorithm.rollout_correction.bypass_mode=True with {BLOCK}.gec.injected_loss={injected_loss}: injected "
            "tokens have no log-probability of the rollout, which that mode takes as the old one; set "
            f"{BLOCK}.gec.injected_loss=mask, or algorithm.rollout_correction.bypass_mode=False"
        )

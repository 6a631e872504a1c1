"""Start-up checks of the composed configuration: what cannot work is refused, with the key, the value and the fix.

`check_config` runs in the driver before Ray starts (lifecycle.py), and again when an EDGE-GRPO trainer is built, for
entry points that skip verl's validation. A new refusal: its own `_check_…` function, called from there.
"""

import importlib.util

from omegaconf import DictConfig, OmegaConf

from recipe.edge_grpo.names import AGENT_LOOP_MANAGER, ESTIMATOR, POLICY_LOSS, TRAINER_MODES
from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings, read_settings
from recipe.edge_grpo.settings.choices import (
    SMALLEST_GROUP_OF_SCHEDULE,
    CountedTokens,
    EntropySource,
    InjectedLoss,
    ProbabilitySchedule,
)


def check_config(config: DictConfig) -> None:
    """Refuse what cannot work. A configuration that asks for nothing of ours is left alone.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    uses_estimator = config.algorithm.adv_estimator == ESTIMATOR
    if config.get(BLOCK) is None and not uses_estimator:
        return
    settings = read_settings(config)
    _check_trainer(config, uses_estimator)
    _check_entropy(config, settings, uses_estimator)
    if settings.gec.enabled:
        _check_error_correction(config, settings)
    _check_rollout_engine(config)


def _check_trainer(config: DictConfig, uses_estimator: bool) -> None:
    mode = config.trainer.v1.trainer_mode
    if not config.trainer.use_v1:
        raise ValueError("trainer.use_v1=False: EDGE-GRPO extends verl's V1 trainer; set trainer.use_v1=True")
    if mode not in TRAINER_MODES and mode not in TRAINER_MODES.values():
        raise ValueError(f"trainer.v1.trainer_mode={mode}: use one of {', '.join(TRAINER_MODES)}")
    if uses_estimator and mode not in TRAINER_MODES:
        ours = next(name for name, base in TRAINER_MODES.items() if base == mode)
        raise ValueError(
            f"algorithm.adv_estimator={ESTIMATOR} with trainer.v1.trainer_mode={mode}: verl's own trainer does not "
            f"hand the policy entropy over; set trainer.v1.trainer_mode={ours}"
        )


def _check_rollout_engine(config: DictConfig) -> None:
    if OmegaConf.is_missing(config.actor_rollout_ref.rollout, "name"):
        raise ValueError("actor_rollout_ref.rollout.name is not set; set it to vllm")
    if config.actor_rollout_ref.rollout.name == "vllm" and importlib.util.find_spec("vllm") is None:
        raise ValueError(
            "actor_rollout_ref.rollout.name=vllm, and vllm is not installed: in a checkout of verl-edge-grpo "
            "run `make install` for the CPU, or pip install .[gpu]"
        )


def bypasses_old_log_prob(config: DictConfig) -> bool:
    """Return True if verl takes the rollout's log-probabilities as the old ones, without a pass of its own."""
    correction = config.algorithm.get("rollout_correction")
    return correction is not None and bool(correction.get("bypass_mode"))


def _check_entropy(config: DictConfig, settings: EdgeGRPOSettings, uses_estimator: bool) -> None:
    if settings.eda.enabled != uses_estimator:
        raise ValueError(
            f"{BLOCK}.eda.enabled={settings.eda.enabled} with "
            f"algorithm.adv_estimator={config.algorithm.adv_estimator}: the entropy-driven advantage is the estimator "
            f"{ESTIMATOR}; set both (+recipe=edge_grpo) or neither (+recipe=grpo)"
        )
    if settings.eda.entropy is EntropySource.EXACT and bypasses_old_log_prob(config):
        raise ValueError(
            "algorithm.rollout_correction.bypass_mode=True skips the pass that computes the policy entropy; "
            f"set algorithm.rollout_correction.bypass_mode=False, or {BLOCK}.eda.entropy=sampled"
        )
    if settings.eda.entropy is EntropySource.EXACT:
        return
    if not config.actor_rollout_ref.rollout.calculate_log_probs:
        raise ValueError(
            f"{BLOCK}.eda.entropy=sampled is made of the rollout's log-probabilities; "
            "set actor_rollout_ref.rollout.calculate_log_probs=True"
        )
    if settings.gec.enabled and settings.eda.tokens is not CountedTokens.SAMPLED:
        raise ValueError(
            f"{BLOCK}.eda.entropy=sampled with {BLOCK}.eda.tokens={settings.eda.tokens}: injected tokens have no "
            f"log-probability of the rollout; set {BLOCK}.eda.tokens=sampled"
        )


def _check_error_correction(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    rollout = config.actor_rollout_ref.rollout
    manager = rollout.agent.get("agent_loop_manager_class")
    if manager != AGENT_LOOP_MANAGER:
        raise ValueError(
            f"{BLOCK}.gec.enabled=True with actor_rollout_ref.rollout.agent.agent_loop_manager_class={manager}: "
            f"set it to {AGENT_LOOP_MANAGER}"
        )
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
    if settings.gec.schedule is ProbabilitySchedule.TWO_OVER_GROUP_SIZE and rollout.n < SMALLEST_GROUP_OF_SCHEDULE:
        raise ValueError(
            f"{BLOCK}.gec.schedule=2/G needs groups of at least {SMALLEST_GROUP_OF_SCHEDULE} responses, and "
            f"actor_rollout_ref.rollout.n={rollout.n}; raise it or set {BLOCK}.gec.schedule=fixed"
        )
    first_pass = settings.gec.first_pass_max_tokens
    if first_pass is not None and first_pass > rollout.response_length:
        raise ValueError(
            f"{BLOCK}.gec.first_pass_max_tokens={first_pass} exceeds data.max_response_length={rollout.response_length}"
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

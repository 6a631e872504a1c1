"""Start-up checks of the composed configuration: what cannot work is refused, with the key, the value and the fix.

`check_config` runs in the driver before Ray starts (lifecycle.py), and again when an EDGE-GRPO trainer is built, for
entry points that skip verl's validation. A new refusal: its own `_check_…` function, called from there. Error
correction has `correction_checks.py`, the CPU `cpu/start_checks.py`.
"""

from omegaconf import DictConfig, OmegaConf

from recipe.edge_grpo.names import ESTIMATOR, TRAINER_MODES
from recipe.edge_grpo.run.comparator_checks import check_comparator
from recipe.edge_grpo.run.correction_checks import bypasses_old_log_prob, check_error_correction
from recipe.edge_grpo.run.estimators import refuse_estimator
from recipe.edge_grpo.run.rollout_engines import check_rollout_engine
from recipe.edge_grpo.run.sampling_checks import check_sampling
from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings, read_settings
from recipe.edge_grpo.settings.choices import CountedTokens, EntropySource, InjectedLoss
from recipe.edge_grpo.settings.comparators import CONSTANTS
from recipe.edge_grpo.verl_patches.loopback import joins_running_ray

STRATEGIES = {
    "FSDP": ("fsdp2", "fsdp", "fsdp_turbo"),
    "Mcore": ("megatron",),
    "VeOmni": ("veomni",),
    "TorchTitan": ("torchtitan",),
}
"""How the name of verl's configuration class begins for each training engine, and the strategies that it serves."""


PASSED_OVER = {
    "trainer.esi_redundant_time": 0,
    "actor_rollout_ref.rollout.over_sample_rate": 0,
    "actor_rollout_ref.rollout.multi_turn.num_repeat_rollouts": None,
    "data.return_raw_input_ids": False,
}
"""Settings that verl documents and no V1 trainer reads, and their defaults."""


def check_config(config: DictConfig) -> None:
    """Refuse what cannot work. A configuration that asks for nothing of ours is left alone.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    estimator = config.algorithm.adv_estimator
    is_ours = estimator == ESTIMATOR or estimator in CONSTANTS
    if config.get(BLOCK) is None and not is_ours:
        return
    settings = read_settings(config)
    _check_trainer(config, is_ours)
    _check_entropy(config, settings, estimator == ESTIMATOR)
    check_comparator(config, settings)
    check_sampling(config, settings)
    if settings.gec.enabled:
        check_error_correction(config, settings)
    masks_injected = settings.gec.enabled and settings.gec.injected_loss is InjectedLoss.MASK
    refuse_estimator(config.algorithm.adv_estimator, masks_injected)
    _check_resampled_rows(config)
    _check_passed_over(config)
    _check_training_engine(config)
    check_rollout_engine(config, settings)


def _check_trainer(config: DictConfig, is_estimator_ours: bool) -> None:
    mode = config.trainer.v1.trainer_mode
    if not config.trainer.use_v1:
        raise ValueError("trainer.use_v1=False: EDGE-GRPO extends verl's V1 trainer; set trainer.use_v1=True")
    if mode not in TRAINER_MODES and mode not in TRAINER_MODES.values():
        raise ValueError(f"trainer.v1.trainer_mode={mode}: use one of {', '.join(TRAINER_MODES)}")
    if is_estimator_ours and mode not in TRAINER_MODES:
        ours = next(name for name, base in TRAINER_MODES.items() if base == mode)
        raise ValueError(
            f"algorithm.adv_estimator={config.algorithm.adv_estimator} with trainer.v1.trainer_mode={mode}: verl's own "
            f"trainer does not hand the policy entropy over; set trainer.v1.trainer_mode={ours}"
        )


def _check_resampled_rows(config: DictConfig) -> None:
    if config.algorithm.get("use_pf_ppo"):
        raise ValueError(
            "algorithm.use_pf_ppo=True: verl's V1 trainers store the rows that it draws again under the keys of other "
            "rows with gae, and pass over it with any other estimator; set algorithm.use_pf_ppo=False"
        )


def _check_passed_over(config: DictConfig) -> None:
    for key, default in PASSED_OVER.items():
        value = OmegaConf.select(config, key, default=default)
        if value != default:
            raise ValueError(
                f"{key}={value}: verl's V1 trainers pass over it; leave it at {'null' if default is None else default}"
            )


def _check_training_engine(config: DictConfig) -> None:
    """Refuse the settings of one engine with the strategy of another, as `model_engine` and a profile compose them."""
    blocks = {
        "actor_rollout_ref.actor": config.actor_rollout_ref.actor,
        "actor_rollout_ref.ref": config.actor_rollout_ref.ref,
        "critic": config.critic,
    }
    for name, block in blocks.items():
        engine = block.get("_target_", "").rpartition(".")[2]
        strategies = next((served for start, served in STRATEGIES.items() if engine.startswith(start)), None)
        if strategies is not None and block.strategy not in strategies:
            raise ValueError(
                f"{name}.strategy={block.strategy} with {name}._target_={block._target_}: these are two training "
                f"engines; set {name}.strategy={strategies[0]}, or choose one engine with model_engine="
            )


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


def check_nodes(config: DictConfig) -> None:
    """Refuse several nodes where verl would start a Ray on this one alone, and find devices missing.

    Called where a run starts, not with the other checks: those are also for a run on another machine.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    if config.trainer.nnodes > 1 and not joins_running_ray(config):
        raise ValueError(
            f"trainer.nnodes={config.trainer.nnodes}, and there is no Ray cluster to join: start one (docs/slurm.md "
            "does it under Slurm) and give its address as +ray_kwargs.ray_init.address=HOST:PORT or RAY_ADDRESS, or "
            "set trainer.nnodes=1"
        )

"""Start-up checks: what cannot work is refused before Ray starts, with the key, the value and the fix.

`check_config` runs inside verl's own `validate_config` in the driver (plugin.py arranges that), and again when an
EDGE-GRPO trainer is built, for entry points that skip verl's validation.
"""

import importlib.util
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recipe.edge_grpo.estimator import NAME as ESTIMATOR
from recipe.edge_grpo.settings import BLOCK, EdgeGRPOSettings, parse_settings

logger = logging.getLogger(__name__)

TRAINER_MODES = {
    "edge_grpo_sync": "sync",
    "edge_grpo_colocate_async": "colocate_async",
    "edge_grpo_separate_async": "separate_async",
}
"""Our trainer names and the verl mode that each extends."""

AGENT_LOOP_MANAGER = "recipe.edge_grpo.rollout.EdgeGRPOAgentLoopManager"


def read_settings(config: DictConfig) -> EdgeGRPOSettings:
    """The settings of a composed configuration; see `parse_settings` for what it raises."""
    block = config.get(BLOCK)
    return parse_settings(None if block is None else OmegaConf.to_container(block, resolve=True))


def check_config(config: DictConfig) -> None:
    """Refuse what cannot work. A configuration that asks for nothing of ours is left alone.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    uses_estimator = config.algorithm.adv_estimator == ESTIMATOR
    if config.get(BLOCK) is None and not uses_estimator:
        return
    settings = read_settings(config)
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
    _check_entropy(config, settings, uses_estimator)
    if settings.gec.enabled:
        _check_error_correction(config, settings)
    if OmegaConf.is_missing(config.actor_rollout_ref.rollout, "name"):
        raise ValueError("actor_rollout_ref.rollout.name is not set; set it to vllm")
    if config.actor_rollout_ref.rollout.name == "vllm" and importlib.util.find_spec("vllm") is None:
        raise ValueError(
            "actor_rollout_ref.rollout.name=vllm, and vllm is not installed: in a checkout of verl-edge-grpo "
            "run `make install` for the CPU, or pip install .[gpu]"
        )


def _check_entropy(config: DictConfig, settings: EdgeGRPOSettings, uses_estimator: bool) -> None:
    if settings.eda.enabled != uses_estimator:
        raise ValueError(
            f"{BLOCK}.eda.enabled={settings.eda.enabled} with "
            f"algorithm.adv_estimator={config.algorithm.adv_estimator}: the entropy-driven advantage is the estimator "
            f"{ESTIMATOR}; set both (+recipe=edge_grpo) or neither (+recipe=grpo)"
        )
    correction = config.algorithm.get("rollout_correction")
    if correction is not None and correction.get("bypass_mode"):
        raise ValueError(
            "algorithm.rollout_correction.bypass_mode=True skips the pass that computes the policy entropy; "
            "set algorithm.rollout_correction.bypass_mode=False"
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
    first_pass = settings.gec.first_pass_max_tokens
    if first_pass is not None and first_pass > rollout.response_length:
        raise ValueError(
            f"{BLOCK}.gec.first_pass_max_tokens={first_pass} exceeds data.max_response_length={rollout.response_length}"
        )


def check_training_rows(rows: Iterable[Mapping[str, Any]], corrects: bool) -> None:
    """Refuse a training file with a row that cannot be graded, and say how many rows have no reference solution.

    Args:
        rows: the dataset rows; `reward_model` and `extra_info` are read.
        corrects: whether error correction is on.

    Raises:
        ValueError: naming the row, if `reward_model.ground_truth` is missing or empty.
    """
    num_rows = num_without_solution = 0
    for row_number, row in enumerate(rows):
        num_rows += 1
        ground_truth = (row.get("reward_model") or {}).get("ground_truth")
        if ground_truth is None or ground_truth == [] or not str(ground_truth).strip():
            raise ValueError(
                f"training row {row_number} (from 0) has no reward_model.ground_truth; add it or drop the row"
            )
        if not (row.get("extra_info") or {}).get("solution"):
            num_without_solution += 1
    if corrects and num_without_solution:
        logger.warning(
            "%d of %d training rows have no extra_info.solution: where the solution strategy is drawn for them, "
            "the answer strategy is used and counted as edge_grpo/gec/answer_for_missing_solution",
            num_without_solution,
            num_rows,
        )

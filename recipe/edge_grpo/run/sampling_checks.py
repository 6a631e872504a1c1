"""Start-up checks of how a run samples: as the method does, whatever the recipe, and as its keys say.

Called by config_checks.py for every configuration with the block `edge_grpo:`.
"""

from omegaconf import DictConfig

from recipe.edge_grpo.correction.sampling import should_seed_responses
from recipe.edge_grpo.names import AGENT_LOOP_MANAGER
from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings


def check_sampling(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    """Refuse keys that bound or seed the samples of a run and could not do so.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    _check_first_pass(config, settings)
    _check_determinism(config)
    _check_seeded_prefill(config, settings)
    _check_prefill_in_one_part(config)


def _check_first_pass(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    """Refuse what would sample otherwise than the method does: an ablation would differ in more than its name says."""
    rollout, first_pass = config.actor_rollout_ref.rollout, settings.gec.first_pass_max_tokens
    manager = rollout.agent.get("agent_loop_manager_class")
    if first_pass is not None and first_pass > rollout.response_length:
        raise ValueError(
            f"{BLOCK}.gec.first_pass_max_tokens={first_pass} exceeds data.max_response_length={rollout.response_length}"
        )
    if manager == AGENT_LOOP_MANAGER:
        return
    for key, value, off in (
        ("gec.enabled", settings.gec.enabled, False),
        ("gec.first_pass_max_tokens", first_pass, None),
        ("seeds_responses", settings.seeds_responses, False),
    ):
        if value is not off:
            raise ValueError(
                f"{BLOCK}.{key}={value} with actor_rollout_ref.rollout.agent.agent_loop_manager_class={manager}: "
                f"another manager does not do it; set it to {AGENT_LOOP_MANAGER}, or {BLOCK}.{key}="
                f"{'null' if off is None else off}"
            )


def _check_determinism(config: DictConfig) -> None:
    if config.actor_rollout_ref.rollout.get("full_determinism"):
        raise ValueError(
            "actor_rollout_ref.rollout.full_determinism=True: verl's V1 trainer then sends every request under one "
            "number (det-0) to one server, and vLLM on a CPU does not start; set it to False. "
            f"{BLOCK}.seeds_responses=True gives each response a seed of its own"
        )


def _check_seeded_prefill(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    """Refuse seeds on the CPU where a prompt may be read in parts.

    vLLM samples a token for each part, throws it away and sets the request's generator back by as much; a generator on
    the CPU has no offset, and the engine dies as soon as the prompts of a step exceed `max_num_batched_tokens`.
    """
    is_chunked = config.actor_rollout_ref.rollout.enable_chunked_prefill
    if config.trainer.device == "cpu" and is_chunked and should_seed_responses(config, settings):
        raise ValueError(
            f"actor_rollout_ref.rollout.enable_chunked_prefill=True with {BLOCK}.seeds_responses=True on the CPU "
            "platform (VERL_PLATFORM=cpu): vLLM's engine dies of a seeded request whose prompt is read in parts; set "
            "actor_rollout_ref.rollout.enable_chunked_prefill=False"
        )


def _check_prefill_in_one_part(config: DictConfig) -> None:
    """Refuse a step that is too short for a prompt; verl means to raise it, and fails on a frozen field."""
    rollout = config.actor_rollout_ref.rollout
    length, batched = rollout.get("max_model_len"), rollout.max_num_batched_tokens
    if rollout.enable_chunked_prefill or length is None or batched >= length:
        return
    if rollout.name == "vllm":
        raise ValueError(
            f"actor_rollout_ref.rollout.max_num_batched_tokens={batched} with enable_chunked_prefill=False and "
            f"max_model_len={length}: a prompt is read in one step then; set "
            f"actor_rollout_ref.rollout.max_num_batched_tokens={length}"
        )

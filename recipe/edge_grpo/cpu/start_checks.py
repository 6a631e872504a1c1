"""Refuses what verl cannot do without an accelerator, before Ray starts; verl ends in its inside, minutes later."""

from omegaconf import DictConfig

from recipe.edge_grpo.cpu.capacity import check_capacity
from recipe.edge_grpo.cpu.memory import check_memory


def check_start(config: DictConfig) -> None:
    """Check the configuration of any run on the CPU platform.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    check_engines(config)
    check_capacity(config)
    check_memory(config)


def check_engines(config: DictConfig) -> None:
    """Refuse engines that need an accelerator; raises ValueError, naming the key, its value and the fix.

    Rollout: only vLLM has a build for the CPU. Training: FSDP1 and Megatron move weights through an accelerator.
    Critic: verl loads a value model with flash attention, whatever the configuration says.
    """
    rollout, actor, critic = config.actor_rollout_ref.rollout.name, config.actor_rollout_ref.actor, config.critic
    if rollout != "vllm":
        raise ValueError(
            f"actor_rollout_ref.rollout.name={rollout} on the CPU platform (VERL_PLATFORM=cpu): only vLLM has a "
            "build for the CPU; set actor_rollout_ref.rollout.name=vllm"
        )
    if actor.strategy != "fsdp2":
        raise ValueError(
            f"actor_rollout_ref.actor.strategy={actor.strategy} on the CPU platform (VERL_PLATFORM=cpu): it needs an "
            "accelerator to start; set actor_rollout_ref.actor.strategy=fsdp2"
        )
    if critic.enable or (critic.enable is None and config.algorithm.adv_estimator == "gae"):
        raise ValueError(
            f"algorithm.adv_estimator={config.algorithm.adv_estimator} with critic.enable={critic.enable} on the CPU "
            "platform (VERL_PLATFORM=cpu): verl loads a critic with flash attention, which needs an accelerator; set "
            "algorithm.adv_estimator=grpo (or rloo, reinforce_plus_plus) and critic.enable=null"
        )

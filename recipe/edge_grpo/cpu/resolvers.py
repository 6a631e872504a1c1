"""Values of the profile cpu that follow from other keys; OmegaConf has no arithmetic of its own."""

from typing import Any

from omegaconf import DictConfig

from recipe.edge_grpo.cpu import memory


def register(omegaconf: Any) -> None:
    """Make the resolvers known; their values are the same in every process of a run."""
    for resolver in (edge_grpo_tokens_that_fit, edge_grpo_row_tokens, edge_grpo_vllm_executor):
        omegaconf.OmegaConf.register_new_resolver(resolver.__name__, resolver, replace=True)


def edge_grpo_tokens_that_fit(_root_: DictConfig) -> int:
    """Return the bound on the tokens of a micro batch that this machine's memory holds."""
    shape = memory.read_shape(str(_root_.actor_rollout_ref.model.get("path")))
    if shape is None:  # the hub's; nothing is known of it here
        return memory.MAX_TOKENS
    has_checkpoints = _root_.actor_rollout_ref.model.enable_gradient_checkpointing
    num_tokens = memory.tokens_that_fit(shape, memory.machine_bytes(), _root_.trainer.n_gpus_per_node, has_checkpoints)
    # verl refuses a bound below one whole row; whether that fits is for `check_memory` to say
    return max(num_tokens, edge_grpo_row_tokens(0, _root_=_root_))


def edge_grpo_row_tokens(least: int = 0, *, _root_: DictConfig) -> int:
    """Return how many tokens a prompt with its response may have, or `least` if that is more.

    >>> from omegaconf import OmegaConf
    >>> lengths = OmegaConf.create({"data": {"max_prompt_length": 128, "max_response_length": 64}})
    >>> edge_grpo_row_tokens(_root_=lengths), edge_grpo_row_tokens(4096, _root_=lengths)
    (192, 4096)
    """
    return max(least, int(_root_.data.max_prompt_length + _root_.data.max_response_length))


def edge_grpo_vllm_executor(*, _root_: DictConfig) -> str | None:
    """Return "uni" if one process holds the whole policy; None, which verl takes for a process of each part, else.

    >>> from omegaconf import OmegaConf
    >>> rollout = {"tensor_model_parallel_size": 2, "pipeline_model_parallel_size": 1}
    >>> parallel = OmegaConf.create({"actor_rollout_ref": {"rollout": rollout}})
    >>> edge_grpo_vllm_executor(_root_=parallel) is None
    True
    >>> parallel.actor_rollout_ref.rollout.tensor_model_parallel_size = 1
    >>> edge_grpo_vllm_executor(_root_=parallel)
    'uni'
    """
    rollout = _root_.actor_rollout_ref.rollout
    num_parts = rollout.tensor_model_parallel_size * rollout.pipeline_model_parallel_size
    return "uni" if num_parts == 1 else None

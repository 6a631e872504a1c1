"""A seed for each response on the CPU: vLLM's engine dies of a seeded request whose prompt it reads in parts."""

import inspect

import pytest

from recipe.edge_grpo.run.config_checks import check_config

CHUNKED = "actor_rollout_ref.rollout.enable_chunked_prefill=true"


@pytest.mark.parametrize("name", ["edge_grpo", "grpo"])
def test_seeds_with_prompts_read_in_parts_are_refused_on_the_cpu(compose, name):
    with pytest.raises(ValueError) as refused:
        check_config(compose(f"+recipe={name}", "+profile=cpu", CHUNKED))
    for part in ("enable_chunked_prefill=True with edge_grpo.seeds_responses=True", "enable_chunked_prefill=False"):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    "overrides",
    [
        ["+profile=cpu"],
        ["+profile=cpu", CHUNKED, "edge_grpo.seeds_responses=false"],
        ["+profile=cpu", CHUNKED, "trainer.v1.trainer_mode=edge_grpo_colocate_async"],  # has no seeds
        [CHUNKED],  # with an accelerator
    ],
)
def test_what_has_no_seeds_or_an_accelerator_may_read_prompts_in_parts(compose, overrides):
    check_config(compose("+recipe=edge_grpo", *overrides))


def test_a_step_too_short_for_a_prompt_in_one_part_is_refused(compose):
    overrides = [
        "actor_rollout_ref.rollout.enable_chunked_prefill=false",
        "actor_rollout_ref.rollout.max_model_len=9000",
    ]
    with pytest.raises(ValueError) as refused:
        check_config(compose("+recipe=edge_grpo", *overrides))
    for part in ("max_num_batched_tokens=8192 with enable_chunked_prefill=False", "max_num_batched_tokens=9000"):
        assert part in str(refused.value)
    check_config(compose("+recipe=edge_grpo", *overrides, "actor_rollout_ref.rollout.max_num_batched_tokens=9000"))


@pytest.mark.parametrize(("length", "expected"), [(64, (192, 4096)), (8000, (8128, 8128))])
def test_on_the_cpu_a_step_holds_a_prompt_with_its_response(compose, length, expected):
    config = compose("+recipe=edge_grpo", "+profile=cpu", f"data.max_response_length={length}")
    rollout = config.actor_rollout_ref.rollout
    assert (rollout.max_model_len, rollout.max_num_batched_tokens) == expected
    check_config(config)


def test_verl_still_fails_where_it_means_to_raise_a_frozen_field():
    """Fails when verl mends it, and then the refusal can go."""
    import dataclasses

    from verl.workers.config import RolloutConfig

    config = RolloutConfig(name="vllm")
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.max_num_batched_tokens = 1


@pytest.mark.process
def test_vllm_still_sets_a_generator_back_and_one_on_the_cpu_still_cannot_be():
    """Fails when either of them mends it, and then the refusal can go."""
    import torch
    from vllm.v1.worker.gpu_model_runner import GPUModelRunner

    assert "gen.set_offset(gen.get_offset() - 4)" in inspect.getsource(GPUModelRunner)
    with pytest.raises(RuntimeError, match="CPU Generator does not use offset"):
        torch.Generator("cpu").set_offset(0)

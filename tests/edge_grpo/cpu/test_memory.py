"""The estimated peak memory of a run, by hand; what it bounds, and what is refused."""

import json

import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.cpu import memory, resolvers
from recipe.edge_grpo.cpu.memory import (
    MAX_TOKENS,
    ModelShape,
    bytes_per_token,
    check_memory,
    machine_bytes,
    peak_bytes,
    read_shape,
    tokens_that_fit,
)

# SmolLM2-135M: 49,152 words, 30 layers of 576 and 1,536, keys and values a third as wide as queries
SHAPE = ModelShape(49_152, 576, 1_536, 30, 1 / 3, True)
CONFIG = {
    "vocab_size": 49_152,
    "hidden_size": 576,
    "intermediate_size": 1_536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "tie_word_embeddings": True,
}
GB = 1_000_000_000


@pytest.fixture
def model(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


@pytest.fixture
def machine(monkeypatch):
    """machine(n): this machine has n bytes."""
    return lambda num_bytes: monkeypatch.setattr(memory, "machine_bytes", lambda: num_bytes)


def config(compose, model, *overrides):
    return compose("+recipe=edge_grpo", "+profile=cpu", f"actor_rollout_ref.model.path={model}", *overrides)


def test_parameters_are_those_of_the_model_without_its_norms():
    # 49,152 x 576 + 30 x ((2 + 2/3) x 576^2 + 3 x 576 x 1,536) = 28,311,552 + 30 x (884,736 + 2,654,208)
    assert SHAPE.num_parameters() == 134_479_872
    norms = (2 * 30 + 1) * 576
    assert SHAPE.num_parameters() + norms == 134_515_008  # as transformers counts them


def test_a_token_takes_logits_and_activations():
    # 4 x (6 x 49,152 + 30 x (12 x 576 + 5 x 1,536)) = 4 x (294,912 + 437,760)
    assert bytes_per_token(SHAPE) == 2_930_688
    # 4 x (294,912 + 30 x 576 + 14,592)
    assert bytes_per_token(SHAPE, has_checkpoints=True) == 1_307_136


def test_the_peak_has_fixed_costs_and_those_of_each_training_process():
    fixed = 7 * GB + 28 * 134_479_872
    assert peak_bytes(SHAPE, 0) == fixed
    assert peak_bytes(SHAPE, 100, num_processes=2) == fixed + 200 * 2_930_688


def test_verls_own_bound_is_many_times_this_machine():
    # 16,384 tokens: 48 GB of logits and activations
    assert peak_bytes(SHAPE, MAX_TOKENS) > 58 * GB


def test_the_bound_takes_half_of_what_is_left_in_multiples_of_256():
    # (24 - 7 - 3.765) GB / 2 / 2,930,688 = 2,257.9
    assert tokens_that_fit(SHAPE, 24 * GB) == 2_048
    # and half of that for each of two processes
    assert tokens_that_fit(SHAPE, 24 * GB, num_processes=2) == 1_024
    assert tokens_that_fit(SHAPE, 5 * GB) == 256
    assert tokens_that_fit(SHAPE, 10_000 * GB) == MAX_TOKENS


@pytest.mark.parametrize("num_bytes", [12 * GB, 24 * GB, 64 * GB])
@pytest.mark.parametrize("has_checkpoints", [False, True])
def test_what_fits_is_never_estimated_above_the_memory(num_bytes, has_checkpoints):
    num_tokens = tokens_that_fit(SHAPE, num_bytes, 1, has_checkpoints)
    assert peak_bytes(SHAPE, num_tokens, 1, has_checkpoints) <= num_bytes


def test_a_models_shape_is_read_from_its_folder(model):
    assert read_shape(str(model)) == SHAPE
    (model / "config.json").write_text(json.dumps({"text_config": CONFIG}))
    assert read_shape(str(model)) == SHAPE


@pytest.mark.parametrize("text", [None, "{", "{}", json.dumps({**CONFIG, "vocab_size": None, "hidden_size": None})])
def test_a_model_without_a_readable_shape_is_left_alone(tmp_path, compose, text, machine):
    machine(GB)
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    composed = config(compose, tmp_path)
    if text is None or len(text) < 3:
        assert composed.actor_rollout_ref.actor.ppo_max_token_len_per_gpu == MAX_TOKENS
        check_memory(composed)


def test_the_profile_bounds_the_tokens_of_a_micro_batch_by_the_model_and_the_machine(compose, model, machine):
    machine(24 * GB)
    composed = config(compose, model)
    assert composed.actor_rollout_ref.actor.ppo_max_token_len_per_gpu == 2_048
    assert composed.actor_rollout_ref.rollout.log_prob_max_token_len_per_gpu == 2_048
    assert composed.actor_rollout_ref.ref.log_prob_max_token_len_per_gpu == 2_048
    check_memory(composed)


def test_a_users_own_bound_wins(compose, model, machine):
    machine(24 * GB)
    composed = config(compose, model, "actor_rollout_ref.actor.ppo_max_token_len_per_gpu=512")
    assert composed.actor_rollout_ref.actor.ppo_max_token_len_per_gpu == 512


def test_the_bound_holds_at_least_one_whole_row(compose, model, machine):
    machine(15 * GB)
    # verl refuses to split a row: 2,048 + 1,024 tokens
    composed = config(compose, model, "data.max_prompt_length=2048", "data.max_response_length=1024")
    assert composed.actor_rollout_ref.actor.ppo_max_token_len_per_gpu == 3_072


def test_the_tiny_policy_of_the_quickstart_keeps_verls_own_bound(compose, untrained_model):
    composed = config(compose, untrained_model)
    assert composed.actor_rollout_ref.actor.ppo_max_token_len_per_gpu == MAX_TOKENS
    check_memory(composed)


def refusal(composed):
    with pytest.raises(ValueError) as refused:
        check_memory(composed)
    return str(refused.value)


def test_too_many_tokens_are_refused_with_the_number_that_fits(compose, model, machine):
    machine(24 * GB)
    message = refusal(config(compose, model, "actor_rollout_ref.actor.ppo_max_token_len_per_gpu=16384"))
    assert "actor_rollout_ref.actor.ppo_max_token_len_per_gpu=16384" in message
    assert "58.8 GB" in message and "24.0 GB" in message
    assert "set actor_rollout_ref.actor.ppo_max_token_len_per_gpu=2048" in message


def test_a_step_with_fewer_tokens_than_the_bound_is_not_refused(compose, model, machine):
    machine(24 * GB)
    # 2 prompts x 4 responses x 256 tokens = 2,048, whatever the bound
    overrides = ["data.train_batch_size=2", "actor_rollout_ref.rollout.n=4"]
    check_memory(config(compose, model, "actor_rollout_ref.actor.ppo_max_token_len_per_gpu=16384", *overrides))


def test_rows_of_a_fixed_micro_batch_are_counted_whole(compose, model, machine):
    machine(24 * GB)
    fixed = ["actor_rollout_ref.actor.use_dynamic_bsz=false"]
    # 8 x 256 tokens
    check_memory(config(compose, model, *fixed, "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=8"))
    message = refusal(config(compose, model, *fixed, "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=32"))
    assert "ppo_micro_batch_size_per_gpu=32: 8,192 tokens" in message
    assert "set actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=8" in message


def test_where_one_row_is_too_much_checkpointing_is_named_first_and_then_its_length(compose, model, machine):
    machine(15 * GB)
    long = ["data.max_prompt_length=1024", "data.max_response_length=1024"]
    # 10.77 GB fixed; 2,048 tokens take 6.0 GB, and 2.7 with checkpoints
    message = refusal(config(compose, model, *long))
    assert message.endswith("set actor_rollout_ref.model.enable_gradient_checkpointing=True")
    checkpointed = [*long, "actor_rollout_ref.model.enable_gradient_checkpointing=true"]
    check_memory(config(compose, model, *checkpointed))
    machine(11 * GB)
    assert "set data.max_response_length below 1024" in refusal(config(compose, model, *checkpointed))


def test_the_memory_of_this_machine_is_read_and_a_control_group_lowers_it():
    import psutil

    assert 0 < machine_bytes() <= psutil.virtual_memory().total


def test_the_resolver_may_be_registered_again():
    import omegaconf

    resolvers.register(omegaconf)
    assert OmegaConf.has_resolver("edge_grpo_tokens_that_fit")

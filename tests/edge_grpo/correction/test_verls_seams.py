"""Where the worker meets verl: what it takes from verl's classes and configuration, and what verl stores of it."""

import dataclasses
import types

import pytest
from support.error_correction import END, EOS, N42, WRONG

from recipe.edge_grpo.correction.record import RECORD_KEY, CorrectionRecord
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy


def test_verls_seams_have_the_shape_that_the_worker_extends():
    """Fails when verl changes what `rollout.py` overrides or calls."""
    import inspect

    from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopManagerTQ, AgentLoopWorkerTQ
    from verl.workers.rollout.replica import TokenOutput

    worker = AgentLoopWorkerTQ.__ray_actor_class__

    def parameters(method):
        # Ray may have added a parameter of its own to methods of an actor class.
        return [name for name in inspect.signature(method).parameters if not name.startswith("_ray")]

    assert parameters(worker._agent_loop_postprocess) == ["self", "output", "validate", "kwargs"]
    assert parameters(worker._run_agent_loop)[:3] == ["self", "sampling_params", "trajectory"]
    assert parameters(worker._compute_score) == ["self", "outputs", "kwargs"]
    assert {"token_ids", "log_probs", "extra_fields"} <= TokenOutput.model_fields.keys()
    source = inspect.getsource(worker._compute_score)
    assert "reward_score is None" in source  # setting it to None has the response scored again
    assert 'extra_fields["reward_extra_info"]' in source
    assert "agent_loop_workers_class" in inspect.getsource(AgentLoopManagerTQ.__mro__[1]._init_agent_loop_workers)


def test_the_worker_is_an_ordinary_class_with_an_init_of_its_own():
    """Ray cannot create an actor of a class derived from another actor's that has none."""
    import ray

    from recipe.edge_grpo.correction.rollout import EdgeGRPOAgentLoopWorker

    assert "__init__" in vars(EdgeGRPOAgentLoopWorker)
    assert hasattr(ray.remote(EdgeGRPOAgentLoopWorker), "remote")


@pytest.mark.parametrize(
    ("generation_config", "expected"),
    [(None, {EOS}), ({"eos_token_id": END}, {EOS, END}), ({"eos_token_id": [EOS, END]}, {EOS, END}), ({}, {EOS})],
)
def test_what_ends_a_response_is_the_tokenizers_eos_and_the_generation_configs(tokenizer, generation_config, expected):
    from recipe.edge_grpo.correction.rollout import _eos_token_ids

    model_config = types.SimpleNamespace(
        tokenizer=tokenizer,
        generation_config=None if generation_config is None else types.SimpleNamespace(**generation_config),
    )
    assert _eos_token_ids(model_config) == expected


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_the_record_survives_its_way_through_verls_storage(start, policy, response, strategy):
    run = start(strategy, policy(N42, EOS))
    stored = run.sample(response(WRONG, EOS))
    field = stored.as_dict()["extra_fields"][RECORD_KEY]
    assert CorrectionRecord(**field) == run.record
    assert dataclasses.asdict(run.record) == field
    assert stored.as_dict()["responses"].tolist() == stored.response_ids
    assert stored.as_dict()["rollout_log_probs"].tolist() == stored.response_logprobs
    assert stored.as_dict()["rm_scores"].tolist()[-1] == 1.25


@pytest.mark.parametrize(
    ("first_pass", "continuation", "expected"), [(4, 5, 5), (4, 3, 4), (4, None, 4), (None, 5, None)]
)
def test_the_newest_weights_that_wrote_any_part_are_reported(
    start, policy, response, first_pass, continuation, expected
):
    """verl drops what is too stale by this number."""
    run = start(Strategy.REFLECTION, policy(N42, EOS, extra_fields={"max_global_steps": continuation}))
    stored = run.sample(response(WRONG, extra_fields={"max_global_steps": first_pass}))
    assert stored.extra_fields["max_global_steps"] == expected

"""What the policy's server is asked for: bounds and sampling parameters of the first pass and of the continuation."""

import asyncio
import types

import pytest
from support.error_correction import EOS, N42, RESPONSE_LENGTH, SO, WAIT, WRONG

from recipe.edge_grpo.settings.choices import Strategy


@pytest.mark.parametrize(("validate", "expected"), [(False, 2), (True, None)])
def test_the_first_pass_is_bounded_in_training_only(start, response, validate, expected):
    run = start(Strategy.ANSWER, first_pass_max_tokens=2)
    shared_params = {"temperature": 0.6}
    run.sample(response(WRONG), validate=validate, sampling_params=shared_params)
    assert run.first_pass_params.get("max_tokens") == expected
    assert shared_params == {"temperature": 0.6}  # shared by all sessions of a prompt


def test_the_first_pass_bound_does_not_bound_the_continuation(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO), first_pass_max_tokens=2)
    run.sample(response(SO, WRONG))
    assert run.first_pass_params["max_tokens"] == 2
    assert run.policy.requests[0].sampling_params["max_tokens"] == RESPONSE_LENGTH - 3


def test_the_continuation_is_bounded_by_max_new_tokens(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO, SO, SO, SO), max_new_tokens=2)
    assert run.sample(response(WRONG, EOS)).response_ids == [WRONG, WAIT, SO, SO]
    assert run.policy.requests[0].sampling_params["max_tokens"] == 2


def test_a_server_that_returns_more_than_asked_for_is_cut(start, policy, response):
    class Generous(policy):
        async def generate(self, *, request_id, prompt_ids, sampling_params):
            return await super().generate(
                request_id=request_id, prompt_ids=prompt_ids, sampling_params={**sampling_params, "max_tokens": 99}
            )

    run = start(Strategy.REFLECTION, Generous(*[SO] * 50))
    stored = run.sample(response(WRONG, EOS))
    assert len(stored.response_ids) == RESPONSE_LENGTH
    assert len(stored.response_mask) == len(stored.response_logprobs) == RESPONSE_LENGTH


def test_sessions_that_run_at_a_time_keep_their_own_sampling_parameters(start, policy, response):
    run = start(Strategy.REFLECTION, policy(N42))
    row = {"uid": "u", "index": 0, "global_steps": 1, "reward_model": {"ground_truth": "42"}, "extra_info": None}

    async def sessions():
        run.agent_loop_output = response(WRONG)
        trajectory = {"validate": False}
        await asyncio.gather(
            *(
                asyncio.create_task(
                    run.worker._run_agent_loop({"temperature": t}, trajectory, agent_name="x", session_id=t, **row)
                )
                for t in (1, 2)
            )
        )

    # both share one output here; what counts is with which temperature each asked the policy
    run.worker._correct = lambda candidate: run.worker.corrector._continue(
        candidate, types.SimpleNamespace(tokens=types.SimpleNamespace(ids=[candidate.session])), 1
    )
    asyncio.run(sessions())
    assert {(r.prompt_ids[-1], r.sampling_params["temperature"]) for r in run.policy.requests} == {(1, 1), (2, 2)}

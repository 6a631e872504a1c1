"""What agent loops and reflections ask the policy's server with: its number, media, bounds and seeds."""

import asyncio
import inspect
import random
import types

import pytest
from support.error_correction import EOS, FIRST, N42, PLACE, RIGHT, SO, TWO, WAIT, WRONG, A, Q

from recipe.edge_grpo.correction.draws import DrawPlace
from recipe.edge_grpo.correction.record import Skipped, read_record
from recipe.edge_grpo.correction.sampling import NotingClient, SessionSampling, current_session
from recipe.edge_grpo.settings.choices import Strategy

IMAGE = object()


def test_a_reflection_is_asked_for_with_all_that_the_agent_loop_asked_with(start, policy, response):
    run = start(Strategy.REFLECTION, policy(N42, EOS))
    run.first_pass_arguments = {"image_data": [IMAGE], "mm_processor_kwargs": {"fps": 2}, "priority": 3}
    run.sample(response(WRONG, EOS, multi_modal_data={"images": [IMAGE]}), session=4)
    (request,) = run.policy.requests
    assert request.arguments == run.first_pass_arguments
    assert request.id == "of session 4"  # verl sends what has this number to the server that has its prefix
    assert request.prompt_ids == [Q, TWO, WRONG, WAIT]


def test_parameters_that_an_agent_loop_adds_hold_for_the_reflection(start, policy, response):
    run = start(Strategy.REFLECTION, policy(N42, EOS))

    async def run_agent_loop(row):
        params = {"temperature": 0.6, "stop_token_ids": [A]}
        await run.worker.llm_client.generate(request_id="mine", prompt_ids=[Q, TWO], sampling_params=params)
        return response(WRONG, EOS)

    run.first_pass_arguments, run.first_pass_of = None, run_agent_loop
    run.sample(None)
    assert run.policy.requests[0].sampling_params["stop_token_ids"] == [A]
    assert run.policy.requests[0].id == "mine"


def test_where_the_agent_loop_samples_elsewhere_reflection_is_skipped_and_the_answer_is_not(start, policy, response):
    for strategy, skipped in ((Strategy.REFLECTION, Skipped.NOT_SAMPLED_BY_POLICY_CLIENT), (Strategy.ANSWER, None)):
        run = start(strategy, policy(N42, EOS))
        run.first_pass_arguments = None
        stored = run.sample(response(WRONG, EOS))
        assert run.record.skipped is skipped
        assert run.policy.requests == []
        assert (stored.response_ids == [WRONG, EOS]) is (skipped is not None)


@pytest.mark.parametrize(
    ("media", "mask", "skipped"),
    [
        ({"images": [IMAGE]}, [1, 1], None),  # in the prompt, which stays
        ({"images": [IMAGE]}, [1, 0], Skipped.MEDIA_IN_RESPONSE),  # a tool may have answered with it
        ({}, [1, 0], None),
        (None, [1, 0], None),
    ],
)
def test_a_solution_does_not_take_the_place_of_a_response_with_images(start, response, media, mask, skipped):
    """verl computes the inputs of the images of an output, for tokens that would be gone."""
    run = start(Strategy.SOLUTION)
    stored = run.sample(response(WRONG, SO, mask=mask, multi_modal_data=media))
    assert run.record.skipped is skipped
    assert (stored.response_ids == [WRONG, SO]) is (skipped is not None)
    assert stored.multi_modal_data == media


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("scope", ["response", "group"])
def test_the_first_pass_is_asked_for_alike_with_and_without_correction(start, response, enabled, scope):
    run = start(enabled=enabled, scope=scope, first_pass_max_tokens=3, seeds_responses=True)
    run.sample_group([response(RIGHT, EOS)] * 2)
    # reference: the documented draw
    seeds = [random.Random(f"0/3/5/{session}/sampling/first_pass/0").getrandbits(63) for session in range(2)]
    assert [request.sampling_params for request in run.first_pass_server.requests] == [
        {"temperature": 0.6, "logprobs": True, "max_tokens": 3, "seed": seed} for seed in seeds
    ]


def test_validation_is_asked_for_as_verl_asks(start, response):
    run = start(Strategy.REFLECTION, first_pass_max_tokens=3, seeds_responses=True)
    run.sample(response(WRONG, EOS), validate=True, sampling_params={"temperature": 0})
    assert run.first_pass_server.requests[0].sampling_params == {"temperature": 0}
    assert run.first_pass_server.requests[0].id == "of session 0"


def test_every_request_of_a_group_has_a_seed_of_its_own(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO, EOS), seeds_responses=True, reflection_rounds=2)
    run.sample_group([response(FIRST, WRONG, EOS) for _ in range(4)])
    requests = run.first_pass_server.requests + run.policy.requests
    assert len({request.sampling_params["seed"] for request in requests}) == len(requests) == 4 + 2 * 4
    seed = random.Random("0/3/5/0/sampling/reflection/1").getrandbits(63)
    first_sessions = [request for request in run.policy.requests if request.id == "of session 0"]
    assert first_sessions[1].sampling_params["seed"] == seed


def test_without_seeds_no_request_has_one(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO, EOS), seeds_responses=False)
    run.sample(response(WRONG, EOS))
    requests = run.first_pass_server.requests + run.policy.requests
    assert len(requests) == 2 and not any("seed" in request.sampling_params for request in requests)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["trainer.v1.trainer_mode=edge_grpo_sync"], True),
        (["trainer.v1.trainer_mode=sync"], True),  # what the mixin makes of it; and verl's own trainer
        (["trainer.v1.trainer_mode=edge_grpo_colocate_async"], False),
        (["trainer.v1.trainer_mode=separate_async"], False),
        (["actor_rollout_ref.rollout.name=sglang"], False),
        (["edge_grpo.seeds_responses=false"], False),
    ],
)
def test_responses_are_seeded_with_vllm_and_the_synchronous_trainer(compose, overrides, expected):
    from recipe.edge_grpo.correction.sampling import should_seed_responses
    from recipe.edge_grpo.settings.block import read_settings

    config = compose("+recipe=edge_grpo", *overrides)
    assert should_seed_responses(config, read_settings(config)) is expected


def of_session(**changes):
    fields = {"group_size": 8, "session": 2, "max_tokens": 6, "seed_place": DrawPlace(7, 1, 9)}
    return SessionSampling(**fields | changes)


def test_the_turns_of_a_session_share_the_bound_and_have_seeds_of_their_own():
    sampling = of_session()
    params = [sampling.prepare({"max_tokens": 6, "top_p": 1.0}, length) for length in (10, 13, 15, 16, 40)]
    # 6 less what stands behind the first prompt of 10: the policy's turns and the tools' answers
    assert [turn["max_tokens"] for turn in params] == [6, 3, 1, 1, 1]
    seeds = [random.Random(f"7/1/9/2/sampling/first_pass/{turn}").getrandbits(63) for turn in range(5)]
    assert [turn["seed"] for turn in params] == seeds
    assert all(turn["top_p"] == 1.0 for turn in params)


def test_a_tighter_bound_and_a_seed_of_the_agent_loop_win():
    assert of_session().prepare({"max_tokens": 2, "seed": 5}, 10) == {"max_tokens": 2, "seed": 5}
    assert of_session(max_tokens=None, seed_place=None).prepare({"max_tokens": 2}, 10) == {"max_tokens": 2}
    assert of_session(max_tokens=None, seed_place=None).prepare({}, 10) == {}


def test_the_client_is_verls_in_all_else():
    verls = types.SimpleNamespace(config="configuration", generate=None)
    assert NotingClient(verls).config == "configuration"
    with pytest.raises(AttributeError):
        getattr(NotingClient(verls), "other")  # noqa: B009


class Server:
    """Answers with the turns given, one after the other, and remembers with what it was asked."""

    def __init__(self, *turns):
        self.turns, self.requests = list(turns), []

    async def generate(self, **request):
        from verl.workers.rollout.replica import TokenOutput

        self.requests.append(request)
        return TokenOutput(token_ids=self.turns.pop(0))


def agent_loop(loop_class, server, **attributes):
    """An agent loop of verl's without tokenizer and tools: turns are merged by putting them one behind the other."""
    loop = object.__new__(loop_class)
    loop.server_manager, loop.response_length = NotingClient(server), 20
    loop.rollout_config = types.SimpleNamespace(full_determinism=False)

    async def media(messages):
        return {"images": [IMAGE]}

    async def initial(messages, **media):
        return [Q, TWO]

    async def merge(runtime_ids, turn_ids, mask, log_probs, assistant_logprobs=None):
        merged = types.SimpleNamespace(token_ids=[*runtime_ids, *turn_ids])
        return merged, [*mask, *[1] * len(turn_ids)], None

    loop.process_multi_modal_info, loop.ct_build_initial_tokens = media, initial
    loop.ct_merge_assistant_token = merge
    loop._get_mm_processor_kwargs = lambda audios: {"fps": 2}
    loop._assert_mm_supported = lambda has_media: None
    loop.build_sglang_video_payload = lambda videos, inputs: None
    for name, value in attributes.items():
        setattr(loop, name, value)
    return loop


def test_verls_single_turn_loop_is_noted_with_its_images():
    from verl.experimental.agent_loop.single_turn_agent_loop import SingleTurnAgentLoop

    server, sampling = Server([SO, EOS]), of_session()
    current_session.set(sampling)
    try:
        output = asyncio.run(agent_loop(SingleTurnAgentLoop, server).run({"temperature": 0.6}, raw_prompt=["?"]))
    finally:
        current_session.set(None)
    (request,) = server.requests
    assert output.response_ids == [SO, EOS]
    assert sampling.latest_request == {name: value for name, value in request.items() if name != "prompt_ids"}
    assert (request["image_data"], request["mm_processor_kwargs"]) == ([IMAGE], {"fps": 2})
    assert request["sampling_params"]["max_tokens"] == 6 and request["sampling_params"]["temperature"] == 0.6
    assert request["request_id"]


def test_the_turns_of_verls_tool_loop_are_bounded_together():
    from verl.experimental.agent_loop.tool_agent_loop import AgentData, AgentState, ToolAgentLoop

    server, sampling = Server([SO, SO, SO], [SO, SO]), of_session()

    async def no_tool_calls(ids, tools):
        return "", []

    loop = agent_loop(
        ToolAgentLoop,
        server,
        tool_parser=types.SimpleNamespace(stop_token_ids=[A], extract_tool_calls=no_tool_calls),
        max_assistant_turns=None,
        max_user_turns=None,
        tools={},
        max_parallel_calls=1,
    )
    data = AgentData([], None, None, None, {}, {}, "number", {})
    data.prompt_ids = [Q, TWO]
    params = {"max_tokens": 6}

    async def two_turns():
        await loop._handle_generating_state(data, params)
        data.prompt_ids.append(TWO)  # what a tool answers
        data.response_mask.append(0)
        return await loop._handle_generating_state(data, params)

    current_session.set(sampling)
    try:
        assert asyncio.run(two_turns()) is AgentState.TERMINATED
    finally:
        current_session.set(None)
    # 3 tokens of the first turn and 1 of the tool are taken of 6
    assert [request["sampling_params"]["max_tokens"] for request in server.requests] == [6, 2]
    assert sampling.latest_request["sampling_params"]["stop_token_ids"] == [A]
    assert {request["request_id"] for request in server.requests} == {"number"}


def test_verls_client_takes_what_the_noting_client_passes_on():
    """Fails when verl changes there."""
    from verl.workers.rollout.llm_server import FullyAsyncLLMServerClient, LLMServerClient

    for client in (LLMServerClient, FullyAsyncLLMServerClient):
        parameters = inspect.signature(client.generate).parameters
        assert list(parameters)[:4] == ["self", "request_id", "prompt_ids", "sampling_params"]
        assert parameters["kwargs"].kind is inspect.Parameter.VAR_KEYWORD


def test_verls_router_still_sends_a_number_to_the_server_that_had_it():
    """Why a reflection takes the session's number. Fails when verl changes there."""
    from verl.workers.rollout.router import GlobalRequestLoadBalancer

    router = GlobalRequestLoadBalancer({str(number): number for number in range(20)})
    chosen = {router.acquire_server("of a session")[0] for _ in range(20)}
    assert len(chosen) == 1


def test_verls_v1_trainer_still_numbers_all_requests_alike_under_full_determinism():
    """Why that is refused; may go when verl gives sessions a priority there."""
    import verl.trainer.ppo.v1.agent_loop_tq as agent_loop_tq
    import verl.trainer.ppo.v1.trainer_base as trainer_base
    from verl.experimental.agent_loop.single_turn_agent_loop import SingleTurnAgentLoop

    assert 'f"det-{priority}"' in inspect.getsource(SingleTurnAgentLoop.run)
    assert not any("priority" in inspect.getsource(module) for module in (agent_loop_tq, trainer_base))


def test_seeds_are_where_the_draws_are():
    assert of_session(seed_place=PLACE).seed_of("reflection", 1) == {
        "seed": random.Random("0/3/5/2/sampling/reflection/1").getrandbits(63)
    }


def test_a_session_keeps_its_request_from_others_that_run_at_a_time(start, policy, response):
    """Each session is a task: what one loop asks with is not what another's reflection asks with."""
    run = start(Strategy.REFLECTION, policy(N42, EOS))
    stored = run.sample_group([response(WRONG, EOS) for _ in range(3)])
    assert sorted(request.id for request in run.policy.requests) == [f"of session {number}" for number in range(3)]
    assert all(read_record(output.extra_fields).strategy is Strategy.REFLECTION for output in stored.values())

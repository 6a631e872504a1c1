"""Error correction while sampling, in verl's own agent-loop worker without Ray.

Stubbed is only what costs an accelerator or an actor: the policy's server (`llm_client.generate`) and the reward
workers (`_compute_score`). verl's storing (`_agent_loop_postprocess`) and running of an agent loop are replaced by
recorders.
"""

import asyncio
import dataclasses
import functools
import json
import types

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from recipe.edge_grpo.correction import Strategy, draw_strategy
from recipe.edge_grpo.diagnostics import RECORD_KEY, CorrectionRecord, Skipped
from recipe.edge_grpo.settings import parse_settings

VOCABULARY = [
    "<unk>",
    "<eos>",
    "<end>",
    "<pad>",
    "Q",
    "wrong",
    "right",
    "Wait",
    "answer:",
    "42",
    "43",
    "so",
    "secret",
    "2",
    "a",
]
UNK, EOS, END, PAD, Q, WRONG, RIGHT, WAIT, ANSWER, N42, N43, SO, SECRET, TWO, A = range(len(VOCABULARY))
RESPONSE_LENGTH = 8


@functools.cache
def tiny_tokenizer():
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(VOCABULARY)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>", unk_token="<unk>")


def settings(only=None, **gec):
    """Settings of which `only` is the strategy always drawn; the paper's probabilities otherwise."""
    shares = {"reflection": 0.5, "answer": 0.25, "solution": 0.25}
    if only is not None:
        shares = {strategy.value: float(strategy == only) for strategy in Strategy}
    return parse_settings(
        {
            "seed": 0,
            "replay_poll_seconds": 2.0,
            "eda": {"enabled": True, "clip": None},
            "gec": {
                "enabled": True,
                "probabilities": shares,
                "reflection_text": " Wait",
                "answer_text": " Wait answer: {answer}",
                "max_new_tokens": 256,
                "first_pass_max_tokens": None,
                "max_prompt_tokens": None,
                "accuracy_key": "acc",
            }
            | gec,
        }
    )


class Policy:
    """Stands for the policy's server: continues with fixed tokens and remembers what it was asked."""

    def __init__(self, *ids, log_probs=True, error=None, extra_fields=None):
        self.ids, self.log_probs, self.error, self.extra_fields = list(ids), log_probs, error, extra_fields or {}
        self.requests = []

    async def generate(self, *, request_id, prompt_ids, sampling_params):
        from verl.workers.rollout.replica import TokenOutput

        self.requests.append(
            types.SimpleNamespace(id=request_id, prompt_ids=prompt_ids, sampling_params=sampling_params)
        )
        if self.error is not None:
            raise self.error
        ids = self.ids[: sampling_params["max_tokens"]]
        return TokenOutput(
            token_ids=ids,
            log_probs=[-0.5] * len(ids) if self.log_probs else None,
            extra_fields=self.extra_fields,
        )


def is_right(output):
    return RIGHT in output.response_ids or N42 in output.response_ids


class Run:
    """One worker and what happened in it."""

    def __init__(self, worker, policy):
        self.worker, self.policy = worker, policy
        self.stored = None
        self.scored = []
        self.first_pass_params = None

    def sample(self, output, *, validate=False, sampling_params=None, session=0, index=5, global_steps=3, **row):
        """Let the agent loop return `output` for a row of the dataset; returns what reaches verl's storing."""
        row = {
            "uid": "u",
            "session_id": session,
            "index": index,
            "global_steps": global_steps,
            "reward_model": {"ground_truth": "42"},
            "extra_info": {"solution": "secret so 42"},
        } | row
        self.agent_loop_output = output
        trajectory = {"validate": validate, "step": global_steps, "sample_index": index, "rollout_n": session}
        params = {"temperature": 0.6, "top_p": 0.9, "logprobs": True} if sampling_params is None else sampling_params
        asyncio.run(self.worker._run_agent_loop(params, trajectory, agent_name="single_turn_agent", **row))
        return self.stored

    @property
    def record(self):
        return CorrectionRecord(**self.stored.extra_fields[RECORD_KEY])


@pytest.fixture
def start(monkeypatch):
    """start(settings, policy): a worker without Ray, over recorders instead of verl's storing and agent loops."""
    from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopWorkerTQ

    from recipe.edge_grpo.rollout import EdgeGRPOAgentLoopWorker

    verls_worker = AgentLoopWorkerTQ.__ray_actor_class__
    runs = {}

    async def run_agent_loop(worker, sampling_params, trajectory, **row):
        run = runs[id(worker)]
        run.first_pass_params = sampling_params
        await asyncio.sleep(0)  # sampling takes time: other sessions start meanwhile
        return await worker._agent_loop_postprocess(run.agent_loop_output, trajectory["validate"], **row)

    async def agent_loop_postprocess(worker, output, validate, **row):
        await worker._compute_score(output if isinstance(output, list) else [output], kwargs=row)
        runs[id(worker)].stored = output

    monkeypatch.setattr(verls_worker, "_run_agent_loop", run_agent_loop)
    monkeypatch.setattr(verls_worker, "_agent_loop_postprocess", agent_loop_postprocess)

    def start(settings, policy=None, accuracy_of=is_right, reports_accuracy=True, eos_token_ids=(EOS, END)):
        worker = object.__new__(EdgeGRPOAgentLoopWorker)
        run = runs[id(worker)] = Run(worker, policy or Policy())

        async def compute_score(outputs, kwargs):
            """As verl's: only what has no score is scored."""
            output = outputs[-1]
            if output.reward_score is None:
                run.scored.append((list(output.response_ids), json.dumps(output.extra_fields)))
                accuracy = float(accuracy_of(output))
                output.reward_score = accuracy + 0.25  # a reward that is not the accuracy
                output.extra_fields["reward_extra_info"] = {"acc": accuracy} if reports_accuracy else {}

        worker.edge_grpo_settings = settings
        worker.tokenizer = tiny_tokenizer()
        worker.eos_token_ids = frozenset(eos_token_ids)
        worker.rollout_config = types.SimpleNamespace(response_length=RESPONSE_LENGTH)
        worker.llm_client = run.policy
        worker._compute_score = compute_score
        return run

    return start


def response(*ids, prompt=(Q, TWO), log_probs=True, mask=None, **fields):
    from verl.experimental.agent_loop import AgentLoopOutput

    return AgentLoopOutput(
        prompt_ids=list(prompt),
        response_ids=list(ids),
        response_mask=list(mask or [1] * len(ids)),
        response_logprobs=[-float(token_id) for token_id in ids] if log_probs else None,
        num_turns=2,
        metrics={},
        **{"extra_fields": {"turn_scores": []}} | fields,
    )


def test_validation_passes_through_untouched(start):
    run = start(settings(Strategy.ANSWER, first_pass_max_tokens=2))
    output = response(WRONG, EOS)
    before = output.model_copy(deep=True)
    params = {"temperature": 0, "top_p": 1.0}
    stored = run.sample(output, validate=True, sampling_params=params)
    assert stored is output
    assert (stored.response_ids, stored.response_mask) == (before.response_ids, before.response_mask)
    assert stored.response_logprobs == before.response_logprobs
    assert RECORD_KEY not in stored.extra_fields
    assert run.first_pass_params == {"temperature": 0, "top_p": 1.0}
    assert len(run.scored) == 1  # by verl, once
    assert run.policy.requests == []


def test_with_correction_off_training_passes_through_untouched(start):
    run = start(settings(Strategy.ANSWER, enabled=False, first_pass_max_tokens=2))
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, EOS]
    assert RECORD_KEY not in stored.extra_fields
    assert "max_tokens" not in run.first_pass_params


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_correct_response_keeps_exactly_the_sampled_tokens_and_is_scored_once(start, strategy):
    run = start(settings(strategy), Policy(SO, N42, EOS))
    stored = run.sample(response(SO, RIGHT, UNK, EOS, END))
    assert stored.response_ids == [SO, RIGHT, UNK, EOS, END]
    assert stored.response_mask == [1] * 5
    assert stored.response_logprobs == [-float(SO), -float(RIGHT), -0.0, -float(EOS), -float(END)]
    assert stored.reward_score == 1.25
    assert run.record == CorrectionRecord(first_pass_reward=1.25, first_pass_accuracy=1.0)
    assert len(run.scored) == 1
    assert run.policy.requests == []


def test_reflection_lets_the_policy_continue_its_own_tokens(start):
    run = start(settings(Strategy.REFLECTION), Policy(SO, N42, EOS))
    stored = run.sample(response(SO, WRONG, EOS))
    assert stored.response_ids == [SO, WRONG, WAIT, SO, N42, EOS]
    assert stored.response_mask == [1] * 6
    # sampled, injected (no log-probability), continued
    assert stored.response_logprobs == [-float(SO), -float(WRONG), 0.0, -0.5, -0.5, -0.5]
    (request,) = run.policy.requests
    assert request.prompt_ids == [Q, TWO, SO, WRONG, WAIT]
    # everything as in the first pass; 3 of 8 tokens are taken
    assert request.sampling_params == {"temperature": 0.6, "top_p": 0.9, "logprobs": True, "max_tokens": 5}
    assert run.record == CorrectionRecord(
        0.25, 0.0, Strategy.REFLECTION, injected_start=2, injected_end=3, tokens_regenerated=3
    )


def test_the_continuation_is_bounded_by_max_new_tokens(start):
    run = start(settings(Strategy.REFLECTION, max_new_tokens=2), Policy(SO, SO, SO, SO))
    assert run.sample(response(WRONG, EOS)).response_ids == [WRONG, WAIT, SO, SO]
    assert run.policy.requests[0].sampling_params["max_tokens"] == 2


def test_a_server_that_returns_more_than_asked_for_is_cut(start):
    class Generous(Policy):
        async def generate(self, *, request_id, prompt_ids, sampling_params):
            return await super().generate(
                request_id=request_id, prompt_ids=prompt_ids, sampling_params={**sampling_params, "max_tokens": 99}
            )

    run = start(settings(Strategy.REFLECTION), Generous(*[SO] * 50))
    stored = run.sample(response(WRONG, EOS))
    assert len(stored.response_ids) == RESPONSE_LENGTH
    assert len(stored.response_mask) == len(stored.response_logprobs) == RESPONSE_LENGTH


def test_the_first_pass_bound_does_not_bound_the_continuation(start):
    run = start(settings(Strategy.REFLECTION, first_pass_max_tokens=2), Policy(SO))
    run.sample(response(SO, WRONG))
    assert run.first_pass_params["max_tokens"] == 2
    assert run.policy.requests[0].sampling_params["max_tokens"] == RESPONSE_LENGTH - 3


def test_answer_appends_the_text_with_the_ground_truth_and_eos(start):
    run = start(settings(Strategy.ANSWER))
    stored = run.sample(response(SO, WRONG, EOS))
    assert stored.response_ids == [SO, WRONG, WAIT, ANSWER, N42, EOS]
    assert stored.response_mask == [1] * 6
    assert stored.response_logprobs == [-float(SO), -float(WRONG), 0.0, 0.0, 0.0, 0.0]
    assert run.record == CorrectionRecord(0.25, 0.0, Strategy.ANSWER, injected_start=2, injected_end=6)
    assert run.policy.requests == []


@pytest.mark.parametrize("ground_truth", ["42", 42, ["42", "43"], ("42",)])
def test_the_answer_is_the_ground_truth_or_its_first_alternative(start, ground_truth):
    run = start(settings(Strategy.ANSWER))
    stored = run.sample(response(WRONG), reward_model={"ground_truth": ground_truth})
    assert stored.response_ids == [WRONG, WAIT, ANSWER, N42, EOS]


def test_solution_replaces_the_response_and_ends_with_eos(start):
    run = start(settings(Strategy.SOLUTION))
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [SECRET, SO, N42, EOS]
    assert stored.response_mask == [1] * 4
    assert stored.response_logprobs == [0.0] * 4
    assert run.record == CorrectionRecord(0.25, 0.0, Strategy.SOLUTION, injected_start=0, injected_end=4)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_run_without_log_probabilities_stays_without(start, strategy):
    run = start(settings(strategy), Policy(N42, EOS, log_probs=False))
    stored = run.sample(response(WRONG, EOS, log_probs=False))
    assert stored.response_logprobs is None
    assert len(stored.response_mask) == len(stored.response_ids)


def test_a_truncated_response_is_continued_as_it_is(start):
    run = start(settings(Strategy.REFLECTION), Policy(N42, EOS))
    assert run.sample(response(SO, WRONG)).response_ids == [SO, WRONG, WAIT, N42, EOS]


def test_every_token_that_ends_a_response_is_dropped_before_more_is_said(start):
    run = start(settings(Strategy.ANSWER))
    assert run.sample(response(WRONG, END, EOS)).response_ids == [WRONG, WAIT, ANSWER, N42, EOS]


def test_tokens_of_a_tool_stay_out_of_the_loss(start):
    run = start(settings(Strategy.ANSWER))
    stored = run.sample(response(SO, TWO, WRONG, EOS, mask=[1, 0, 1, 1]))
    assert stored.response_mask == [1, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_corrected_response_is_scored_again_by_verl(start, strategy):
    run = start(settings(strategy), Policy(N42, EOS))
    stored = run.sample(response(WRONG, EOS))
    assert [ids for ids, _ in run.scored] == [[WRONG, EOS], stored.response_ids]
    assert stored.reward_score == 1.25
    assert stored.extra_fields["reward_extra_info"] == {"acc": 1.0}
    assert (run.record.first_pass_reward, run.record.first_pass_accuracy) == (0.25, 0.0)


def test_a_correction_that_fails_again_is_kept_with_its_new_score(start):
    run = start(settings(Strategy.REFLECTION), Policy(WRONG, EOS))
    stored = run.sample(response(SO, EOS))
    assert stored.response_ids == [SO, WAIT, WRONG, EOS]
    assert stored.reward_score == 0.25


@pytest.mark.parametrize("extra_info", [None, {}, {"solution": None}, {"solution": ""}])
def test_a_missing_solution_falls_back_to_the_answer_and_is_recorded(start, extra_info):
    run = start(settings(Strategy.SOLUTION))
    stored = run.sample(response(WRONG, EOS), extra_info=extra_info)
    assert stored.response_ids == [WRONG, WAIT, ANSWER, N42, EOS]
    assert run.record.strategy is Strategy.ANSWER
    assert run.record.answer_for_missing_solution


def test_a_row_without_extra_info_can_be_corrected(start):
    from recipe.edge_grpo.rollout import EdgeGRPOAgentLoopWorker

    run = start(settings(Strategy.SOLUTION))
    row = {"uid": "u", "session_id": 0, "global_steps": 1, "reward_model": {"ground_truth": "42"}}
    output = response(WRONG)
    asyncio.run(EdgeGRPOAgentLoopWorker._agent_loop_postprocess(run.worker, output, False, **row))
    assert output.response_ids == [WRONG, WAIT, ANSWER, N42, EOS]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_prompt_beyond_the_gate_is_not_corrected(start, strategy):
    run = start(settings(strategy, max_prompt_tokens=3), Policy(N42))
    stored = run.sample(response(WRONG, EOS, prompt=(Q, A, A, A)))
    assert stored.response_ids == [WRONG, EOS]
    assert run.record == CorrectionRecord(0.25, 0.0, skipped=Skipped.PROMPT_TOO_LONG)
    assert len(run.scored) == 1
    assert run.sample(response(WRONG, EOS, prompt=(Q, A, A))).response_ids != [WRONG, EOS]


@pytest.mark.parametrize(
    ("strategy", "first_pass", "solution"),
    [
        (Strategy.REFLECTION, [WRONG] * 7, "42"),  # 7 + 1 injected = 8: no room to continue
        (Strategy.ANSWER, [WRONG] * 5, "42"),  # 5 + 3 injected + EOS = 9
        (Strategy.SOLUTION, [WRONG], "a a a a a a a 42"),  # 8 + EOS = 9
    ],
)
def test_without_room_the_original_is_kept_and_counted(start, strategy, first_pass, solution):
    run = start(settings(strategy), Policy(N42))
    stored = run.sample(response(*first_pass), extra_info={"solution": solution})
    assert stored.response_ids == first_pass
    assert stored.response_logprobs == [-float(WRONG)] * len(first_pass)
    assert run.record == CorrectionRecord(0.25, 0.0, skipped=Skipped.NO_ROOM)
    assert run.policy.requests == []
    assert len(run.scored) == 1


@pytest.mark.parametrize("error", [RuntimeError("server died"), ValueError("context length"), TimeoutError()])
def test_a_failing_server_keeps_the_original_and_leaves_its_cause_in_the_log(start, caplog, error):
    run = start(settings(Strategy.REFLECTION), Policy(error=error))
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, EOS]
    assert stored.response_logprobs == [-float(WRONG), -float(EOS)]
    assert stored.reward_score == 0.25
    assert run.record == CorrectionRecord(0.25, 0.0, skipped=Skipped.GENERATION_FAILED)
    assert any(entry.exc_info and entry.exc_info[1] is error for entry in caplog.records)


def test_cancelling_a_session_is_not_taken_for_a_failing_server(start):
    run = start(settings(Strategy.REFLECTION), Policy(error=asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        run.sample(response(WRONG, EOS))


def test_an_empty_continuation_keeps_the_original(start):
    run = start(settings(Strategy.REFLECTION), Policy())
    assert run.sample(response(WRONG, EOS)).response_ids == [WRONG, EOS]
    assert run.record.skipped is Skipped.GENERATION_FAILED


def test_draws_depend_on_the_place_in_the_run_and_not_on_the_order(start):
    places = [(step, index, session) for step in (1, 2) for index in (0, 9) for session in range(8)]

    def drawn(places):
        run = start(settings(), Policy(N42))
        strategies = {}
        for step, index, session in places:
            run.sample(response(WRONG), global_steps=step, index=index, session=session)
            strategies[step, index, session] = run.record.strategy
        return strategies

    in_order = drawn(places)
    assert drawn(places[::-1]) == in_order
    assert drawn(places[20:]) == {place: in_order[place] for place in places[20:]}  # resumed in the second step
    assert len(set(in_order.values())) == 3
    shares = settings().gec.probabilities
    assert in_order == {place: draw_strategy(shares, 0, *place) for place in places}


@pytest.mark.parametrize(("validate", "expected"), [(False, 2), (True, None)])
def test_the_first_pass_is_bounded_in_training_only(start, validate, expected):
    run = start(settings(Strategy.ANSWER, first_pass_max_tokens=2))
    shared_params = {"temperature": 0.6}
    run.sample(response(WRONG), validate=validate, sampling_params=shared_params)
    assert run.first_pass_params.get("max_tokens") == expected
    assert shared_params == {"temperature": 0.6}  # shared by all sessions of a prompt


def test_sessions_that_run_at_a_time_keep_their_own_sampling_parameters(start):
    run = start(settings(Strategy.REFLECTION), Policy(N42))
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
    run.worker._correct = lambda output, row: run.worker._continuation(
        output, types.SimpleNamespace(ids=[int(row["session_id"])])
    )
    asyncio.run(sessions())
    assert {(r.prompt_ids[-1], r.sampling_params["temperature"]) for r in run.policy.requests} == {(1, 1), (2, 2)}


def test_several_outputs_of_a_session_are_left_alone(start):
    run = start(settings(Strategy.ANSWER))
    outputs = [response(WRONG, EOS), response(WRONG, WRONG, EOS)]
    stored = run.sample(outputs)
    assert stored is outputs
    assert [output.response_ids for output in stored] == [[WRONG, EOS], [WRONG, WRONG, EOS]]
    assert all(RECORD_KEY not in output.extra_fields for output in stored)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_reward_function_never_sees_the_solution_beside_the_response(start, strategy):
    run = start(settings(strategy), Policy(N42, EOS))
    stored = run.sample(response(WRONG, EOS))
    for _, extra_fields in run.scored:
        assert "secret" not in extra_fields
    assert "secret" not in json.dumps(stored.extra_fields)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_record_survives_its_way_through_verls_storage(start, strategy):
    run = start(settings(strategy), Policy(N42, EOS))
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
def test_the_newest_weights_that_wrote_any_part_are_reported(start, first_pass, continuation, expected):
    """verl drops what is too stale by this number."""
    run = start(settings(Strategy.REFLECTION), Policy(N42, EOS, extra_fields={"max_global_steps": continuation}))
    stored = run.sample(response(WRONG, extra_fields={"max_global_steps": first_pass}))
    assert stored.extra_fields["max_global_steps"] == expected


def test_the_accuracy_decides_and_not_the_reward(start):
    run = start(settings(Strategy.ANSWER))  # a wrong response is rewarded with 0.25 here, for its format say
    run.sample(response(WRONG))
    assert run.record.strategy is Strategy.ANSWER


def test_without_a_reported_accuracy_the_reward_decides(start):
    run = start(settings(Strategy.ANSWER), reports_accuracy=False)
    run.sample(response(WRONG))  # rewarded with 0.25
    assert run.record == CorrectionRecord(0.25, 0.25)


def test_a_response_that_its_agent_loop_has_scored_is_judged_by_that_score(start):
    """verl supports this: `_compute_score` leaves such a response alone, so there is no `reward_extra_info`."""
    run = start(settings(Strategy.ANSWER))
    stored = run.sample(response(WRONG, EOS, reward_score=1.0))
    assert stored.response_ids == [WRONG, EOS]
    assert run.record == CorrectionRecord(1.0, 1.0)


@pytest.mark.parametrize(
    ("generation_config", "expected"),
    [(None, {EOS}), ({"eos_token_id": END}, {EOS, END}), ({"eos_token_id": [EOS, END]}, {EOS, END}), ({}, {EOS})],
)
def test_what_ends_a_response_is_the_tokenizers_eos_and_the_generation_configs(generation_config, expected):
    from recipe.edge_grpo.rollout import _eos_token_ids

    model_config = types.SimpleNamespace(
        tokenizer=tiny_tokenizer(),
        generation_config=None if generation_config is None else types.SimpleNamespace(**generation_config),
    )
    assert _eos_token_ids(model_config) == expected


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

    from recipe.edge_grpo.rollout import EdgeGRPOAgentLoopWorker

    assert "__init__" in vars(EdgeGRPOAgentLoopWorker)
    assert hasattr(ray.remote(EdgeGRPOAgentLoopWorker), "remote")

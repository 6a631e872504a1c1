"""How the sessions of a worker end: what was lost is counted by its cause, with its first error."""

import asyncio
import types

import pytest
from support.error_correction import END, EOS, RIGHT, SO, WRONG

from recipe.edge_grpo.correction.failure import UnreportedKeyError
from recipe.edge_grpo.correction.sessions import LossCause, SessionCounts, cause_of, error_text


def counts_of(run, is_validation=False):
    return asyncio.run(run.worker.take_session_counts())[is_validation]


def raised_by(coroutine):
    with pytest.raises(Exception) as caught:
        asyncio.run(coroutine)
    return caught.value


@pytest.mark.parametrize("enabled", [True, False])
def test_a_group_is_counted_with_its_lost_sessions_whether_errors_are_corrected_or_not(start, response, enabled):
    run = start(enabled=enabled)
    run.sample_group([response(RIGHT, EOS), ValueError("no such tool"), response(RIGHT, EOS), KeyError("second")])
    assert counts_of(run) == SessionCounts(
        num_ended=4,
        num_lost={LossCause.REWARD: 0, LossCause.GENERATION: 0, LossCause.OTHER: 2},
        first_errors={LossCause.OTHER: "ValueError: no such tool"},
        num_scored=2,
        sum_of_accuracies=2.0,
        num_groups=1,
        num_identical_groups=1,  # the two that are left
    )
    assert counts_of(run) == SessionCounts()  # each is reported once


def test_the_accuracy_of_the_first_pass_is_counted_and_not_that_of_the_correction(start, response):
    run = start("answer")
    run.sample_group([response(RIGHT, EOS), response(WRONG, EOS), response(WRONG, EOS), response(RIGHT, EOS)])
    counts = counts_of(run)
    assert (counts.num_scored, counts.sum_of_accuracies) == (4, 2.0)


def test_sessions_of_validation_are_counted_apart_and_have_no_first_pass(start, response):
    run = start()
    run.sample_group([response(WRONG, EOS), RuntimeError("gone")], validate=True)
    validation = counts_of(run, is_validation=True)
    assert (validation.num_ended, validation.total_lost, validation.num_scored) == (2, 1, 0)
    run.sample(response(WRONG, EOS))
    assert (counts_of(run).num_ended, counts_of(run, is_validation=True).num_ended) == (1, 0)


def test_an_agent_loop_without_any_output_is_a_lost_session(start):
    run = start()
    run.worker._compute_score = lambda *_, **__: asyncio.sleep(0)
    run.sample([])
    counts = counts_of(run)
    assert (counts.num_ended, counts.num_lost[LossCause.OTHER]) == (1, 1)
    assert counts.first_errors == {LossCause.OTHER: "RuntimeError: the agent loop returned no output"}


@pytest.mark.parametrize("enabled", [True, False])
def test_a_reward_without_the_accuracy_is_a_refusal_that_the_run_must_end_with(start, response, enabled):
    run = start(enabled=enabled, accuracy_key="is_right", format_score=lambda ids: 1.0)

    async def compute_score(outputs, kwargs):
        outputs[-1].reward_score = 0.25
        outputs[-1].extra_fields["reward_extra_info"] = {"score": 0.25, "format": 1.0}

    run.worker._compute_score = compute_score
    with pytest.raises(UnreportedKeyError):
        run.sample(response(WRONG, EOS))
    assert "edge_grpo.gec.accuracy_key=is_right" in counts_of(run).refusal


def test_what_verls_scoring_raises_is_the_rewards_and_what_its_client_raises_the_engines(response):
    """The places in verl by which a cause is known."""
    from verl.experimental.agent_loop import AgentLoopWorker
    from verl.workers.rollout.llm_server import LLMServerClient

    async def raise_error(*_, **__):
        raise ValueError("boom")

    worker = types.SimpleNamespace(
        reward_loop_worker_handles=[types.SimpleNamespace(compute_score=types.SimpleNamespace(remote=raise_error))],
        _compute_multi_modal_inputs=lambda *_: {},
        _compute_position_ids=lambda input_ids, *_: input_ids,
        _get_mm_processor_kwargs=lambda *_: {},
    )
    score = AgentLoopWorker._compute_score(worker, [response(WRONG, EOS)], kwargs={"uid": "u"})
    assert cause_of(raised_by(score)) is LossCause.REWARD
    client = object.__new__(LLMServerClient)
    client._acquire_server = raise_error
    assert cause_of(raised_by(client.generate("id", prompt_ids=[1], sampling_params={}))) is LossCause.GENERATION
    assert cause_of(raised_by(raise_error())) is LossCause.OTHER


def test_an_error_that_ray_brings_from_a_worker_is_said_as_it_was_raised_there():
    from ray.exceptions import RayTaskError

    origin = KeyError("ground_truth")
    error = RayTaskError("compute_score", "a traceback of many lines", origin)
    assert error_text(error) == error_text(error.as_instanceof_cause()) == "KeyError: 'ground_truth'"


def test_a_long_error_is_cut_and_one_of_several_lines_becomes_one():
    assert error_text(ValueError("first\n  second")) == "ValueError: first second"
    assert len(error_text(ValueError("x" * 10_000))) == 501


@pytest.mark.parametrize(
    ("first_passes", "is_identical", "is_all_truncated"),
    [
        ([[WRONG, EOS], [WRONG, EOS], [WRONG, EOS]], True, False),
        ([[WRONG, EOS], [WRONG, EOS], [WRONG, END]], False, False),  # another end is another response
        ([[WRONG], [SO], [RIGHT, SO]], False, True),
        ([[WRONG], [SO], [RIGHT, EOS]], False, False),  # one has come to its end
        ([[WRONG], [WRONG]], True, True),
        ([[], []], True, True),
        ([[WRONG, EOS]], False, False),  # of one there is nothing to compare
        ([[WRONG]], False, True),
    ],
)
@pytest.mark.parametrize("enabled", [True, False])
def test_a_group_is_identical_or_all_truncated_by_its_first_passes(
    start, response, enabled, first_passes, is_identical, is_all_truncated
):
    run = start("answer", enabled=enabled)  # corrections make the responses end and differ
    run.sample_group([response(*ids) for ids in first_passes])
    counts = counts_of(run)
    assert counts.num_groups == 1
    assert (counts.num_identical_groups, counts.num_truncated_groups) == (is_identical, is_all_truncated)


def test_groups_of_a_worker_add_up_and_one_without_any_response_or_of_validation_is_none(start, response):
    run = start()
    run.sample_group([response(WRONG), response(SO)], uid="u")
    run.sample_group([response(RIGHT, EOS), response(RIGHT, EOS)], uid="v")
    run.sample_group([RuntimeError("gone"), RuntimeError("gone")], uid="w")
    run.sample_group([response(RIGHT, EOS), response(RIGHT, EOS)], uid="x", validate=True)
    counts = counts_of(run)
    assert (counts.num_groups, counts.num_identical_groups, counts.num_truncated_groups) == (2, 1, 1)
    assert counts_of(run, is_validation=True).num_groups == 0

"""Failed responses that cannot be corrected: the original is kept and the cause recorded."""

import asyncio

import pytest
from support.error_correction import END, EOS, N42, RIGHT, WAIT, WRONG, A, Q

from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped, read_record
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_a_prompt_beyond_the_gate_is_not_corrected(start, policy, response, strategy):
    run = start(strategy, policy(N42), max_prompt_tokens=3)
    stored = run.sample(response(WRONG, EOS, prompt=(Q, A, A, A)))
    assert stored.response_ids == [WRONG, EOS]
    assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.PROMPT_TOO_LONG)
    assert len(run.scored) == 1
    assert run.sample(response(WRONG, EOS, prompt=(Q, A, A))).response_ids != [WRONG, EOS]


@pytest.mark.parametrize(
    ("strategy", "first_pass", "solution", "reason"),
    [
        (Strategy.REFLECTION, [WRONG] * 7, "42", Skipped.NO_ROOM),  # 7 + 1 injected = 8: no room to continue
        (Strategy.ANSWER, [WRONG] * 5, "42", Skipped.NO_ROOM),  # 5 + 3 injected + EOS = 9
        (Strategy.SOLUTION, [WRONG], "a a a a a a a 42", Skipped.SOLUTION_TOO_LONG),  # 8 + EOS = 9
    ],
)
def test_without_room_the_original_is_kept_and_counted(start, policy, response, strategy, first_pass, solution, reason):
    run = start(strategy, policy(N42))
    stored = run.sample(response(*first_pass), extra_info={"solution": solution})
    assert stored.response_ids == first_pass
    assert stored.response_logprobs == [-float(WRONG)] * len(first_pass)
    assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=reason)
    assert run.policy.requests == []
    assert len(run.scored) == 1


@pytest.mark.parametrize("error", [RuntimeError("server died"), ValueError("context length"), TimeoutError()])
def test_a_failing_server_keeps_the_original_and_leaves_its_cause_in_the_log(start, policy, response, caplog, error):
    run = start(Strategy.REFLECTION, policy(error=error))
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, EOS]
    assert stored.response_logprobs == [-float(WRONG), -float(EOS)]
    assert stored.reward_score == 0.25
    assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.GENERATION_FAILED)
    assert any(entry.exc_info and entry.exc_info[1] is error for entry in caplog.records)


@pytest.fixture
def stuck(policy):
    """A server that never answers."""

    class Stuck(policy):
        async def generate(self, **request):
            await super().generate(**request)
            await asyncio.Event().wait()

    return Stuck


def test_a_generation_that_never_ends_keeps_the_original_and_is_counted(start, stuck, response, caplog):
    run = start(Strategy.REFLECTION, stuck(N42, EOS), time_limit_seconds=0.05, reflection_rounds=3)
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, EOS]
    assert stored.response_logprobs == [-float(WRONG), -float(EOS)]
    assert stored.reward_score == 0.25
    assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.GENERATION_TIMED_OUT)
    assert len(run.policy.requests) == 1  # a second round is not tried
    assert "time_limit_seconds" in caplog.text


def test_a_group_with_responses_that_wait_for_ever_is_finished(start, stuck, response):
    run = start(Strategy.REFLECTION, stuck(N42, EOS), time_limit_seconds=0.05)
    stored = run.sample_group([response(RIGHT, EOS), response(WRONG, EOS), response(WRONG, END)])
    assert [output.response_ids for _, output in sorted(stored.items())] == [[RIGHT, EOS], [WRONG, EOS], [WRONG, END]]
    skips = [read_record(output.extra_fields).skipped for _, output in sorted(stored.items())]
    assert skips == [None, Skipped.GENERATION_TIMED_OUT, Skipped.GENERATION_TIMED_OUT]


def test_without_a_time_limit_a_generation_is_waited_for(start, policy, response):
    class Slow(policy):
        async def generate(self, **request):
            await asyncio.sleep(0.1)
            return await super().generate(**request)

    run = start(Strategy.REFLECTION, Slow(N42, EOS), time_limit_seconds=None)
    assert run.sample(response(WRONG, EOS)).response_ids == [WRONG, WAIT, N42, EOS]
    limited = start(Strategy.REFLECTION, Slow(N42, EOS), time_limit_seconds=0.01)
    limited.sample(response(WRONG, EOS))
    assert limited.record.skipped is Skipped.GENERATION_TIMED_OUT


def test_a_servers_own_time_out_is_a_failure_of_the_server(start, policy, response):
    """As of a connection; it does not depend on the limit of ours."""
    run = start(Strategy.REFLECTION, policy(error=TimeoutError()), time_limit_seconds=60.0)
    run.sample(response(WRONG, EOS))
    assert run.record.skipped is Skipped.GENERATION_FAILED


def test_cancelling_a_session_that_waits_is_not_taken_for_a_time_out(start, stuck, response):
    run = start(Strategy.REFLECTION, stuck(N42, EOS), time_limit_seconds=60.0)

    async def cancel_while_waiting():
        session = asyncio.create_task(run.run_prompt([response(WRONG, EOS)]))
        while not run.policy.requests:
            await asyncio.sleep(0)
        session.cancel()
        await session

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel_while_waiting())


def test_cancelling_a_session_is_not_taken_for_a_failing_server(start, policy, response):
    run = start(Strategy.REFLECTION, policy(error=asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        run.sample(response(WRONG, EOS))


def test_an_empty_continuation_keeps_the_original(start, policy, response):
    run = start(Strategy.REFLECTION, policy())
    assert run.sample(response(WRONG, EOS)).response_ids == [WRONG, EOS]
    assert run.record.skipped is Skipped.GENERATION_FAILED

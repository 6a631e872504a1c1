"""`scope: group` waits for all sessions of a prompt, each a task of verl's own `_run_prompt`, and for no others."""

import asyncio
import random

import pytest
from support.error_correction import (
    EOS,
    FIRST,
    GROUP_SIZE,
    N42,
    PLACE,
    REFLECTION,
    RIGHT,
    SO,
    WRONG,
    is_right,
    let_all_run,
    records,
)

from recipe.edge_grpo.correction.draws import draw_order
from recipe.edge_grpo.correction.record import RECORD_KEY, GuardRole


def test_corrections_start_once_every_session_is_scored_and_other_prompts_are_not_waited_for(start, policy, response):
    run = start(policy=policy(N42, EOS), scope="group", probabilities=REFLECTION)
    wrong = response(FIRST, WRONG, EOS)

    async def scenario():
        may_finish = asyncio.Event()

        async def slow():
            await may_finish.wait()
            return wrong.model_copy(deep=True)

        slow_group = [wrong.model_copy(deep=True) for _ in range(3)] + [slow]
        slow_prompt = asyncio.create_task(run.run_prompt(slow_group, uid="slow"))
        await let_all_run()
        assert len(run.scored) == 3
        other = await run.run_prompt([wrong.model_copy(deep=True) for _ in range(2)], uid="other")
        assert len(other) == 2
        assert any(is_right(output) for output in other.values())
        await let_all_run()
        assert run.stored_sessions["slow"] == {}
        assert run.policy.requests == []
        assert len(run.scored) == 3 + 2 + 1
        may_finish.set()
        assert len(await slow_prompt) == 4
        assert run.statuses["slow"] == ["running", "finished"]

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_prompts_that_verl_starts_together_have_groups_of_their_own(start, policy, group):
    from verl.utils.tensordict_utils import assign_non_tensor_data, get_tensordict

    run = start(policy=policy(N42, EOS), scope="group", group_size=3)
    worker = run.worker
    worker.background_tasks = set()
    vars(worker.rollout_config).update(temperature=0.6, top_p=1.0, top_k=-1, calculate_log_probs=True)
    run.first_passes = {"a": group("www"), "b": group("wrw"), "c": group("rrr")}
    num_prompts = len(run.first_passes)
    batch = {
        "uid": list(run.first_passes),
        "index": [5] * num_prompts,
        "agent_name": ["single_turn_agent"] * num_prompts,
        "reward_model": [{"ground_truth": "42"}] * num_prompts,
        "extra_info": [{"solution": "secret so 42"}] * num_prompts,
    }

    async def scenario():
        prompts = get_tensordict(batch)
        assign_non_tensor_data(prompts, "global_steps", 3)
        await worker.generate_sequences(prompts)
        await asyncio.gather(*worker.background_tasks)

    asyncio.run(asyncio.wait_for(scenario(), 20))
    assert run.statuses == dict.fromkeys("abc", ["running", "finished"])
    roles = {
        uid: [record.guard_role for record in records(stored).values()] for uid, stored in run.stored_sessions.items()
    }
    assert (roles["a"].count(GuardRole.SURE), roles["a"].count(GuardRole.KEPT)) == (1, 1)
    assert (roles["b"].count(GuardRole.SURE), roles["b"].count(GuardRole.KEPT)) == (0, 1)
    assert roles["c"] == [None] * 3


def test_responses_of_one_group_are_corrected_at_a_time(start, blocked_policy, group):
    """With one after the other the server, which answers only when all have asked, would wait for ever."""
    run = start(policy=blocked_policy, scope="group", probabilities=REFLECTION)

    async def scenario():
        prompt = asyncio.create_task(run.run_prompt(group("wrwww")))
        await let_all_run()
        assert blocked_policy.num_asked == 3  # of four failures one is kept
        blocked_policy.may_answer.set()
        await prompt

    asyncio.run(asyncio.wait_for(scenario(), 20))


@pytest.mark.parametrize("cause", ["agent loop", "scoring", "several outputs", "no output"])
def test_a_session_that_never_arrives_does_not_hold_the_others(start, policy, response, group, cause):
    run = start(policy=policy(N42, EOS), scope="group")
    first_passes = group("wwww")
    score = run.worker._compute_score

    async def failing_score(outputs, kwargs):
        if kwargs["session_id"] == 2 and cause == "scoring":
            raise RuntimeError("reward worker died")
        if outputs:
            await score(outputs, kwargs)

    run.worker._compute_score = failing_score
    outputs = [response(FIRST, WRONG, EOS), response(FIRST, WRONG, WRONG, EOS)]
    replaced = {"agent loop": RuntimeError("sampling failed"), "several outputs": outputs, "no output": []}
    first_passes[2] = replaced.get(cause, first_passes[2])
    stored = run.sample_group(first_passes)
    is_error = cause in ("agent loop", "scoring")
    assert run.statuses["u"] == ["running", "failure" if is_error else "finished"]
    assert sorted(stored) == ([0, 1, 3] if is_error else [0, 1, 2, 3])
    corrected = {session: stored[session] for session in (0, 1, 3)}
    roles = [record.guard_role for record in records(corrected).values()]
    assert roles.count(GuardRole.SURE) == roles.count(GuardRole.KEPT) == 1
    if cause == "several outputs":
        assert [output.response_ids for output in stored[2]] == [[FIRST, WRONG, EOS], [FIRST, WRONG, WRONG, EOS]]
        assert all(RECORD_KEY not in output.extra_fields for output in stored[2])


@pytest.mark.parametrize("cancelled", range(4))
def test_cancelling_a_session_does_not_cancel_the_correction_of_the_others(
    start, blocked_policy, response, group, cancelled
):
    run = start(policy=blocked_policy, scope="group", probabilities=REFLECTION)
    tasks = {}

    def sampled(session, output):
        async def first_pass():
            tasks[session] = asyncio.current_task()
            return output

        return first_pass

    async def scenario():
        first_passes = [sampled(session, output) for session, output in enumerate(group("rwww"))]
        prompt = asyncio.create_task(run.run_prompt(first_passes))
        await let_all_run()
        assert blocked_policy.num_asked == 2
        tasks[cancelled].cancel()
        await let_all_run()
        blocked_policy.may_answer.set()
        return await prompt

    stored = asyncio.run(asyncio.wait_for(scenario(), 20))
    assert sorted(stored) == [session for session in range(4) if session != cancelled]
    kept = [session for session in draw_order(4, PLACE) if session != 0][-1]
    assert {session for session, output in stored.items() if not is_right(output)} == {kept} - {cancelled}
    assert run.statuses["u"] == ["running", "failure"]


def test_a_session_that_is_cancelled_while_it_waits_does_not_hold_the_others(start, policy, group):
    run = start(policy=policy(N42, EOS), scope="group", probabilities=REFLECTION)

    async def scenario():
        may_finish, task_of_first = asyncio.Event(), []
        first, second, third = group("www")

        async def cancelled():
            task_of_first.append(asyncio.current_task())
            return first

        async def slow():
            await may_finish.wait()
            return third

        prompt = asyncio.create_task(run.run_prompt([cancelled, second, slow]))
        await let_all_run()
        task_of_first[0].cancel()
        await let_all_run()
        may_finish.set()
        return await prompt

    stored = asyncio.run(asyncio.wait_for(scenario(), 20))
    assert sorted(stored) == [1, 2]
    assert all(record is not None for record in records(stored).values())


def test_what_correcting_the_group_raises_reaches_every_session(start, policy, group, caplog):
    run = start(policy=policy(N42, EOS), scope="group")
    error = RuntimeError("a strategy that cannot")

    def fail(candidate):
        raise error

    run.worker.corrector.strategies.table = dict.fromkeys(run.worker.corrector.strategies.table, fail)
    assert run.sample_group(group("wwww")) == {}
    assert run.statuses["u"] == ["running", "failure"]
    assert [entry.exc_info[1] for entry in caplog.records if entry.exc_info] == [error] * 4


@pytest.mark.parametrize(
    ("validate", "gec"),
    [(True, {"scope": "group"}), (False, {"scope": "response"}), (False, {"scope": "group", "enabled": False})],
    ids=["validation", "scope of a response", "correction off"],
)
def test_validation_and_the_scope_of_a_response_never_wait(start, policy, group, validate, gec):
    run = start(policy=policy(N42, EOS), **gec)

    async def scenario():
        may_finish = asyncio.Event()
        *fast, last = group("wwr")

        async def slow():
            await may_finish.wait()
            return last

        prompt = asyncio.create_task(run.run_prompt([*fast, slow], validate=validate))
        await let_all_run()
        assert sorted(run.stored_sessions["u"]) == [0, 1]
        may_finish.set()
        return await prompt

    stored = asyncio.run(asyncio.wait_for(scenario(), 20))
    assert sorted(stored) == [0, 1, 2]
    if validate or gec.get("enabled") is False:
        assert [stored[i].response_ids[1:] for i in range(3)] == [[WRONG, EOS], [WRONG, EOS], [RIGHT, EOS]]
        assert all(RECORD_KEY not in output.extra_fields for output in stored.values())


def test_the_order_in_which_sessions_finish_changes_nothing(start, policy_by_session, response):
    """Of six responses three have no room for the answer, and the reference solution is wrong."""
    lengths = [1, 5, 2, 5, 1, 5]

    def outcome(seed, outcomes):
        run = start(policy=policy_by_session(lambda session: [N42, EOS] if session % 2 else [SO]), scope="group")
        delays = random.Random(seed).sample(range(0, 60, 10), 6)

        def first_pass(session):
            kind = RIGHT if outcomes[session] == "r" else WRONG
            output = response(FIRST + session, *[kind] * lengths[session], EOS)

            async def sampled():
                for _ in range(delays[session]):
                    await asyncio.sleep(0)
                return output

            return sampled

        stored = run.sample_group([first_pass(i) for i in range(6)], extra_info={"solution": "secret so 43"})
        return {session: (stored[session].response_ids, records(stored)[session]) for session in range(6)}

    for outcomes in ("wwwwww", "rwwrww"):
        first = outcome(0, outcomes)
        assert all(outcome(seed, outcomes) == first for seed in range(1, 6))


@pytest.mark.parametrize("num_sessions", [2, 3, GROUP_SIZE, 12])
def test_as_many_sessions_are_waited_for_as_verl_starts(start, policy, group, num_sessions):
    """A number of its own for a prompt, `__rollout_n__`, or else that of the configuration."""
    run = start(policy=policy(N42, EOS), scope="group", probabilities=REFLECTION)

    async def scenario():
        may_finish = asyncio.Event()
        *fast, last = group("w" * num_sessions)

        async def slow():
            await may_finish.wait()
            return last

        prompt = asyncio.create_task(run.run_prompt([*fast, slow]))
        await let_all_run()
        assert len(run.scored) == num_sessions - 1  # nothing has been corrected
        may_finish.set()
        return await prompt

    stored = asyncio.run(asyncio.wait_for(scenario(), 20))
    assert sorted(stored) == list(range(num_sessions))
    roles = [record.guard_role for record in records(stored).values()]
    assert (roles.count(GuardRole.SURE), roles.count(GuardRole.KEPT)) == (1, 1)

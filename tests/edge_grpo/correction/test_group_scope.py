"""`scope: group`: all responses of a prompt are looked at together, once all are scored, and contrast is kept.

verl's own `_run_prompt` starts the sessions, each as a task of its own.
"""

import asyncio
import dataclasses
import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipe.edge_grpo.correction.contrast_guard import GuardRole
from recipe.edge_grpo.correction.draws import DrawPlace, draw_order, draw_strategy
from recipe.edge_grpo.correction.record import RECORD_KEY, CorrectionRecord, Skipped, read_record
from recipe.edge_grpo.correction.tokens import Strategy

# As in conftest.py.
UNK, EOS, END, PAD, Q, WRONG, RIGHT, WAIT, ANSWER, N42, N43, SO, SECRET, TWO, A = range(15)
RESPONSE_LENGTH = 8
GROUP_SIZE = 8

FIRST = 100
"""First token of the response of session 0; that of session 1 starts with the next, and so on."""
PLACE = DrawPlace(seed=0, global_step=3, dataset_index=5)
"""Where `run_prompt` samples by default."""
REFLECTION = {"reflection": 1 - 1e-6, "answer": 1e-6, "solution": 0.0}
"""Reflection is drawn for every response, and the answer is allowed as a sure correction."""


@pytest.fixture
def group(response):
    """group("wrw"): first passes of which the first and the last are wrong; "t" is wrong and truncated."""
    ends = {"w": (WRONG, EOS), "r": (RIGHT, EOS), "t": (WRONG,)}
    return lambda outcomes: [response(FIRST + i, *ends[outcome]) for i, outcome in enumerate(outcomes)]


@pytest.fixture
def policy_by_session(policy):
    """policy_by_session(continuation): a server that continues the response of a session with `continuation(session)`.

    That is a list of tokens, or an exception that the server raises.
    """

    class BySession(policy):
        def __init__(self, continuation):
            super().__init__()
            self.continuation = continuation

        async def generate(self, *, request_id, prompt_ids, sampling_params):
            continuation = self.continuation(prompt_ids[2] - FIRST)
            is_error = isinstance(continuation, Exception)
            self.ids, self.error = ([], continuation) if is_error else (continuation, None)
            return await super().generate(request_id=request_id, prompt_ids=prompt_ids, sampling_params=sampling_params)

    return BySession


@pytest.fixture
def blocked_policy(policy):
    """A server that answers only when told to, and then rightly."""

    class Blocked(policy):
        def __init__(self):
            super().__init__(N42, EOS)
            self.may_answer = asyncio.Event()
            self.num_asked = 0

        async def generate(self, **request):
            self.num_asked += 1
            await self.may_answer.wait()
            return await super().generate(**request)

    return Blocked()


async def let_all_run():
    """Until every task waits for something that only the test can bring about."""
    for _ in range(100):
        await asyncio.sleep(0)


def is_right(output):
    return RIGHT in output.response_ids or N42 in output.response_ids


def records(stored):
    return {session: read_record(output.extra_fields) for session, output in stored.items()}


@dataclasses.dataclass
class Case:
    """A prompt, its first passes, and all that decides what becomes of a correction."""

    first_passes: list[list[int]]
    continuations: list[object]
    ground_truth: str
    solution: str | None
    place: tuple[int, int]
    gec: dict

    @property
    def is_failed(self):
        return [RIGHT not in ids for ids in self.first_passes]

    def is_correctable(self, session):
        is_truncated = self.first_passes[session][-1] != EOS
        is_left_out = is_truncated and not self.gec["corrects_truncated"]
        return self.is_failed[session] and self.gec["max_prompt_tokens"] is None and not is_left_out

    def is_right_after(self, session, strategy):
        """Whether an answer or a solution is graded as correct, if it fits at all."""
        if strategy == "solution" and self.solution is not None:
            return self.solution == "secret so 42"  # "... 43" is wrong, the other has no room
        length = len([token for token in self.first_passes[session] if token != EOS])
        return length + 3 + 1 <= RESPONSE_LENGTH and self.ground_truth == "42"

    @property
    def can_be_revived(self):
        """Whether a sure correction makes contrast in a group that is all wrong."""
        return len(self.first_passes) >= 2 and any(
            self.is_correctable(session)
            and any(
                self.gec["probabilities"][strategy] > 0 and self.is_right_after(session, strategy)
                for strategy in ("answer", "solution")
            )
            for session in range(len(self.first_passes))
        )


@st.composite
def cases(draw):
    first_passes = []
    for session in range(draw(st.integers(1, 6))):
        is_ended = draw(st.booleans())
        body = [draw(st.sampled_from([WRONG, WRONG, WRONG, RIGHT]))] + [SO] * draw(st.integers(0, 5))
        first_passes.append([FIRST + session, *body, *([EOS] if is_ended else [])])
    continuation = st.sampled_from([[N42, EOS], [WRONG, EOS], [SO], [], RuntimeError("server died")])
    shares = [(0.5, 0.25, 0.25), (0.5, 0.5, 0.0), (0.0, 1.0, 0.0), (0.5, 0.0, 0.5), (0.0, 0.0, 1.0)]
    return Case(
        first_passes,
        [draw(continuation) for _ in first_passes],
        draw(st.sampled_from(["42", "42", "43"])),
        draw(st.sampled_from(["secret so 42", "secret so 43", None, "a a a a a a a 42"])),
        (draw(st.integers(1, 50)), draw(st.integers(0, 50))),
        {
            "probabilities": dict(zip(Strategy, draw(st.sampled_from(shares)), strict=True)),
            "corrects_mixed_groups": draw(st.booleans()),
            "corrects_truncated": draw(st.booleans()),
            "max_prompt_tokens": draw(st.sampled_from([None, None, None, 1])),
            "reflection_rounds": draw(st.integers(1, 2)),
        },
    )


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_no_group_is_without_contrast_that_could_have_it(start, response, policy_by_session, case):
    run = start(policy=policy_by_session(lambda session: case.continuations[session]), scope="group", **case.gec)
    stored = run.sample_group(
        [response(*ids) for ids in case.first_passes],
        global_steps=case.place[0],
        index=case.place[1],
        reward_model={"ground_truth": case.ground_truth},
        extra_info={"solution": case.solution},
    )
    assert run.statuses["u"] == ["running", "finished"]
    assert sorted(stored) == list(range(len(case.first_passes)))
    _check_contrast(case, stored)
    _check_records(case, stored)
    _check_what_was_not_corrected(case, stored)
    _check_what_was_left_out(case, stored)


def _check_contrast(case, stored):
    is_right_now = [is_right(stored[session]) for session in sorted(stored)]
    is_mixed = len(set(case.is_failed)) == 2
    if is_mixed or (all(case.is_failed) and case.can_be_revived):
        assert len(set(is_right_now)) == 2
    assert all(is_right_now) == (not any(case.is_failed))  # never by correction


def _check_records(case, stored):
    of_session = records(stored)
    sure = [session for session, record in of_session.items() if record.guard_role is GuardRole.SURE]
    kept = [session for session, record in of_session.items() if record.guard_role is GuardRole.KEPT]
    without = [session for session, record in of_session.items() if record.is_without_sure_correction]
    is_all_wrong = all(case.is_failed) and len(stored) >= 2
    assert len(sure) == (is_all_wrong and case.can_be_revived)
    assert without == ([0] if is_all_wrong and not case.can_be_revived else [])
    for session in sure:
        assert of_session[session].strategy in (Strategy.ANSWER, Strategy.SOLUTION)
        assert is_right(stored[session])
    assert len(kept) <= 1
    for session in kept:
        assert case.is_correctable(session)
        assert (of_session[session].strategy, of_session[session].skipped) == (None, None)
    for session, record in of_session.items():
        assert record.is_failed == case.is_failed[session]
        assert record.strategy is None or case.gec["probabilities"][record.strategy] > 0 or case.solution is None


def _check_what_was_not_corrected(case, stored):
    """Such a response is as it was sampled, also where a correction of it has been taken back."""
    for session, record in records(stored).items():
        if record.strategy is None:
            output, ids = stored[session], case.first_passes[session]
            assert output.response_ids == ids
            assert output.response_mask == [1] * len(ids)
            assert output.response_logprobs == [-float(token) for token in ids]
            assert output.reward_score == 0.25 + (not case.is_failed[session])
            assert output.extra_fields == {
                "turn_scores": [],
                "reward_extra_info": {"acc": float(not case.is_failed[session])},
                RECORD_KEY: dataclasses.asdict(record),
            }
            assert record.injected_spans == () and record.reflection_rounds == 0


def _check_what_was_left_out(case, stored):
    """No more than one correctable failure is left, and that only where no other failure stays."""
    if len(stored) < 2 or (not all(case.is_failed) and not case.gec["corrects_mixed_groups"]):
        return
    left = [
        session
        for session, record in records(stored).items()
        if case.is_correctable(session) and record.strategy is None and record.skipped is None
    ]
    stays_anyway = any(
        failed and not case.is_correctable(session) for session, failed in enumerate(case.is_failed) if failed
    )
    num_correctable = sum(case.is_correctable(session) for session in stored)
    is_only_one_sure = num_correctable == 1 and case.can_be_revived and all(case.is_failed)
    assert len(left) == (num_correctable > 0 and not stays_anyway and not is_only_one_sure)


@pytest.mark.parametrize("outcomes", ["rrrr", "r", "rr"])
def test_an_all_correct_group_is_stored_as_sampled(start, policy, group, outcomes):
    run = start(policy=policy(N42), scope="group")
    stored = run.sample_group(group(outcomes))
    assert [stored[i].response_ids for i in range(len(outcomes))] == [
        [FIRST + i, RIGHT, EOS] for i in range(len(outcomes))
    ]
    assert set(records(stored).values()) == {CorrectionRecord(1.25, 1.0, False)}
    assert len(run.scored) == len(outcomes)
    assert run.policy.requests == []


def test_a_group_of_one_is_left_alone(start, policy, group):
    run = start(policy=policy(N42), scope="group")
    stored = run.sample_group(group("w"))
    assert stored[0].response_ids == [FIRST, WRONG, EOS]
    assert records(stored) == {0: CorrectionRecord(0.25, 0.0, True)}


def test_the_sure_and_the_kept_response_of_an_all_wrong_group_are_recorded(start, policy, group):
    run = start(policy=policy(N42, EOS), scope="group", probabilities=REFLECTION)
    stored = run.sample_group(group("wwww"))
    order = draw_order(4, PLACE)
    assert stored[order[0]].response_ids == [FIRST + order[0], WRONG, WAIT, ANSWER, N42, EOS]
    assert records(stored)[order[0]] == CorrectionRecord(
        0.25, 0.0, True, Strategy.ANSWER, guard_role=GuardRole.SURE, injected_spans=((2, 6),)
    )
    assert records(stored)[order[3]] == CorrectionRecord(0.25, 0.0, True, guard_role=GuardRole.KEPT)
    for session in order[1:3]:
        assert records(stored)[session].strategy is Strategy.REFLECTION
        assert records(stored)[session].guard_role is None
    assert len(run.policy.requests) == 2


def test_the_kept_failure_of_a_mixed_group_is_recorded(start, policy, group):
    run = start(policy=policy(N42, EOS), scope="group", probabilities=REFLECTION)
    stored = run.sample_group(group("wrw"))
    kept, corrected = [session for session in reversed(draw_order(3, PLACE)) if session != 1]
    assert records(stored)[kept] == CorrectionRecord(0.25, 0.0, True, guard_role=GuardRole.KEPT)
    assert stored[kept].response_ids == [FIRST + kept, WRONG, EOS]
    assert records(stored)[corrected].strategy is Strategy.REFLECTION
    assert stored[corrected].response_ids == [FIRST + corrected, WRONG, WAIT, N42, EOS]


def test_the_only_failure_of_a_mixed_group_is_recorded_as_kept(start, policy, group):
    run = start(policy=policy(N42, EOS), scope="group", probabilities=REFLECTION)
    stored = run.sample_group(group("rwr"))
    assert stored[1].response_ids == [FIRST + 1, WRONG, EOS]
    assert records(stored)[1].guard_role is GuardRole.KEPT


def test_a_missing_solution_is_not_tried_as_the_answer_a_second_time(start, group):
    run = start(scope="group", probabilities={"reflection": 0.0, "answer": 0.5, "solution": 0.5})
    wrong_reference = {"reward_model": {"ground_truth": "43"}, "extra_info": {"solution": None}}
    run.sample_group(group("ww"), **wrong_reference)
    # two first passes, one try of a sure correction each, and the one that is corrected as drawn in the end
    assert len(run.scored) == 2 + 2 + 1


def test_mixed_groups_can_be_left_alone(start, policy, group):
    run = start(policy=policy(N42, EOS), scope="group", corrects_mixed_groups=False)
    stored = run.sample_group(group("wrww"))
    assert [stored[i].response_ids[1] for i in range(4)] == [WRONG, RIGHT, WRONG, WRONG]
    assert all(record.strategy is None for record in records(stored).values())
    revived = run.sample_group(group("wwww"))
    assert [record.guard_role for record in records(revived).values()].count(GuardRole.SURE) == 1


def test_a_failure_that_cannot_be_corrected_is_the_one_that_stays(start, policy, group):
    run = start(policy=policy(N42, EOS), scope="group", probabilities=REFLECTION, corrects_truncated=False)
    stored = run.sample_group(group("wrtw"))
    assert records(stored)[2] == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.TRUNCATED)
    assert {records(stored)[session].strategy for session in (0, 3)} == {Strategy.REFLECTION}
    assert all(record.guard_role is None for record in records(stored).values())


def test_of_a_group_without_a_sure_correction_exactly_one_response_says_so(start, policy, group):
    run = start(policy=policy(WRONG, EOS), scope="group", max_prompt_tokens=1)
    stored = run.sample_group(group("www"))
    skipped = CorrectionRecord(0.25, 0.0, True, skipped=Skipped.PROMPT_TOO_LONG)
    assert records(stored) == {
        0: dataclasses.replace(skipped, is_without_sure_correction=True),
        1: skipped,
        2: skipped,
    }


def test_a_reference_solution_that_is_graded_as_wrong_is_taken_back_completely(start, response):
    """Both attempts fail, then one response gets the correction drawn for it, and the other is as it was sampled."""
    statuses = ["first pass"] * 2 + ["attempt"] * 2 + ["as drawn"]
    run = start(Strategy.SOLUTION, scope="group", keeps_first_pass_text=True, verify_statuses=statuses)
    fields = {"turn_scores": [1], "max_global_steps": 3}
    first_passes = [
        response(FIRST + i, SO, TWO, WRONG, EOS, mask=[1, 1, 0, 1, 1], extra_fields=dict(fields)) for i in (0, 1)
    ]
    stored = run.sample_group(first_passes, extra_info={"solution": "secret so 43"})
    corrected, kept = draw_order(2, PLACE)
    assert [ids for ids, _ in run.scored[2:]] == [[SECRET, SO, N43, EOS]] * 3  # attempt, attempt, as drawn
    output = stored[kept]
    assert output.response_ids == [FIRST + kept, SO, TWO, WRONG, EOS]
    assert output.response_mask == [1, 1, 0, 1, 1]
    assert output.response_logprobs == [-float(token) for token in output.response_ids]
    assert output.reward_score == 0.25
    record = output.extra_fields.pop(RECORD_KEY)
    assert output.extra_fields == fields | {"reward_extra_info": {"acc": 0.0, "verify_status": "first pass"}}
    assert CorrectionRecord(**record) == CorrectionRecord(
        0.25,
        0.0,
        True,
        guard_role=GuardRole.KEPT,
        is_without_sure_correction=kept == 0,
        first_pass_verify_status="first pass",
    )
    assert stored[corrected].response_ids == [SECRET, SO, N43, EOS]
    assert records(stored)[corrected].strategy is Strategy.SOLUTION
    assert records(stored)[corrected].guard_role is None


def test_after_a_wrong_reference_solution_the_answer_is_tried_on_the_same_response(start, group):
    shares = {"reflection": 0.0, "answer": 1e-6, "solution": 1 - 1e-6}
    run = start(scope="group", probabilities=shares)
    stored = run.sample_group(group("ww"), extra_info={"solution": "secret so 43"})
    sure, kept = draw_order(2, PLACE)
    assert stored[sure].response_ids == [FIRST + sure, WRONG, WAIT, ANSWER, N42, EOS]
    assert records(stored)[sure].guard_role is GuardRole.SURE
    assert stored[kept].response_ids == [FIRST + kept, WRONG, EOS]


def test_a_correction_without_room_leaves_no_trace_where_another_response_has_room(start, response):
    run = start(Strategy.ANSWER, scope="group")
    first_passes = [response(FIRST + i, WRONG, *[SO] * 5, EOS) for i in range(3)]  # 7 + 3 injected: no room
    first_passes[draw_order(3, PLACE)[2]] = response(FIRST, WRONG, EOS)
    stored = run.sample_group(first_passes)
    middle, last = draw_order(3, PLACE)[1:]
    assert records(stored)[last].guard_role is GuardRole.SURE
    assert records(stored)[middle] == CorrectionRecord(0.25, 0.0, True, guard_role=GuardRole.KEPT)


def test_a_correction_is_sure_only_if_it_lacks_nothing_of_the_failure_definition(start, group):
    """The answer is right but has no format here, so that the failure definition still calls it failed."""
    shares = {"reflection": 0.0, "answer": 1 - 1e-6, "solution": 1e-6}
    has_format = lambda response_ids: float(SECRET in response_ids)  # noqa: E731
    run = start(scope="group", probabilities=shares, failed="accuracy_or_format", format_score=has_format)
    stored = run.sample_group(group("ww"))
    sure, _ = draw_order(2, PLACE)
    assert stored[sure].response_ids == [SECRET, SO, N42, EOS]


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
    score = run.worker._compute_score
    error = RuntimeError("reward worker died")

    async def failing_score(outputs, kwargs):
        if EOS in outputs[-1].response_ids and N42 in outputs[-1].response_ids:
            raise error
        await score(outputs, kwargs)

    run.worker._compute_score = failing_score
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


def test_the_sure_and_the_kept_response_differ_between_prompts_steps_and_seeds(start, group):
    def chosen(**prompt):
        run = start(Strategy.ANSWER, scope="group")
        of_session = records(run.sample_group(group("wwww"), **prompt))
        return tuple(
            next(session for session, record in of_session.items() if record.guard_role is role) for role in GuardRole
        )

    assert len({chosen(index=index) for index in range(12)}) > 4
    assert len({chosen(global_steps=step) for step in range(12)}) > 4
    assert chosen(index=7, global_steps=2) == tuple(draw_order(4, DrawPlace(0, 2, 7))[i] for i in (0, 3))


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


@pytest.mark.parametrize("outcomes", ["wwww", "rwrw", "rrrw", "w"])
def test_with_the_scope_of_a_response_all_failures_are_corrected_as_in_the_paper(start, policy, group, outcomes):
    run = start(policy=policy(N42, EOS), scope="response", corrects_mixed_groups=False)  # which has no effect there
    stored = run.sample_group(group(outcomes))
    assert all(is_right(output) for output in stored.values())
    probabilities = run.worker.corrector.probabilities
    for session, record in records(stored).items():
        drawn = draw_strategy(probabilities, PLACE, session) if outcomes[session] == "w" else None
        assert record.strategy is drawn
        assert record.guard_role is None and not record.is_without_sure_correction


def test_under_the_guard_the_strategies_drawn_are_those_of_the_scope_of_a_response(start, policy, group):
    alone = records(start(policy=policy(N42, EOS)).sample_group(group("rwwwwwww")))
    together = records(start(policy=policy(N42, EOS), scope="group").sample_group(group("rwwwwwww")))
    (kept,) = [session for session, record in together.items() if record.guard_role is GuardRole.KEPT]
    for session in itertools.chain(range(kept), range(kept + 1, GROUP_SIZE)):
        assert together[session] == alone[session]
    assert len({record.strategy for record in alone.values()}) == 4  # None of the right one, and all three

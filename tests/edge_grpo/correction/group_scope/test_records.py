"""`scope: group` records of each response what was done with it, and a response that is kept is as it was sampled."""

import dataclasses
import itertools

import pytest
from support.error_correction import (
    ANSWER,
    EOS,
    FIRST,
    GROUP_SIZE,
    N42,
    N43,
    PLACE,
    REFLECTION,
    RIGHT,
    SECRET,
    SO,
    TWO,
    WAIT,
    WRONG,
    is_right,
    records,
)

from recipe.edge_grpo.correction.draws import draw_order, draw_strategy
from recipe.edge_grpo.correction.record import RECORD_KEY, CorrectionRecord, GuardRole, Skipped
from recipe.edge_grpo.settings.choices import Strategy


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


def test_a_correction_without_room_leaves_no_trace_where_another_response_has_room(start, response):
    run = start(Strategy.ANSWER, scope="group")
    first_passes = [response(FIRST + i, WRONG, *[SO] * 5, EOS) for i in range(3)]  # 7 + 3 injected: no room
    first_passes[draw_order(3, PLACE)[2]] = response(FIRST, WRONG, EOS)
    stored = run.sample_group(first_passes)
    middle, last = draw_order(3, PLACE)[1:]
    assert records(stored)[last].guard_role is GuardRole.SURE
    assert records(stored)[middle] == CorrectionRecord(0.25, 0.0, True, guard_role=GuardRole.KEPT)


@pytest.mark.parametrize("outcomes", ["wwww", "rwrw", "rrrw", "w"])
def test_with_the_scope_of_a_response_all_failures_are_corrected_as_in_the_paper(start, policy, group, outcomes):
    run = start(policy=policy(N42, EOS), scope="response", corrects_mixed_groups=False)  # which has no effect there
    stored = run.sample_group(group(outcomes))
    assert all(is_right(output) for output in stored.values())
    probabilities = run.worker.edge_grpo_settings.gec.probabilities
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

"""`scope: group`: in verl's own sampling of a prompt contrast is kept, and made where a sure correction can be."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.error_correction import (
    ANSWER,
    EOS,
    FIRST,
    N42,
    PLACE,
    RESPONSE_LENGTH,
    RIGHT,
    SECRET,
    SO,
    WAIT,
    WRONG,
    is_right,
    records,
)

from recipe.edge_grpo.correction.draws import DrawPlace, draw_order
from recipe.edge_grpo.correction.record import RECORD_KEY, GuardRole
from recipe.edge_grpo.settings.choices import Strategy


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
    shares = [(0.5, 0.25, 0.25, 0), (0.5, 0.5, 0, 0), (0, 1.0, 0, 0), (0.5, 0, 0.5, 0), (0, 0, 1.0, 0)]
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


@pytest.mark.slow
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


def test_a_missing_solution_is_not_tried_as_the_answer_a_second_time(start, group):
    run = start(scope="group", probabilities={"reflection": 0.0, "answer": 0.5, "solution": 0.5, "hint": 0.0})
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


def test_after_a_wrong_reference_solution_the_answer_is_tried_on_the_same_response(start, group):
    shares = {"reflection": 0.0, "answer": 1e-6, "solution": 1 - 1e-6, "hint": 0.0}
    run = start(scope="group", probabilities=shares)
    stored = run.sample_group(group("ww"), extra_info={"solution": "secret so 43"})
    sure, kept = draw_order(2, PLACE)
    assert stored[sure].response_ids == [FIRST + sure, WRONG, WAIT, ANSWER, N42, EOS]
    assert records(stored)[sure].guard_role is GuardRole.SURE
    assert stored[kept].response_ids == [FIRST + kept, WRONG, EOS]


def test_a_correction_is_sure_only_if_it_lacks_nothing_of_the_failure_definition(start, group):
    """The answer is right but has no format here, so that the failure definition still calls it failed."""
    shares = {"reflection": 0.0, "answer": 1 - 1e-6, "solution": 1e-6, "hint": 0.0}
    has_format = lambda response_ids: float(SECRET in response_ids)  # noqa: E731
    run = start(scope="group", probabilities=shares, failed="accuracy_or_format", format_score=has_format)
    stored = run.sample_group(group("ww"))
    sure, _ = draw_order(2, PLACE)
    assert stored[sure].response_ids == [SECRET, SO, N42, EOS]


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

"""The metrics under `edge_grpo/gec` and `edge_grpo/verify`: hand-worked counts, and what is absent where undefined."""

import pytest

from recipe.edge_grpo.correction.record import CorrectionRecord, GuardRole, HintSkipped, Skipped
from recipe.edge_grpo.settings.choices import Strategy
from recipe.edge_grpo.training_step.correction_metrics import correction_metrics, verify_metrics


def right(**fields):
    return CorrectionRecord(1.0, 1.0, False, **fields)


def failed(strategy=None, reward=0.0, **fields):
    return CorrectionRecord(reward, 0.0, True, strategy, **fields)


RECORDS = [
    right(),
    failed(Strategy.REFLECTION, injected_spans=((4, 10),), tokens_regenerated=7, reflection_rounds=1),
    failed(Strategy.REFLECTION, injected_spans=((1, 7), (9, 12)), tokens_regenerated=5, reflection_rounds=2),
    failed(Strategy.ANSWER, answer_for_missing_solution=True, injected_spans=((2, 22),), guard_role=GuardRole.SURE),
    failed(reward=0.1, skipped=Skipped.NO_ROOM),
    failed(skipped=Skipped.GENERATION_TIMED_OUT),
]
IS_RIGHT_AFTER = [True, True, False, True, False, False]


def test_correction_metrics_count_strategies_successes_skips_and_tokens():
    assert correction_metrics(RECORDS, IS_RIGHT_AFTER) == {
        "edge_grpo/gec/failed_fraction": pytest.approx(5 / 6),
        "edge_grpo/gec/reflection": 2,
        "edge_grpo/gec/reflection_success_rate": 0.5,  # rows 1 and 2, of which row 1
        "edge_grpo/gec/answer": 1,
        "edge_grpo/gec/answer_success_rate": 1.0,
        "edge_grpo/gec/solution": 0,  # not used: its success rate is absent
        "edge_grpo/gec/skipped_prompt_too_long": 0,
        "edge_grpo/gec/skipped_truncated": 0,
        "edge_grpo/gec/skipped_no_room": 1,
        "edge_grpo/gec/skipped_no_answer": 0,
        "edge_grpo/gec/skipped_no_solution": 0,
        "edge_grpo/gec/skipped_solution_too_long": 0,
        "edge_grpo/gec/skipped_scored_by_agent_loop": 0,
        "edge_grpo/gec/skipped_not_sampled_by_policy_client": 0,
        "edge_grpo/gec/skipped_media_in_response": 0,
        "edge_grpo/gec/skipped_generation_failed": 0,
        "edge_grpo/gec/skipped_generation_timed_out": 1,
        "edge_grpo/gec/skipped_scoring_failed": 0,
        "edge_grpo/gec/answer_for_missing_solution": 1,
        "edge_grpo/gec/solution_cut": 0,
        "edge_grpo/gec/guard_sure": 1,
        "edge_grpo/gec/guard_kept": 0,
        "edge_grpo/gec/guard_without_sure_correction": 0,
        "edge_grpo/gec/reflection_rounds": 3,  # 1 + 2
        "edge_grpo/gec/tokens_failed_prefix": 0,
        "edge_grpo/gec/tokens_injected": 35,  # 6 + 6 + 3 + 20
        "edge_grpo/gec/tokens_regenerated": 12,  # 7 + 5
        "edge_grpo/gec/hint": 0,
        "edge_grpo/gec/hint_skipped_no_hint": 0,
        "edge_grpo/gec/hint_skipped_prompt_not_rebuilt": 0,
        "edge_grpo/gec/hint_skipped_no_room": 0,
        "edge_grpo/gec/hint_skipped_not_single_turn": 0,
        "edge_grpo/gec/hint_without_success": 0,
        "edge_grpo/gec/hints_tried": 0,
        "edge_grpo/gec/tokens_resampled": 0,
    }


def test_what_the_guard_did_and_cut_solutions_are_counted():
    records = [
        failed(guard_role=GuardRole.KEPT, is_without_sure_correction=True),
        failed(Strategy.SOLUTION, is_solution_cut=True),
        failed(guard_role=GuardRole.KEPT),
    ]
    metrics = correction_metrics(records, [False] * 3)
    names = ("guard_sure", "guard_kept", "guard_without_sure_correction", "solution_cut")
    assert [metrics[f"edge_grpo/gec/{name}"] for name in names] == [0, 2, 1, 1]


def test_a_right_response_whose_place_a_solution_took_counts_as_a_solution_and_as_no_failure():
    records = [
        right(strategy=Strategy.SOLUTION, injected_spans=((0, 4),)),
        right(),
        failed(),
        failed(Strategy.SOLUTION),
    ]
    metrics = correction_metrics(records, [True, True, False, False])
    assert metrics["edge_grpo/gec/failed_fraction"] == 0.5  # of the first passes, rows 2 and 3
    assert metrics["edge_grpo/gec/solution"] == 2
    assert metrics["edge_grpo/gec/solution_success_rate"] == 0.5  # the solution of row 3 is graded as wrong
    assert metrics["edge_grpo/gec/tokens_injected"] == 4


def test_what_hints_did_is_counted_by_group():
    """Two groups: one of which the second hint made a response right, one that no hint helped; a third had no hint."""
    records = [
        failed(Strategy.HINT, hints_tried=2, tokens_resampled=30),
        failed(Strategy.HINT),
        failed(hints_tried=3, tokens_resampled=40, is_without_right_hint=True),
        failed(),
        failed(hint_skipped=HintSkipped.NO_ROOM),
    ]
    metrics = correction_metrics(records, [True, False, False, False, False])
    assert (metrics["edge_grpo/gec/hint"], metrics["edge_grpo/gec/hint_success_rate"]) == (2, 0.5)
    assert metrics["edge_grpo/gec/hints_tried"] == 5  # 2 + 3
    assert metrics["edge_grpo/gec/tokens_resampled"] == 70  # 30 + 40
    assert metrics["edge_grpo/gec/hint_without_success"] == 1
    assert metrics["edge_grpo/gec/hint_skipped_no_room"] == 1


def test_every_failed_response_is_either_corrected_or_skipped_for_one_reason():
    metrics = correction_metrics(RECORDS, IS_RIGHT_AFTER)
    handled = sum(metrics[f"edge_grpo/gec/{strategy}"] for strategy in Strategy)
    skipped = sum(metrics[f"edge_grpo/gec/skipped_{reason}"] for reason in Skipped)
    assert handled + skipped == metrics["edge_grpo/gec/failed_fraction"] * len(RECORDS)


def test_the_order_of_responses_does_not_matter():
    order = [3, 0, 4, 5, 2, 1]
    shuffled = [RECORDS[row] for row in order]
    assert correction_metrics(shuffled, [IS_RIGHT_AFTER[row] for row in order]) == correction_metrics(
        RECORDS, IS_RIGHT_AFTER
    )


def test_results_that_are_not_one_for_each_response_are_refused():
    with pytest.raises(ValueError, match="zip"):
        correction_metrics(RECORDS, IS_RIGHT_AFTER[:-1])
    with pytest.raises(ValueError, match="zip"):
        verify_metrics(RECORDS, ["ok"] * (len(RECORDS) - 1))


def test_each_grading_is_counted_once_by_how_it_ended():
    records = [
        right(first_pass_verify_status="ok"),
        failed(Strategy.REFLECTION, first_pass_verify_status="no_box"),  # then a timeout
        failed(Strategy.REFLECTION, first_pass_verify_status="no_box"),  # then without a box again
        failed(Strategy.ANSWER, first_pass_verify_status="ok"),  # compared, wrong; then no gold
        failed(skipped=Skipped.NO_ROOM, first_pass_verify_status="no_box"),  # graded once
    ]
    assert verify_metrics(records, ["ok", "timeout", "no_box", "no_gold", "no_box"]) == {
        "edge_grpo/verify/no_box": 4,
        "edge_grpo/verify/no_gold": 1,
        "edge_grpo/verify/limit": 0,
        "edge_grpo/verify/timeout": 1,
        "edge_grpo/verify/crash": 0,
        "edge_grpo/verify/parse_error": 0,
    }


def test_without_a_verify_status_there_are_no_verify_metrics():
    assert verify_metrics(RECORDS, [None] * len(RECORDS)) == {}


def test_a_status_after_correction_alone_is_counted():
    """An agent loop that scores its responses itself leaves the first pass without one."""
    record = failed(Strategy.ANSWER)
    assert verify_metrics([record, right()], ["limit", None])["edge_grpo/verify/limit"] == 1


def test_statuses_of_another_reward_function_are_not_reported_and_do_no_harm():
    records = [failed(first_pass_verify_status=status) for status in ("../odd name", {}, "crash")]
    metrics = verify_metrics(records, ["../odd name", {}, "crash"])
    assert len(metrics) == 6
    assert sum(metrics.values()) == metrics["edge_grpo/verify/crash"] == 1

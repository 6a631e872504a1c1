"""Which score decides whether a response failed, and how its correction is scored."""

import json

import pytest
from support.error_correction import EOS, N42, RIGHT, SO, WAIT, WRONG

from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped, read_record
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy


def test_the_accuracy_decides_and_not_the_reward(start, response):
    run = start(Strategy.ANSWER)  # a wrong response is rewarded with 0.25 here, for its format say
    run.sample(response(WRONG))
    assert run.record.strategy is Strategy.ANSWER


def test_without_a_reported_accuracy_the_reward_decides(start, response):
    run = start(Strategy.ANSWER, reports_accuracy=False)
    run.sample(response(WRONG))  # rewarded with 0.25
    assert run.record == CorrectionRecord(0.25, 0.25, False)


def test_a_response_that_its_agent_loop_has_scored_is_judged_by_that_score(start, response):
    """verl supports this: `_compute_score` leaves such a response alone, so there is no `reward_extra_info`."""
    run = start(Strategy.ANSWER)
    stored = run.sample(response(WRONG, EOS, reward_score=1.0))
    assert stored.response_ids == [WRONG, EOS]
    assert run.record == CorrectionRecord(1.0, 1.0, False)


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_a_corrected_response_is_scored_again_by_verl(start, policy, response, strategy):
    run = start(strategy, policy(N42, EOS))
    stored = run.sample(response(WRONG, EOS))
    assert [ids for ids, _ in run.scored] == [[WRONG, EOS], stored.response_ids]
    assert stored.reward_score == 1.25
    assert stored.extra_fields["reward_extra_info"] == {"acc": 1.0}
    assert (run.record.first_pass_reward, run.record.first_pass_accuracy) == (0.25, 0.0)


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_the_verify_status_of_the_first_pass_is_recorded_and_that_of_the_correction_is_stored(
    start, policy, response, strategy
):
    run = start(strategy, policy(N42, EOS), verify_statuses=["timeout", "parse_error"])
    stored = run.sample(response(WRONG, EOS))
    assert run.record.first_pass_verify_status == "timeout"
    assert stored.extra_fields["reward_extra_info"]["verify_status"] == "parse_error"


@pytest.mark.parametrize(("first_pass", "max_prompt_tokens"), [(RIGHT, None), (WRONG, 1)])
def test_a_response_that_is_not_corrected_has_one_verify_status(start, response, first_pass, max_prompt_tokens):
    run = start(Strategy.ANSWER, verify_statuses=["crash", "timeout"], max_prompt_tokens=max_prompt_tokens)
    stored = run.sample(response(first_pass, EOS))
    assert run.record.first_pass_verify_status == "crash"
    assert stored.extra_fields["reward_extra_info"]["verify_status"] == "crash"


def test_a_reward_function_without_a_verify_status_leaves_none_in_the_record(start, response):
    run = start(Strategy.ANSWER)
    run.sample(response(WRONG))
    assert run.record.first_pass_verify_status is None


def test_a_correction_that_fails_again_is_kept_with_its_new_score(start, policy, response):
    run = start(Strategy.REFLECTION, policy(WRONG, EOS))
    stored = run.sample(response(SO, EOS))
    assert stored.response_ids == [SO, WAIT, WRONG, EOS]
    assert stored.reward_score == 0.25


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_the_reward_function_never_sees_the_solution_beside_the_response(start, policy, response, strategy):
    run = start(strategy, policy(N42, EOS))
    stored = run.sample(response(WRONG, EOS))
    for _, extra_fields in run.scored:
        assert "secret" not in extra_fields
    assert "secret" not in json.dumps(stored.extra_fields)


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_a_reward_that_raises_for_a_corrected_text_keeps_the_scored_first_pass(start, policy, response, strategy):
    newer = policy(N42, EOS, extra_fields={"max_global_steps": 9})
    run = start(strategy, newer, raises_when=lambda number: number == 2)
    stored = run.sample(response(WRONG, EOS, extra_fields={"max_global_steps": 4}))
    assert stored.response_ids == [WRONG, EOS]
    assert (stored.response_mask, stored.response_logprobs) == ([1, 1], [-float(WRONG), -float(EOS)])
    assert (stored.reward_score, stored.extra_fields["reward_extra_info"]) == (0.25, {"acc": 0.0})
    assert stored.extra_fields["max_global_steps"] == 4  # nothing of the newer weights is left in it
    assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.SCORING_FAILED)


def test_a_reward_that_raises_in_the_second_round_keeps_the_first_round(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO), reflection_rounds=2, raises_when=lambda number: number == 3)
    stored = run.sample(response(WRONG))
    assert stored.response_ids == [WRONG, WAIT, SO]
    assert stored.reward_score == 0.25
    assert (run.record.strategy, run.record.skipped, run.record.reflection_rounds) == (Strategy.REFLECTION, None, 1)


def test_a_reward_that_raises_for_one_corrected_text_costs_no_other_of_its_group(start, response):
    run = start(Strategy.ANSWER, scope="group", raises_when=lambda number: number == 6)
    # scored are four first passes, the sure correction as 5, and two others: the guard keeps one failure
    stored = run.sample_group([response(WRONG, EOS) for _ in range(4)])
    skipped = [read_record(output.extra_fields).skipped for _, output in sorted(stored.items())]
    assert sorted(skipped, key=str) == [None, None, None, Skipped.SCORING_FAILED]

"""What error correction leaves exactly as it was sampled."""

import pytest
from support.error_correction import END, EOS, N42, RIGHT, SO, UNK, WRONG

from recipe.edge_grpo.correction.record import RECORD_KEY, CorrectionRecord, Skipped, read_record
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy


def test_validation_passes_through_untouched(start, response):
    run = start(Strategy.ANSWER, first_pass_max_tokens=2)
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


def test_with_correction_off_training_passes_through_untouched(start, response):
    run = start(Strategy.ANSWER, enabled=False, first_pass_max_tokens=2)
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, EOS]
    assert RECORD_KEY not in stored.extra_fields
    assert run.scored == [([WRONG, EOS], '{"turn_scores": []}')]  # by verl


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_a_correct_response_keeps_exactly_the_sampled_tokens_and_is_scored_once(start, policy, response, strategy):
    run = start(strategy, policy(SO, N42, EOS))
    stored = run.sample(response(SO, RIGHT, UNK, EOS, END))
    assert stored.response_ids == [SO, RIGHT, UNK, EOS, END]
    assert stored.response_mask == [1] * 5
    assert stored.response_logprobs == [-float(SO), -float(RIGHT), -0.0, -float(EOS), -float(END)]
    assert stored.reward_score == 1.25
    assert run.record == CorrectionRecord(first_pass_reward=1.25, first_pass_accuracy=1.0, is_failed=False)
    assert len(run.scored) == 1
    assert run.policy.requests == []


def test_several_outputs_of_a_session_are_left_alone(start, response):
    run = start(Strategy.ANSWER)
    outputs = [response(WRONG, EOS), response(WRONG, WRONG, EOS)]
    stored = run.sample(outputs)
    assert stored is outputs
    assert [output.response_ids for output in stored] == [[WRONG, EOS], [WRONG, WRONG, EOS]]
    assert all(RECORD_KEY not in output.extra_fields for output in stored)


@pytest.mark.parametrize("scope", ["response", "group"])
def test_a_list_with_a_single_output_is_corrected_as_that_output(start, response, scope):
    run = start(Strategy.ANSWER, scope=scope)
    run.sample_group([[response(WRONG, EOS)], [response(RIGHT, EOS)], [response(WRONG, EOS)]])
    stored = run.stored_sessions["u"]
    strategies = [read_record(stored[session].extra_fields).strategy for session in range(3)]
    # with the guard one failure may go, as the group has contrast already and one has to stay
    assert strategies.count(Strategy.ANSWER) == {"response": 2, "group": 1}[scope]


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_what_an_agent_loop_scored_itself_is_left_alone_and_counted(start, policy, response, strategy):
    """The correction would be scored by the reward function, which is another one."""
    run = start(strategy, policy(N42, EOS))
    stored = run.sample(response(WRONG, EOS, reward_score=0.0))
    assert (stored.response_ids, stored.reward_score) == ([WRONG, EOS], 0.0)
    assert run.record == CorrectionRecord(0.0, 0.0, True, skipped=Skipped.SCORED_BY_AGENT_LOOP)
    assert run.scored == [] and run.policy.requests == []
    run.sample(response(RIGHT, EOS, reward_score=1.0))
    assert run.record == CorrectionRecord(1.0, 1.0, False)


def test_the_guard_takes_a_response_that_is_scored_already_for_one_that_stays_as_it_is(start, response):
    run = start(Strategy.ANSWER, scope="group")
    stored = run.sample_group([response(WRONG, EOS, reward_score=0.0), response(WRONG, EOS)])
    assert read_record(stored[0].extra_fields).skipped is Skipped.SCORED_BY_AGENT_LOOP
    assert read_record(stored[1].extra_fields).strategy is Strategy.ANSWER

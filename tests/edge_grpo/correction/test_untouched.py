"""What error correction leaves exactly as it was sampled."""

import pytest
from support.error_correction import END, EOS, N42, RIGHT, SO, UNK, WRONG

from recipe.edge_grpo.correction.record import RECORD_KEY, CorrectionRecord
from recipe.edge_grpo.settings.choices import Strategy


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
    assert "max_tokens" not in run.first_pass_params


@pytest.mark.parametrize("strategy", list(Strategy))
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

"""The strategy that is drawn, and the tokens, mask and log-probabilities that it makes."""

import asyncio

import pytest
from support.error_correction import ANSWER, END, EOS, N42, SECRET, SO, TWO, WAIT, WRONG, Q

from recipe.edge_grpo.correction.draws import DrawPlace, draw_strategy
from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy


def test_reflection_lets_the_policy_continue_its_own_tokens(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO, N42, EOS))
    stored = run.sample(response(SO, WRONG, EOS))
    assert stored.response_ids == [SO, WRONG, WAIT, SO, N42, EOS]
    assert stored.response_mask == [1] * 6
    # sampled, injected (no log-probability), continued
    assert stored.response_logprobs == [-float(SO), -float(WRONG), 0.0, -0.5, -0.5, -0.5]
    (request,) = run.policy.requests
    assert request.prompt_ids == [Q, TWO, SO, WRONG, WAIT]
    # everything as in the first pass; 3 of 8 tokens are taken
    assert request.sampling_params == {"temperature": 0.6, "top_p": 0.9, "logprobs": True, "max_tokens": 5}
    assert run.record == CorrectionRecord(
        0.25, 0.0, True, Strategy.REFLECTION, injected_spans=((2, 3),), reflection_rounds=1, tokens_regenerated=3
    )


def test_answer_appends_the_text_with_the_ground_truth_and_eos(start, response):
    run = start(Strategy.ANSWER)
    stored = run.sample(response(SO, WRONG, EOS))
    assert stored.response_ids == [SO, WRONG, WAIT, ANSWER, N42, EOS]
    assert stored.response_mask == [1] * 6
    assert stored.response_logprobs == [-float(SO), -float(WRONG), 0.0, 0.0, 0.0, 0.0]
    assert run.record == CorrectionRecord(0.25, 0.0, True, Strategy.ANSWER, injected_spans=((2, 6),))
    assert run.policy.requests == []


@pytest.mark.parametrize("ground_truth", ["42", 42, ["42", "43"], ("42",)])
def test_the_answer_is_the_ground_truth_or_its_first_alternative(start, response, ground_truth):
    run = start(Strategy.ANSWER)
    stored = run.sample(response(WRONG), reward_model={"ground_truth": ground_truth})
    assert stored.response_ids == [WRONG, WAIT, ANSWER, N42, EOS]


@pytest.mark.parametrize(
    "reward_model", [None, {}, {"ground_truth": None}, {"ground_truth": " "}, {"ground_truth": []}]
)
def test_without_an_answer_the_answer_strategy_leaves_the_response_as_it_is(start, response, reward_model):
    run = start(Strategy.ANSWER)
    stored = run.sample(response(SO, WRONG, EOS), reward_model=reward_model)
    assert stored.response_ids == [SO, WRONG, EOS]
    assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.NO_ANSWER)


def test_without_an_answer_a_reference_solution_is_still_taken(start, response):
    run = start(Strategy.SOLUTION)
    stored = run.sample(response(WRONG, EOS), reward_model=None)
    assert stored.response_ids == [SECRET, SO, N42, EOS]


def test_solution_replaces_the_response_and_ends_with_eos(start, response):
    run = start(Strategy.SOLUTION)
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [SECRET, SO, N42, EOS]
    assert stored.response_mask == [1] * 4
    assert stored.response_logprobs == [0.0] * 4
    assert run.record == CorrectionRecord(0.25, 0.0, True, Strategy.SOLUTION, injected_spans=((0, 4),))


@pytest.mark.parametrize("extra_info", [None, {}, {"solution": None}, {"solution": ""}])
def test_a_missing_solution_falls_back_to_the_answer_and_is_recorded(start, response, extra_info):
    run = start(Strategy.SOLUTION)
    stored = run.sample(response(WRONG, EOS), extra_info=extra_info)
    assert stored.response_ids == [WRONG, WAIT, ANSWER, N42, EOS]
    assert run.record.strategy is Strategy.ANSWER
    assert run.record.answer_for_missing_solution


def test_a_row_without_extra_info_can_be_corrected(start, response):
    run = start(Strategy.SOLUTION)
    row = {"uid": "u", "session_id": 0, "global_steps": 1, "reward_model": {"ground_truth": "42"}}
    run.agent_loop_output = response(WRONG)
    asyncio.run(run.worker._run_agent_loop({}, {"validate": False}, agent_name="x", **row))
    assert run.stored.response_ids == [WRONG, WAIT, ANSWER, N42, EOS]


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_a_run_without_log_probabilities_stays_without(start, policy, response, strategy):
    run = start(strategy, policy(N42, EOS, log_probs=False))
    stored = run.sample(response(WRONG, EOS, log_probs=False))
    assert stored.response_logprobs is None
    assert len(stored.response_mask) == len(stored.response_ids)


def test_a_truncated_response_is_continued_as_it_is(start, policy, response):
    run = start(Strategy.REFLECTION, policy(N42, EOS))
    assert run.sample(response(SO, WRONG)).response_ids == [SO, WRONG, WAIT, N42, EOS]


def test_every_token_that_ends_a_response_is_dropped_before_more_is_said(start, response):
    run = start(Strategy.ANSWER)
    assert run.sample(response(WRONG, END, EOS)).response_ids == [WRONG, WAIT, ANSWER, N42, EOS]


def test_tokens_of_a_tool_stay_out_of_the_loss(start, response):
    run = start(Strategy.ANSWER)
    stored = run.sample(response(SO, TWO, WRONG, EOS, mask=[1, 0, 1, 1]))
    assert stored.response_mask == [1, 0, 1, 1, 1, 1, 1]


def test_draws_depend_on_the_place_in_the_run_and_not_on_the_order(start, policy, response):
    places = [(step, index, session) for step in (1, 2) for index in (0, 9) for session in range(8)]

    def drawn(places):
        run = start(policy=policy(N42))
        strategies = {}
        for step, index, session in places:
            run.sample(response(WRONG), global_steps=step, index=index, session=session)
            strategies[step, index, session] = run.record.strategy
        return strategies

    in_order = drawn(places)
    assert drawn(places[::-1]) == in_order
    assert drawn(places[20:]) == {place: in_order[place] for place in places[20:]}  # resumed in the second step
    assert len(set(in_order.values())) == 3
    shares = start().worker.edge_grpo_settings.gec.probabilities
    assert in_order == {
        (step, index, session): draw_strategy(shares, DrawPlace(0, step, index), session)
        for step, index, session in places
    }

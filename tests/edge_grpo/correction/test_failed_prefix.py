"""`edge_grpo.gec.failed_prefix_loss`: what the policy had sampled before a correction, in the loss or not."""

import pytest
from support.error_correction import ANSWER, EOS, N42, SO, TWO, WAIT, WRONG

from recipe.edge_grpo.correction.record import read_record, write_record
from recipe.edge_grpo.correction.tokens import ResponseTokens, sampled_spans, without_loss
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy

MASK = {"answer": "mask", "reflection": "mask"}


def test_a_failed_first_pass_before_an_answer_is_context_only(start, response):
    run = start(Strategy.ANSWER, failed_prefix_loss=MASK)
    stored = run.sample(response(SO, WRONG, EOS))
    assert stored.response_ids == [SO, WRONG, WAIT, ANSWER, N42, EOS]
    assert stored.response_mask == [0, 0, 1, 1, 1, 1]
    assert run.record.failed_prefix_spans == ((0, 2),)
    assert run.record.tokens_failed_prefix == 2


def test_a_failed_first_pass_before_a_reflection_is_context_and_what_follows_is_trained(start, policy, response):
    run = start(Strategy.REFLECTION, policy(N42, EOS), failed_prefix_loss=MASK)
    stored = run.sample(response(SO, WRONG, EOS))
    assert stored.response_ids == [SO, WRONG, WAIT, N42, EOS]
    assert stored.response_mask == [0, 0, 1, 1, 1]


def test_with_masked_injected_text_only_the_continuation_is_trained(start, policy, response):
    run = start(Strategy.REFLECTION, policy(N42, EOS), failed_prefix_loss=MASK, injected_loss="mask")
    assert run.sample(response(SO, WRONG, EOS)).response_mask == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("strategy", [Strategy.ANSWER, Strategy.REFLECTION])
def test_each_strategy_has_a_choice_of_its_own(start, policy, response, strategy):
    for masked in ("answer", "reflection"):
        run = start(strategy, policy(N42, EOS), failed_prefix_loss=MASK | {masked: "train"})
        stored = run.sample(response(SO, WRONG, EOS))
        is_trained = masked == strategy
        assert stored.response_mask[:2] == [int(is_trained)] * 2
        assert run.record.failed_prefix_spans == (() if is_trained else ((0, 2),))


@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_the_paper_trains_all_and_keeps_no_account(start, policy, response, strategy):
    run = start(strategy, policy(N42, EOS))
    assert set(run.sample(response(SO, WRONG, EOS)).response_mask) == {1}
    assert run.record.failed_prefix_spans == ()


def test_a_solution_keeps_nothing_of_the_first_pass(start, response):
    run = start(Strategy.SOLUTION, failed_prefix_loss=MASK)
    assert set(run.sample(response(SO, WRONG, EOS)).response_mask) == {1}
    assert run.record.failed_prefix_spans == ()


def test_a_weight_leaves_the_mask_and_notes_the_tokens(start, response):
    weighted = {"answer": "weight", "reflection": "train"}
    run = start(Strategy.ANSWER, failed_prefix_loss=weighted, failed_prefix_weight=0.5)
    assert run.sample(response(SO, WRONG, EOS)).response_mask == [1] * 6
    assert run.record.failed_prefix_spans == ((0, 2),)


def test_tokens_of_a_tool_are_none_of_the_policys(start, response):
    run = start(Strategy.ANSWER, failed_prefix_loss=MASK)
    stored = run.sample(response(SO, TWO, WRONG, EOS, mask=[1, 0, 1, 1]))
    assert stored.response_mask == [0, 0, 0, 1, 1, 1, 1]
    assert run.record.failed_prefix_spans == ((0, 1), (2, 3))


def test_a_continuation_that_failed_too_is_context_of_the_next_round(start, policy, response):
    run = start(Strategy.REFLECTION, policy(SO, EOS), failed_prefix_loss=MASK, reflection_rounds=2)
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, WAIT, SO, WAIT, SO, EOS]
    # failed, injected, failed, injected, and the last continuation with its EOS
    assert stored.response_mask == [0, 1, 0, 1, 1, 1]
    assert run.record.failed_prefix_spans == ((0, 1), (2, 3))


def test_a_correct_response_is_trained_whatever_the_choice(start, response):
    run = start(Strategy.ANSWER, failed_prefix_loss=MASK)
    assert run.sample(response(SO, N42, EOS)).response_mask == [1] * 3


def test_the_record_survives_its_way_through_a_storage_that_makes_lists_of_tuples(start, response):
    run = start(Strategy.ANSWER, failed_prefix_loss=MASK)
    run.sample(response(SO, WRONG, EOS))
    extra_fields = {}
    write_record(extra_fields, run.record)
    for name in ("injected_spans", "failed_prefix_spans"):
        extra_fields["edge_grpo"][name] = [list(span) for span in extra_fields["edge_grpo"][name]]
    assert read_record(extra_fields) == run.record


@pytest.mark.parametrize(
    ("mask", "end", "injected", "masked", "expected"),
    [
        ([1, 1, 1], 0, [], [], ()),
        ([0, 0], 2, [], [], ()),
        ([1, 1, 1, 1], 3, [(1, 2)], [], ((0, 1), (2, 3))),
        ([0, 1, 1, 0, 1], 5, [(1, 2)], [(0, 1)], ((0, 1), (2, 3), (4, 5))),
    ],
)
def test_sampled_spans_are_those_before_the_end_that_were_not_injected(mask, end, injected, masked, expected):
    assert sampled_spans(mask, end, injected, masked) == expected


def test_leaving_tokens_out_of_the_loss_changes_their_mask_alone():
    tokens = ResponseTokens([5, 6, 7], [1, 1, 1], [-0.1, -0.2, -0.3])
    left = without_loss(tokens, [(0, 1), (2, 3)])
    assert (left.ids, left.mask, left.log_probs) == ([5, 6, 7], [0, 1, 0], [-0.1, -0.2, -0.3])
    assert tokens.mask == [1, 1, 1]

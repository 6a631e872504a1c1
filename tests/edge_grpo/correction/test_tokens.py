"""Guided error correction on token ids: what is composed from a response and a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.edge_grpo.correction.tokens import (
    ResponseTokens,
    answer_text,
    append_answer,
    append_reflection,
    injected,
    replace_by_solution,
    without_final_eos,
)

EOS = 9
EOS_IDS = {EOS, 8}


def sampled(*ids):
    """A response as the policy samples it, with a log-probability that tells which token it belongs to."""
    return ResponseTokens(list(ids), [1] * len(ids), [-float(token_id) for token_id in ids])


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ((1, 2, EOS), [1, 2]),
        ((1, 2, 8, EOS), [1, 2]),  # every id that ends a response, and all that stand at the end
        ((1, EOS, 2), [1, EOS, 2]),  # truncated: the last token is none of them
        ((EOS,), []),
        ((), []),
    ],
)
def test_only_closing_eos_tokens_are_dropped(ids, expected):
    kept = without_final_eos(sampled(*ids), EOS_IDS)
    assert kept == sampled(*expected)


def test_injected_tokens_count_in_the_loss_and_have_no_log_probability():
    assert injected((4, 5)) == ResponseTokens([4, 5], [1, 1], None)


def test_adding_fills_missing_log_probabilities_with_zero():
    assert sampled(1, 2) + injected([4, 5]) == ResponseTokens([1, 2, 4, 5], [1, 1, 1, 1], [-1.0, -2.0, 0.0, 0.0])


def test_a_run_without_log_probabilities_stays_without():
    response = ResponseTokens([1], [1], None)
    assert (response + sampled(2)).log_probs is None
    assert (response + injected([3])).log_probs is None


def test_masks_of_a_tool_s_tokens_survive_correction():
    response = ResponseTokens([1, 2, 3, EOS], [1, 0, 1, 1], [-1.0, 0.0, -3.0, -9.0])
    corrected = append_answer(response, [4], EOS, EOS_IDS, response_length=10)
    assert corrected.tokens == ResponseTokens([1, 2, 3, 4, EOS], [1, 0, 1, 1, 1], [-1.0, 0.0, -3.0, 0.0, 0.0])


def test_reflection_drops_eos_appends_the_text_and_leaves_the_end_open():
    corrected = append_reflection(sampled(1, 2, EOS), [5, 6], EOS_IDS, response_length=10)
    assert corrected.tokens == ResponseTokens([1, 2, 5, 6], [1, 1, 1, 1], [-1.0, -2.0, 0.0, 0.0])
    assert (corrected.injected_start, corrected.injected_end) == (2, 4)


def test_reflection_needs_room_for_at_least_one_more_token():
    # 2 kept + 2 injected = 4: one token fits into 5, none into 4
    assert append_reflection(sampled(1, 2, EOS), [5, 6], EOS_IDS, response_length=5) is not None
    assert append_reflection(sampled(1, 2, EOS), [5, 6], EOS_IDS, response_length=4) is None


def test_answer_drops_eos_appends_the_text_and_ends_with_eos():
    corrected = append_answer(sampled(1, 2, 8), [5, 6], EOS, EOS_IDS, response_length=10)
    assert corrected.tokens == ResponseTokens([1, 2, 5, 6, EOS], [1] * 5, [-1.0, -2.0, 0.0, 0.0, 0.0])
    assert (corrected.injected_start, corrected.injected_end) == (2, 5)


def test_answer_may_fill_the_response_length_and_not_exceed_it():
    # 2 kept + 2 injected + EOS = 5
    assert append_answer(sampled(1, 2, EOS), [5, 6], EOS, EOS_IDS, response_length=5) is not None
    assert append_answer(sampled(1, 2, EOS), [5, 6], EOS, EOS_IDS, response_length=4) is None


def test_solution_keeps_nothing_of_the_response_and_ends_with_eos():
    corrected = replace_by_solution(sampled(1, 2, EOS), [5, 6], EOS, response_length=10)
    assert corrected.tokens == ResponseTokens([5, 6, EOS], [1, 1, 1], [0.0, 0.0, 0.0])
    assert (corrected.injected_start, corrected.injected_end) == (0, 3)


def test_solution_is_never_cut():
    assert replace_by_solution(sampled(1), [5, 6], EOS, response_length=3) is not None
    assert replace_by_solution(sampled(1), [5, 6], EOS, response_length=2) is None


def test_a_solution_that_may_be_cut_fills_the_response_length_and_has_no_eos():
    corrected = replace_by_solution(sampled(1), [5, 6, 7], EOS, response_length=2, may_cut=True)
    assert corrected.tokens == ResponseTokens([5, 6], [1, 1], [0.0, 0.0])
    assert (corrected.injected_start, corrected.injected_end) == (0, 2)
    whole = replace_by_solution(sampled(1), [5, 6, 7], EOS, response_length=4, may_cut=True)
    assert whole.tokens.ids == [5, 6, 7, EOS]


def test_text_that_is_context_only_is_out_of_the_loss_and_what_was_sampled_is_in():
    assert injected([4, 5], in_loss=False) == ResponseTokens([4, 5], [0, 0], None)
    response = ResponseTokens([1, 2, EOS], [1, 0, 1])  # 2 is a tool's
    assert append_reflection(response, [5], EOS_IDS, 10, in_loss=False).tokens.mask == [1, 0, 0]
    assert append_answer(response, [5], EOS, EOS_IDS, 10, in_loss=False).tokens.mask == [1, 0, 0, 0]
    assert replace_by_solution(response, [5, 6], EOS, 10, in_loss=False).tokens.mask == [0, 0, 0]
    assert replace_by_solution(response, [5, 6], EOS, 1, in_loss=False, may_cut=True).tokens.mask == [0]


def test_a_solution_for_a_run_without_log_probabilities_has_none():
    corrected = replace_by_solution(ResponseTokens([1], [1], None), [5], EOS, response_length=10)
    assert corrected.tokens == ResponseTokens([5, EOS], [1, 1], None)


@given(
    ids=st.lists(st.integers(1, EOS), max_size=12),
    text=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    response_length=st.integers(1, 20),
    has_log_probs=st.booleans(),
)
def test_whatever_is_composed_fits_marks_its_span_and_keeps_all_lists_of_one_length(
    ids, text, response_length, has_log_probs
):
    response = sampled(*ids) if has_log_probs else ResponseTokens(ids, [1] * len(ids), None)
    before = ResponseTokens(list(ids), [1] * len(ids), None if not has_log_probs else list(response.log_probs))
    for corrected, expected_span in (
        (append_reflection(response, text, EOS_IDS, response_length), text),
        (append_answer(response, text, EOS, EOS_IDS, response_length), [*text, EOS]),
        (replace_by_solution(response, text, EOS, response_length), [*text, EOS]),
    ):
        if corrected is None:
            continue
        tokens = corrected.tokens
        assert len(tokens.ids) <= response_length
        assert len(tokens.mask) == len(tokens.ids)
        assert (tokens.log_probs is not None) == has_log_probs
        assert not has_log_probs or len(tokens.log_probs) == len(tokens.ids)
        assert tokens.ids[corrected.injected_start : corrected.injected_end] == expected_span
        assert tokens.ids[: corrected.injected_start] == ids[: corrected.injected_start]
    assert response == before  # the sampled response itself is never changed


@pytest.mark.parametrize("answer", ["42", r"\frac{1}{2}", "{x}", "{answer}", r"\1 \g<0> %s"])
def test_the_answer_is_put_into_the_text_as_it_is(answer):
    assert answer_text("it is \\boxed{{answer}}.", answer) == "it is \\boxed{" + answer + "}."

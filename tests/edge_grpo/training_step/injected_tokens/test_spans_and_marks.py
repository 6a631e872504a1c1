"""Where injected tokens are, and how that travels in the sign of the importance weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.edge_grpo.training_step.injected_tokens import MARK, injected_mask, mark_injected, split_marked

NUM_TOKENS = 6

spans_of_response = st.lists(
    st.tuples(st.integers(0, NUM_TOKENS), st.integers(0, NUM_TOKENS)).map(sorted).map(tuple), max_size=3
)
weight = st.floats(0, 1e6, width=32)


@st.composite
def marked_batches(draw):
    """(is_injected, importance_weights), at least one token."""
    num_rows, num_tokens = draw(st.integers(1, 4)), draw(st.integers(1, NUM_TOKENS))

    def matrix(elements):
        row = st.lists(elements, min_size=num_tokens, max_size=num_tokens)
        return torch.tensor(draw(st.lists(row, min_size=num_rows, max_size=num_rows)))

    return matrix(st.booleans()), matrix(weight)


def test_a_span_holds_its_start_and_not_its_end():
    is_injected = injected_mask([[(1, 3), (4, 5)], [], [(0, 5)], [(2, 2)]], length=5)
    assert is_injected.dtype == torch.bool
    assert is_injected.int().tolist() == [
        [0, 1, 1, 0, 1],
        [0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0],  # an empty span
    ]


def test_no_responses_and_no_tokens_give_an_empty_mask():
    assert injected_mask([], length=3).shape == (0, 3)
    assert injected_mask([[], []], length=0).shape == (2, 0)


@pytest.mark.parametrize("span", [(-1, 2), (3, 2), (0, 6), (6, 6)])
def test_a_span_outside_the_response_is_refused(span):
    with pytest.raises(ValueError, match=r"of response 1 is not inside its 5 tokens"):
        injected_mask([[(0, 1)], [span]], length=5)


@settings(deadline=None)
@given(st.lists(spans_of_response, max_size=4))
def test_a_token_is_injected_if_and_only_if_one_of_the_spans_holds_it(spans):
    is_injected = injected_mask(spans, NUM_TOKENS)
    assert is_injected.tolist() == [
        [any(start <= token < end for start, end in row) for token in range(NUM_TOKENS)] for row in spans
    ]


def test_without_importance_weights_a_sampled_token_weighs_1():
    is_injected = torch.tensor([[False, True, False]])
    marked = mark_injected(is_injected, None)
    assert marked.dtype == torch.float32
    assert marked.tolist() == [[1.0, MARK, 1.0]]


def test_a_rejected_token_keeps_its_weight_of_0_and_is_not_taken_for_injected():
    is_injected, weights = split_marked(mark_injected(torch.tensor([[False, True]]), torch.tensor([[0.0, 0.0]])))
    assert is_injected.tolist() == [[False, True]]
    assert weights.tolist() == [[0.0, 1.0]]


@settings(deadline=None)
@given(marked_batches())
def test_taking_apart_gives_back_the_mask_and_the_weights_of_sampled_tokens(batch):
    is_injected, importance_weights = batch
    marked = mark_injected(is_injected, importance_weights)
    assert marked.dtype == importance_weights.dtype
    split_is_injected, split_weights = split_marked(marked)
    assert torch.equal(split_is_injected, is_injected)
    assert torch.equal(split_weights[~is_injected], importance_weights[~is_injected])
    assert (split_weights[is_injected] == 1).all()


def test_marks_survive_the_rounding_of_a_narrower_type():
    is_injected = torch.tensor([[True, False, False]])
    marked = mark_injected(is_injected, torch.tensor([[0.3, 1e-12, 0.0]]))
    assert torch.equal(split_marked(marked.to(torch.bfloat16))[0], is_injected)


@pytest.mark.parametrize("bad", [-1.0, -1e-9, float("nan")])
def test_a_sampled_token_with_a_weight_that_could_be_a_mark_is_refused(bad):
    importance_weights = torch.tensor([[1.0, 1.0], [1.0, bad]])
    with pytest.raises(ValueError) as refusal:
        mark_injected(torch.zeros(2, 2, dtype=torch.bool), importance_weights)
    assert str(refusal.value) == (
        f"the importance weight of token 1 of response 1 is {importance_weights[1, 1].item()}; "
        "a negative one cannot be told from the mark of an injected token"
    )
    marked = mark_injected(torch.tensor([[False, False], [False, True]]), importance_weights)  # replaced by the mark
    assert marked.tolist() == [[1.0, 1.0], [1.0, MARK]]


def test_marks_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"is_injected \(1, 3\), importance_weights \(2, 3\)"):
        mark_injected(torch.zeros(1, 3, dtype=torch.bool), torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"one and the same shape \(B, T\)"):
        mark_injected(torch.zeros(3, dtype=torch.bool), None)

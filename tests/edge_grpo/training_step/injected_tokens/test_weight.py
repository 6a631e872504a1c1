"""`weight`: the advantage of injected tokens is scaled, and their loss with it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.edge_grpo.training_step.injected_tokens import weight_tokens

seeds = st.integers(0, 2**32 - 1)
weights = st.floats(0, 4)


def test_only_injected_advantages_are_scaled():
    advantages = torch.tensor([[2.0, 2.0, 2.0], [-3.0, -3.0, -3.0]])
    is_injected = torch.tensor([[False, True, True], [True, False, False]])
    assert weight_tokens(advantages, is_injected, 0.25).tolist() == [[2.0, 0.5, 0.5], [-0.75, -3.0, -3.0]]


@settings(deadline=None)
@given(seeds)
def test_a_weight_of_1_changes_nothing(random_batch, seed):
    batch = random_batch(seed, torch.float32)
    assert torch.equal(weight_tokens(batch["advantages"], batch["is_injected"], 1.0), batch["advantages"])


@settings(deadline=None)
@given(seeds, weights)
def test_scaling_the_advantage_scales_verls_loss_and_gradient_of_injected_tokens(random_batch, verl_loss, seed, weight):
    """Through the clip and the dual clip, with verl's importance weights."""
    batch = random_batch(seed)
    weighted = {**batch, "advantages": weight_tokens(batch["advantages"], batch["is_injected"], weight)}
    for tokens, factor in ((batch["is_injected"], weight), (~batch["is_injected"], 1.0)):
        mask = {"response_mask": batch["response_mask"] & tokens}
        loss, gradient, _ = verl_loss("vanilla", {**batch, **mask}, batch["importance_weights"], "token-sum")
        scaled_loss, scaled_gradient, _ = verl_loss(
            "vanilla", {**weighted, **mask}, batch["importance_weights"], "token-sum"
        )
        torch.testing.assert_close(scaled_loss, factor * loss)
        torch.testing.assert_close(scaled_gradient, factor * gradient)


@settings(deadline=None)
@given(seeds)
def test_a_weight_of_0_is_the_mask_but_for_the_number_of_tokens_that_the_loss_is_divided_by(
    random_batch, verl_loss, seed
):
    batch = random_batch(seed)
    is_sampled = batch["response_mask"] & ~batch["is_injected"]
    _, masked, _ = verl_loss("vanilla", {**batch, "response_mask": is_sampled}, None)
    weighted = {**batch, "advantages": weight_tokens(batch["advantages"], batch["is_injected"], 0.0)}
    _, unweighted, _ = verl_loss("vanilla", weighted, None)
    torch.testing.assert_close(unweighted * batch["response_mask"].sum(), masked * is_sampled.sum())


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_that_would_turn_or_break_the_loss_is_refused(weight):
    with pytest.raises(ValueError, match="finite number of at least 0"):
        weight_tokens(torch.ones(1, 1), torch.ones(1, 1, dtype=torch.bool), weight)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"advantages \(2, 1\), is_weighted \(2, 3\)"):
        weight_tokens(torch.ones(2, 1), torch.ones(2, 3, dtype=torch.bool), 0.5)

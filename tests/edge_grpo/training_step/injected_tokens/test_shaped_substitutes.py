"""What stands for an injected token so that a clipped loss computes -A f(p), f(p) = p / (p + gamma)."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.edge_grpo.training_step.injected_tokens import shaped_substitutes

log_probs = st.floats(-1e4, 0, width=32)
gammas = st.floats(0.01, 10)


def substitutes_of_token(log_prob, old_log_prob=-1.0, gamma=0.1, is_injected=True, dtype=torch.float32):
    """log_prob, its gradient by the current log_prob, and the weight."""
    current = torch.tensor([[log_prob]], dtype=dtype, requires_grad=True)
    substituted, weights = shaped_substitutes(
        current, torch.tensor([[old_log_prob]], dtype=dtype), torch.tensor([[is_injected]]), torch.ones(1, 1), gamma
    )
    assert not weights.requires_grad
    (gradient,) = torch.autograd.grad(substituted.sum(), current)
    return substituted.item(), gradient.item(), weights.item()


@pytest.mark.parametrize(
    ("probability", "shaped", "gradient"),
    [
        (0.1, 0.5, 0.5),  # 0.1 / 0.2; d log f / d log p = gamma / (p + gamma) = 0.1 / 0.2
        (0.4, 0.8, 0.2),  # 0.4 / 0.5; 0.1 / 0.5
        (1.0, 1 / 1.1, 1 / 11),  # a certain token: 0.1 / 1.1
        (0.001, 1 / 101, 100 / 101),  # 0.001 / 0.101; 0.1 / 0.101
    ],
)
def test_hand_worked_tokens(probability, shaped, gradient):
    log_prob, log_prob_gradient, weight = substitutes_of_token(math.log(probability), old_log_prob=-3.7)
    assert log_prob == pytest.approx(-3.7)
    assert weight == pytest.approx(shaped, rel=1e-6)
    assert log_prob_gradient == pytest.approx(gradient, rel=1e-6)


@settings(deadline=None)
@given(log_probs, log_probs, gammas)
def test_the_ratio_is_exactly_1_so_that_nothing_is_clipped(log_prob, old_log_prob, gamma):
    substituted, _, _ = substitutes_of_token(log_prob, old_log_prob, gamma)
    assert substituted == old_log_prob


@settings(deadline=None)
@given(st.floats(-30, 0), gammas)
def test_weight_and_gradient_are_those_of_the_shaping_function(log_prob, gamma):
    _, gradient, weight = substitutes_of_token(log_prob, gamma=gamma, dtype=torch.float64)
    probability = math.exp(log_prob)
    assert weight == pytest.approx(probability / (probability + gamma), rel=1e-9)
    assert weight * gradient == pytest.approx(gamma * probability / (probability + gamma) ** 2, rel=1e-9)


def test_a_token_that_the_policy_cannot_write_has_weight_0_and_a_finite_gradient():
    log_prob, gradient, weight = substitutes_of_token(-1e4)
    assert (log_prob, gradient, weight) == (-1.0, 1.0, 0.0)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_sampled_tokens_stay_as_they_are(random_batch, seed):
    batch = random_batch(seed, torch.float32)
    log_prob = batch["log_prob"].clone().requires_grad_()
    is_sampled = ~batch["is_injected"]
    substituted, weights = shaped_substitutes(
        log_prob, batch["old_log_prob"], batch["is_injected"], batch["importance_weights"], 0.1
    )
    assert torch.equal(substituted[is_sampled], log_prob[is_sampled])
    assert torch.equal(weights[is_sampled], batch["importance_weights"][is_sampled])
    (gradient,) = torch.autograd.grad(substituted[is_sampled].sum(), log_prob)
    assert torch.equal(gradient, is_sampled.float())


def test_importance_weights_of_injected_tokens_do_not_count():
    tensors = [torch.full((1, 2), -1.0), torch.full((1, 2), -1.0), torch.tensor([[True, False]])]
    _, weights = shaped_substitutes(*tensors, torch.tensor([[7.0, 7.0]]), gamma=0.1)
    assert weights.tolist()[0] == pytest.approx([math.exp(-1) / (math.exp(-1) + 0.1), 7.0])


@pytest.mark.parametrize("gamma", [0.0, -0.1, float("nan")])
def test_a_gamma_that_is_not_positive_is_refused(gamma):
    with pytest.raises(ValueError, match="gamma must be above 0"):
        substitutes_of_token(-1.0, gamma=gamma)


@pytest.mark.parametrize("name", ["log_prob", "old_log_prob", "is_injected", "importance_weights"])
def test_a_tensor_of_another_shape_is_refused(name):
    tensors = {name: torch.zeros(2, 3) for name in ("log_prob", "old_log_prob", "is_injected", "importance_weights")}
    with pytest.raises(ValueError, match=rf"{name} \(2, 1\).* must have one and the same shape"):
        shaped_substitutes(**{**tensors, name: torch.zeros(2, 1)}, gamma=0.1)

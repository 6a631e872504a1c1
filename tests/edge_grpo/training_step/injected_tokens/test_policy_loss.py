"""`edge_grpo_shaped` as verl calls it, against a slow version and against verl's own vanilla loss."""

import inspect
import math

import pytest
import torch
from hydra.errors import InstantiationException
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.edge_grpo.names import POLICY_LOSS
from recipe.edge_grpo.training_step.injected_tokens import mark_injected, weight_tokens
from recipe.edge_grpo.training_step.policy_loss import GAMMA, edge_grpo_shaped_loss

seeds = st.integers(0, 2**32 - 1)


def marks_of(batch):
    return mark_injected(batch["is_injected"], batch["importance_weights"])


@pytest.fixture(scope="session")
def slow_loss_and_gradient(slow_clipped_loss, slow_shaped_loss):
    """Token by token, then aggregated by verl."""
    from verl.trainer.ppo.core_algos import agg_loss

    def slow_loss_and_gradient(batch, mode, **global_batch_info):
        log_prob = batch["log_prob"].clone().requires_grad_()
        losses = torch.zeros_like(log_prob)
        for row, token in batch["response_mask"].nonzero().tolist():
            place, advantage = (row, token), batch["advantages"][row, token]
            if batch["is_injected"][place]:
                losses[place] = slow_shaped_loss(log_prob[place], advantage)
            else:
                loss = slow_clipped_loss(log_prob[place], batch["old_log_prob"][place], advantage)
                losses[place] = batch["importance_weights"][place] * loss
        loss = agg_loss(losses, batch["response_mask"], mode, **global_batch_info)
        return loss.detach(), torch.autograd.grad(loss, log_prob)[0]

    return slow_loss_and_gradient


@pytest.mark.slow
@pytest.mark.parametrize("global_batch_info", [{}, {"dp_size": 2, "batch_num_tokens": 300, "global_batch_size": 16}])
@pytest.mark.parametrize("mode", ["token-mean", "seq-mean-token-mean", "seq-mean-token-sum-norm"])
@settings(deadline=None, max_examples=10)
@given(seed=seeds)
def test_loss_and_gradient_are_those_of_the_slow_version(
    random_batch, verl_loss, slow_loss_and_gradient, mode, global_batch_info, seed
):
    batch = random_batch(seed)
    expected_loss, expected_gradient = slow_loss_and_gradient(batch, mode, **global_batch_info)
    loss, gradient, _ = verl_loss(POLICY_LOSS, batch, marks_of(batch), mode, **global_batch_info)
    torch.testing.assert_close(loss, expected_loss)
    torch.testing.assert_close(gradient, expected_gradient)


@pytest.mark.slow
@pytest.mark.parametrize("has_importance_weights", [True, False])
@settings(deadline=None)
@given(seed=seeds)
def test_without_an_injected_token_it_is_verls_vanilla_loss_exactly(
    random_batch, verl_loss, has_importance_weights, seed
):
    batch = random_batch(seed, torch.float32)
    importance_weights = batch["importance_weights"] if has_importance_weights else None
    marks = mark_injected(torch.zeros_like(batch["is_injected"]), importance_weights)
    loss, gradient, metrics = verl_loss(POLICY_LOSS, batch, marks)
    expected_loss, expected_gradient, expected_metrics = verl_loss("vanilla", batch, importance_weights)
    assert torch.equal(loss, expected_loss)
    assert torch.equal(gradient, expected_gradient)
    assert metrics == expected_metrics


@pytest.mark.slow
@settings(deadline=None)
@given(seed=seeds, probability=st.floats(1e-4, 1))
def test_before_the_first_update_it_weighs_the_gradient_by_what_the_shaping_function_passes_on(
    random_batch, verl_loss, seed, probability
):
    """On-policy, the gradient is that of `weight` with gamma p / (p + gamma)^2."""
    batch = random_batch(seed)
    batch["log_prob"] = torch.where(batch["is_injected"], math.log(probability), batch["log_prob"])
    batch["old_log_prob"] = batch["log_prob"]
    marks = mark_injected(batch["is_injected"], None)
    _, shaped_gradient, _ = verl_loss(POLICY_LOSS, batch, marks)
    weight = GAMMA * probability / (probability + GAMMA) ** 2
    weighted = {**batch, "advantages": weight_tokens(batch["advantages"], batch["is_injected"], weight)}
    _, weighted_gradient, _ = verl_loss("vanilla", weighted, None)
    torch.testing.assert_close(shaped_gradient, weighted_gradient)


def test_the_metrics_count_injected_tokens_as_unclipped_and_without_divergence(verl_loss):
    batch = {
        # one response: a sampled token at ratio 2 and one at ratio 1, an injected one that fell from e^-1 to e^-9
        "log_prob": torch.tensor([[-1.0, -2.0, -9.0, -1.0]]),
        "old_log_prob": torch.tensor([[-1.0 - math.log(2), -2.0, -1.0, -1.0]]),
        "advantages": torch.tensor([[1.0, 1.0, 1.0, 1.0]]),
        "response_mask": torch.tensor([[True, True, True, False]]),
    }
    marks = mark_injected(torch.tensor([[False, False, True, False]]), None)
    _, _, metrics = verl_loss(POLICY_LOSS, batch, marks)
    assert metrics == {
        "actor/pg_clipfrac": pytest.approx(1 / 3),  # the token at ratio 2
        "actor/ppo_kl": pytest.approx(-math.log(2) / 3),  # mean of old - new: -log 2, 0 and 0
        "actor/pg_clipfrac_lower": 0.0,
    }
    assert set(metrics) == set(verl_loss("vanilla", batch, None)[2])


def test_a_token_that_the_policy_cannot_write_leaves_loss_and_gradient_finite(verl_loss):
    batch = {
        "log_prob": torch.tensor([[-1e4, 0.0]]),
        "old_log_prob": torch.tensor([[-1e4, 0.0]]),
        "advantages": torch.tensor([[-1.0, -1.0]]),
        "response_mask": torch.ones(1, 2, dtype=torch.bool),
    }
    loss, gradient, _ = verl_loss(POLICY_LOSS, batch, mark_injected(torch.ones(1, 2, dtype=torch.bool), None))
    # f(0) = 0 and f(1) = 1 / 1.1; the mean of 0 and 1 / 1.1, and of 0 and 0.1 / 1.1^2
    assert loss.item() == pytest.approx(1 / 1.1 / 2)
    assert gradient.tolist()[0] == pytest.approx([0.0, 0.1 / 1.1**2 / 2])


def test_a_batch_without_marks_is_refused_and_the_message_names_both_keys(random_batch, verl_loss):
    with pytest.raises(RuntimeError, match=r"policy_loss\.loss_mode=edge_grpo_shaped.*gec\.injected_loss=shaped"):
        verl_loss(POLICY_LOSS, random_batch(0), None)


def test_verl_finds_the_loss_by_its_name_and_hands_it_what_it_hands_its_own():
    from verl.trainer.ppo.core_algos import get_policy_loss_fn

    assert get_policy_loss_fn("edge_grpo_shaped") is edge_grpo_shaped_loss
    vanilla = get_policy_loss_fn("vanilla")
    assert list(inspect.signature(edge_grpo_shaped_loss).parameters) == list(inspect.signature(vanilla).parameters)


def test_verls_configuration_takes_the_name_and_has_no_place_for_gamma(compose):
    """With a free key in `policy_loss`, gamma need not be a constant any more."""
    from verl.utils.config import omega_conf_to_dataclass

    policy_loss = "actor_rollout_ref.actor.policy_loss"
    config = compose(f"{policy_loss}.loss_mode=edge_grpo_shaped", "actor_rollout_ref.actor.use_dynamic_bsz=True")
    config.actor_rollout_ref.actor.strategy = "fsdp2"
    assert omega_conf_to_dataclass(config.actor_rollout_ref.actor).policy_loss.loss_mode == POLICY_LOSS
    with pytest.raises(InstantiationException, match="unexpected keyword argument 'gamma'"):
        omega_conf_to_dataclass({**config.actor_rollout_ref.actor.policy_loss, "gamma": 0.1})

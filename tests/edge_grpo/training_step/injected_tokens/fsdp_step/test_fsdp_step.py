"""What an update by verl's own worker does to the weights of a policy, for each way to treat injected tokens.

The worker is verl's `ActorRolloutRefWorker` with its FSDP2 engine and its `ppo_loss`, in one process on the CPU. The
gradients that its optimizer receives are compared with plain autograd in double precision.
"""

import math

import pytest
import torch

pytestmark = [pytest.mark.process, pytest.mark.seam, pytest.mark.timeout(300)]

ROUNDING = 1e-6
"""Relative, of the gradient as one vector; what single precision leaves is some 3e-7."""


@pytest.fixture(scope="module")
def num_tokens(is_injected):
    return sum(map(len, is_injected))


@pytest.fixture(scope="module")
def num_sampled(is_injected):
    return sum(int((~injected).sum()) for injected in is_injected)


@pytest.fixture(scope="module")
def parameters_before(model):
    return {name: parameter.detach().float() for name, parameter in model.named_parameters()}


def relative_difference(gradients, expected):
    assert gradients.keys() == expected.keys()
    squared = sum((gradients[name].double() - expected[name].double()).square().sum() for name in expected)
    return (squared / sum(value.double().square().sum() for value in expected.values())).sqrt().item()


def same(left, right):
    assert left.keys() == right.keys() and left
    return all(torch.equal(left[name], right[name]) for name in left)


def scaled(gradients, factor):
    return {name: value * factor for name, value in gradients.items()}


def test_trained_injected_tokens_count_as_if_the_policy_had_sampled_them(
    results, expected_gradients, is_injected, num_tokens
):
    expected = expected_gradients([torch.ones(len(row)) / num_tokens for row in is_injected])
    assert relative_difference(results["train"]["gradients"], expected) < ROUNDING
    assert results["train"]["metrics"]["actor/pg_clipfrac"] > 0


def test_masked_injected_tokens_leave_the_gradient_of_the_sampled_tokens(
    results, expected_gradients, is_injected, num_sampled
):
    expected = expected_gradients([~injected / num_sampled for injected in is_injected])
    assert relative_difference(results["mask"]["gradients"], expected) < ROUNDING
    assert relative_difference(results["train"]["gradients"], expected) > 0.1


def test_a_masked_failed_prefix_leaves_the_gradient_of_what_came_after_it(
    results, expected_gradients, has_credit, num_tokens
):
    expected = expected_gradients([kept / (num_tokens - 3) for kept in has_credit])  # 2 + 1 tokens are context
    assert relative_difference(results["failed prefix, mask"]["gradients"], expected) < ROUNDING
    assert relative_difference(results["train"]["gradients"], expected) > 0.01
    assert same(results["failed prefix, mask, poked"]["gradients"], results["failed prefix, mask"]["gradients"])


def test_what_stands_at_masked_positions_changes_nothing(results):
    assert same(results["mask, poked"]["gradients"], results["mask"]["gradients"])
    assert same(results["mask, poked"]["parameters"], results["mask"]["parameters"])


def test_masked_responses_leave_every_parameter_as_it_was_and_trained_ones_do_not(results, parameters_before):
    masked, trained = results["whole responses, mask"], results["whole responses, train"]
    assert all((gradient == 0).all() for gradient in masked["gradients"].values())
    assert same(masked["parameters"], parameters_before)
    for name, parameter in trained["parameters"].items():
        assert not torch.equal(parameter, parameters_before[name]), name


@pytest.mark.parametrize("name", ["nothing sampled", "nothing sampled, sequence mean"])
def test_a_mini_batch_without_a_sampled_token_leaves_every_parameter_as_it_was(results, parameters_before, name):
    assert results[name]["metrics"]["grad_norm"] == 0.0
    assert same(results[name]["parameters"], parameters_before)


def test_verl_reports_the_mean_over_no_tokens_as_not_a_number(results):
    """Only the reported loss is: no gradient flows out of it."""
    assert math.isnan(results["nothing sampled"]["metrics"]["actor/pg_loss"])
    assert results["nothing sampled, sequence mean"]["metrics"]["actor/pg_loss"] == 0.0


def test_the_loss_mask_counts_the_tokens_and_the_response_mask_selects_them(results, num_tokens, num_sampled):
    """So `mask` has to write both, as verl's agent loop does when it stores a response."""
    expected = scaled(results["mask"]["gradients"], num_sampled / num_tokens)
    assert relative_difference(results["mask in response_mask only"]["gradients"], expected) < ROUNDING


def test_a_sequence_mean_divides_by_the_sampled_tokens_of_the_response_and_by_all_responses(
    results, expected_gradients, is_injected
):
    factors = [~injected / ((~injected).sum() * len(is_injected)) for injected in is_injected]
    expected = expected_gradients(factors)
    assert relative_difference(results["mask, sequence mean"]["gradients"], expected) < ROUNDING


def test_a_weight_scales_the_gradient_of_injected_tokens(results, expected_gradients, is_injected, num_tokens):
    expected = expected_gradients([torch.where(injected, 0.5, 1.0) / num_tokens for injected in is_injected])
    assert relative_difference(results["weight 0.5"]["gradients"], expected) < ROUNDING


def test_a_weight_of_0_is_the_mask_but_injected_tokens_count_in_the_mean(results, num_tokens, num_sampled):
    expected = scaled(results["mask"]["gradients"], num_sampled / num_tokens)
    assert relative_difference(results["weight 0"]["gradients"], expected) < ROUNDING


def test_shaped_tokens_get_the_gradient_of_the_shaping_function(results, expected_gradients, is_injected, num_tokens):
    factors = [torch.ones(len(row)) / num_tokens for row in is_injected]
    expected = expected_gradients(factors, is_shaped=is_injected)
    assert relative_difference(results["shaped"]["gradients"], expected) < ROUNDING
    assert relative_difference(results["train"]["gradients"], expected) > 0.1


def test_shaped_tokens_are_aggregated_as_any_other(results, expected_gradients, is_injected):
    factors = [torch.ones(len(row)) / (len(row) * len(is_injected)) for row in is_injected]
    expected = expected_gradients(factors, is_shaped=is_injected)
    assert relative_difference(results["shaped, sequence mean"]["gradients"], expected) < ROUNDING


def test_shaping_changes_nothing_where_nothing_was_injected(results):
    shaped, trained = results["shaped, nothing injected"], results["train"]
    assert same(shaped["gradients"], trained["gradients"])
    assert same(shaped["parameters"], trained["parameters"])
    assert shaped["metrics"] == trained["metrics"]

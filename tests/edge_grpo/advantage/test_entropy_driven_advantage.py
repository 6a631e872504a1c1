"""The advantage divided by the entropy ratio, and all steps together."""

import pytest
import torch

from recipe.edge_grpo.advantage import (
    SMALLEST_RATIO,
    entropy_driven_advantage,
    entropy_ratio,
    group_relative_advantage,
    mean_response_entropy,
    raw_and_scaled_advantages,
)


def test_entropy_driven_advantage_is_the_quotient():
    # 1 / 0.5 = 2; -1 / 2 = -0.5; 0.5 / 1 = 0.5
    scaled = entropy_driven_advantage(torch.tensor([1.0, -1.0, 0.5]), torch.tensor([0.5, 2.0, 1.0]))
    assert scaled.tolist() == [2.0, -0.5, 0.5]


def test_a_confident_correct_response_gains_and_a_confident_wrong_one_loses_more():
    # entropies 1, 3 | 1, 3: ratios 0.5, 1.5 in both groups of one correct pair and one wrong pair
    ratio = entropy_ratio(torch.tensor([1.0, 3.0, 1.0, 3.0]), torch.tensor([0, 0, 1, 1]))
    confident_right, unsure_right, confident_wrong, unsure_wrong = entropy_driven_advantage(
        torch.tensor([1.0, 1.0, -1.0, -1.0]), ratio
    ).tolist()
    assert confident_right > 1 > unsure_right > 0
    assert confident_wrong < -1 < unsure_wrong < 0


def test_advantages_are_scaled_by_the_std_unless_told_otherwise():
    # rewards 3, 1: mean 2, std sqrt(2): +-1 / (sqrt(2) + 1e-6), or +-1; ratios 0.5 and 2
    rewards, group_index, ratio = torch.tensor([3.0, 1.0]), torch.tensor([0, 0]), torch.tensor([0.5, 2.0])
    raw_advantages, scaled = raw_and_scaled_advantages(rewards, group_index, ratio)
    torch.testing.assert_close(raw_advantages, torch.tensor([1.0, -1.0]) / (2**0.5 + 1e-6))
    torch.testing.assert_close(scaled, torch.tensor([2.0, -0.5]) / (2**0.5 + 1e-6))
    raw_advantages, scaled = raw_and_scaled_advantages(rewards, group_index, ratio, scale_by_std=False)
    assert raw_advantages.tolist() == [1.0, -1.0]
    assert scaled.tolist() == [2.0, -0.5]


def test_scaling_keeps_signs_and_zeros(random_batch, size, seed):
    token_entropy, response_mask, rewards, group_index = random_batch(size, seed)
    raw_advantages = group_relative_advantage(rewards, group_index)
    ratio = entropy_ratio(mean_response_entropy(token_entropy, response_mask), group_index)
    scaled = entropy_driven_advantage(raw_advantages, ratio)
    assert torch.equal(scaled.sign(), raw_advantages.sign())
    assert scaled.isfinite().all()


def test_a_deterministic_response_gets_a_large_and_finite_advantage():
    scaled = entropy_driven_advantage(torch.tensor([1.0, -2.0, 0.0]), torch.tensor([0.0, SMALLEST_RATIO / 10, 0.0]))
    torch.testing.assert_close(scaled, torch.tensor([1.0 / SMALLEST_RATIO, -2.0 / SMALLEST_RATIO, 0.0]))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(torch.float64, torch.float64), (torch.float32, torch.float32), (torch.bfloat16, torch.float32)],
)
def test_results_have_the_dtype_of_the_values_but_float32_for_half_precision(dtype, expected):
    values, group_index = torch.tensor([1.0, 0.0], dtype=dtype), torch.tensor([0, 0])
    assert mean_response_entropy(values.unsqueeze(1), torch.ones(2, 1)).dtype == expected
    assert entropy_ratio(values, group_index).dtype == expected
    assert entropy_ratio(values, group_index, has_entropy=torch.tensor([True, False])).dtype == expected
    assert group_relative_advantage(values, group_index).dtype == expected
    assert entropy_driven_advantage(values, torch.ones(2)).dtype == expected
    assert entropy_driven_advantage(values, torch.ones(2, dtype=torch.float64)).dtype == expected


def test_neutral_entropies_give_verls_grpo(random_batch, size, seed):
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    _, _, rewards, group_index = random_batch(size, seed)
    raw_advantages = group_relative_advantage(rewards, group_index)
    scaled = entropy_driven_advantage(raw_advantages, entropy_ratio(torch.full((size,), 0.37), group_index))
    assert torch.equal(scaled, raw_advantages)
    verls, _ = compute_grpo_outcome_advantage(
        rewards.unsqueeze(-1).clone(), torch.ones(size, 1), group_index.numpy().astype(object)
    )
    torch.testing.assert_close(scaled, verls.squeeze(-1), rtol=0, atol=1e-6)


def test_the_order_of_rows_and_the_numbering_of_groups_do_not_matter(random_batch, size, seed):
    token_entropy, response_mask, rewards, group_index = random_batch(size, seed)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(size, generator=generator)
    renumbered = torch.randperm(int(group_index.max()) + 1, generator=generator)[group_index]

    def advantages(token_entropy, response_mask, rewards, group_index):
        ratio = entropy_ratio(mean_response_entropy(token_entropy, response_mask), group_index)
        return entropy_driven_advantage(group_relative_advantage(rewards, group_index), ratio)

    torch.testing.assert_close(
        advantages(token_entropy[order], response_mask[order], rewards[order], renumbered[order]),
        advantages(token_entropy, response_mask, rewards, group_index)[order],
    )


def test_no_gradient_flows_through_the_entropy():
    token_entropy = torch.rand(4, 3, requires_grad=True)
    raw_advantages = torch.tensor([1.0, -1.0, 1.0, -1.0], requires_grad=True)
    response_entropy = mean_response_entropy(token_entropy, torch.ones(4, 3))
    ratio = entropy_ratio(token_entropy.mean(dim=1), torch.tensor([0, 0, 1, 1]))
    assert not response_entropy.requires_grad
    assert not ratio.requires_grad
    entropy_driven_advantage(raw_advantages, ratio).sum().backward()
    assert token_entropy.grad is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: entropy_ratio(torch.ones(3), torch.zeros(2, dtype=torch.int64)),
            "response_entropy (3,) and group_index (2,) must have one same shape (B,)",
        ),
        (
            lambda: entropy_ratio(torch.ones(2, 1), torch.zeros(2, 1, dtype=torch.int64)),
            "response_entropy (2, 1) and group_index (2, 1) must have one same shape (B,)",
        ),
        (
            lambda: entropy_ratio(torch.ones(2), torch.zeros(2, dtype=torch.int64), has_entropy=torch.ones(3)),
            "has_entropy (3,) and group_index (2,) must have one same shape (B,)",
        ),
        (
            lambda: group_relative_advantage(torch.ones(3), torch.zeros(2, dtype=torch.int64)),
            "rewards (3,) and group_index (2,) must have one same shape (B,)",
        ),
        (
            lambda: entropy_driven_advantage(torch.ones(3), torch.ones(2)),
            "raw_advantages (3,) and ratio (2,) differ in shape",
        ),
    ],
)
def test_rows_that_do_not_match_are_refused_with_both_shapes(call, message):
    with pytest.raises(ValueError) as refusal:
        call()
    assert str(refusal.value) == message

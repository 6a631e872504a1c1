"""Entropy-driven advantage: hand-worked values, properties, reductions to verl's GRPO, and a slow readable version."""

import math
import statistics
from collections import defaultdict

import numpy as np
import pytest
import torch

from recipe.edge_grpo.advantage import (
    SMALLEST_RATIO,
    entropy_driven_advantage,
    entropy_ratio,
    group_relative_advantage,
    mean_response_entropy,
)

SIZES_AND_SEEDS = [(1, 0), (7, 1), (64, 2), (300, 3)]


def random_batch(size, seed, num_tokens=9):
    """Entropies (B, T), masks (B, T), rewards (B,) and groups (B,) of unequal size; every group number is taken."""
    generator = torch.Generator().manual_seed(seed)
    token_entropy = torch.rand(size, num_tokens, generator=generator) * 3
    response_mask = (torch.rand(size, num_tokens, generator=generator) < 0.7).long()
    rewards = torch.randint(0, 3, (size,), generator=generator).float() / 2
    names = torch.randint(0, max(1, size // 4), (size,), generator=generator)
    return token_entropy, response_mask, rewards, torch.unique(names, return_inverse=True)[1]


# The slow readable versions: loops over rows, and Python's own statistics.


def slow_mean_response_entropy(token_entropy, response_mask):
    means = []
    for entropies, mask in zip(token_entropy.tolist(), response_mask.tolist(), strict=True):
        counted = [entropy for entropy, is_counted in zip(entropies, mask, strict=True) if is_counted]
        means.append(statistics.fmean(counted) if counted else 0.0)
    return torch.tensor(means)


def rows_by_group(values, group_index):
    groups = defaultdict(list)
    for value, group in zip(values.tolist(), group_index.tolist(), strict=True):
        groups[group].append(value)
    return groups


def slow_entropy_ratio(response_entropy, group_index, clip=None):
    ratios, groups = [], rows_by_group(response_entropy, group_index)
    for entropy, group in zip(response_entropy.tolist(), group_index.tolist(), strict=True):
        group_mean_entropy = statistics.fmean(groups[group])
        ratio = entropy / group_mean_entropy if group_mean_entropy > 0 else 1.0
        ratios.append(ratio if clip is None else min(max(ratio, clip[0]), clip[1]))
    return torch.tensor(ratios)


def slow_group_relative_advantage(rewards, group_index, scale_by_std, epsilon=1e-6):
    advantages, groups = [], rows_by_group(rewards, group_index)
    for reward, name in zip(rewards.tolist(), group_index.tolist(), strict=True):
        group = groups[name]
        mean, std = (statistics.fmean(group), statistics.stdev(group)) if len(group) > 1 else (0.0, 1.0)
        advantages.append((reward - mean) / (std + epsilon) if scale_by_std else reward - mean)
    return torch.tensor(advantages)


def test_response_entropy_is_the_mean_over_response_tokens_only():
    token_entropy = torch.tensor([[1.0, 2.0, 9.0], [4.0, 9.0, 8.0], [3.0, 3.0, 3.0]])
    response_mask = torch.tensor([[1, 1, 0], [1, 0, 1], [0, 0, 0]])
    # (1 + 2) / 2 = 1.5; a tool's token in the middle does not count: (4 + 8) / 2 = 6; an empty mask: 0
    assert mean_response_entropy(token_entropy, response_mask).tolist() == [1.5, 6.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float32])
def test_a_mask_of_any_dtype_counts_alike(dtype):
    mask = torch.tensor([[1, 1, 0]]).to(dtype)
    assert mean_response_entropy(torch.tensor([[1.0, 2.0, 9.0]]), mask).tolist() == [1.5]


def test_what_stands_at_masked_positions_changes_nothing_even_nan():
    token_entropy, response_mask, _, _ = random_batch(20, seed=5)
    expected = mean_response_entropy(token_entropy, response_mask)
    for filler in (math.nan, math.inf, -1e30):
        filled = token_entropy.masked_fill(response_mask == 0, filler)
        assert torch.equal(mean_response_entropy(filled, response_mask), expected)


def test_padding_to_a_longer_width_leaves_the_response_entropy_alone():
    token_entropy, response_mask, _, _ = random_batch(20, seed=6)
    padded_entropy = torch.nn.functional.pad(token_entropy, (0, 31), value=7.0)
    padded_mask = torch.nn.functional.pad(response_mask, (0, 31))
    torch.testing.assert_close(
        mean_response_entropy(padded_entropy, padded_mask), mean_response_entropy(token_entropy, response_mask)
    )


@pytest.mark.parametrize(("size", "seed"), SIZES_AND_SEEDS)
def test_response_entropy_agrees_with_the_slow_version(size, seed):
    token_entropy, response_mask, _, _ = random_batch(size, seed)
    torch.testing.assert_close(
        mean_response_entropy(token_entropy, response_mask), slow_mean_response_entropy(token_entropy, response_mask)
    )


@pytest.mark.parametrize("shapes", [((2, 3), (2, 4)), ((2, 3), (3, 3)), ((3,), (3,))])
def test_entropies_and_mask_of_different_shapes_are_refused(shapes):
    with pytest.raises(ValueError, match="one and the same shape"):
        mean_response_entropy(torch.ones(shapes[0]), torch.ones(shapes[1]))


def test_entropy_ratio_divides_by_the_mean_of_the_own_group():
    # group 0: mean (1 + 3)/2 = 2 -> 1/2, 3/2; group 1: mean (2 + 2 + 5)/3 = 3 -> 2/3, 2/3, 5/3; rows interleaved
    response_entropy = torch.tensor([1.0, 2.0, 3.0, 2.0, 5.0])
    group_index = torch.tensor([0, 1, 0, 1, 1])
    expected = torch.tensor([1 / 2, 2 / 3, 3 / 2, 2 / 3, 5 / 3])
    torch.testing.assert_close(entropy_ratio(response_entropy, group_index), expected)


def test_bounds_move_only_the_ratios_beyond_them():
    # ratios 0.2, 1.8 (mean 5) and 1, 1 (mean 4)
    ratio = entropy_ratio(torch.tensor([1.0, 9.0, 4.0, 4.0]), torch.tensor([0, 0, 1, 1]), clip=(0.5, 1.5))
    assert ratio.tolist() == [0.5, 1.5, 1.0, 1.0]


@pytest.mark.parametrize("clip", [(0.0, 2.0), (-1.0, 2.0), (1.1, 2.0), (0.5, 0.9), (2.0, 0.5)])
def test_bounds_that_do_not_enclose_1_are_refused(clip):
    with pytest.raises(ValueError, match="0 < low <= 1 <= high"):
        entropy_ratio(torch.ones(2), torch.zeros(2, dtype=torch.int64), clip=clip)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("entropy", [1e-30, 1e-8, 0.1, 0.7, 1 / 3, 11.93])
def test_equal_entropies_give_exactly_1_in_groups_of_any_size(entropy, dtype):
    for group_size in range(1, 20):
        group_index = torch.zeros(group_size, dtype=torch.int64)
        ratio = entropy_ratio(torch.full((group_size,), entropy, dtype=dtype), group_index)
        assert ratio.dtype == dtype
        assert ratio.tolist() == [1.0] * group_size, f"group of {group_size}"


def test_a_group_of_zero_entropy_gives_1_and_leaves_the_other_groups_alone():
    ratio = entropy_ratio(torch.tensor([0.0, 0.0, 0.0, 2.0]), torch.tensor([0, 0, 1, 1]))
    assert ratio.tolist() == [1.0, 1.0, 0.0, 2.0]


def test_an_entropy_a_rounding_error_below_zero_counts_as_zero():
    ratio = entropy_ratio(torch.tensor([-1e-7, 2.0, -1e-7, -1e-7]), torch.tensor([0, 0, 1, 1]))
    assert ratio.tolist() == [0.0, 2.0, 1.0, 1.0]


@pytest.mark.parametrize(("size", "seed"), SIZES_AND_SEEDS)
def test_ratios_average_to_1_in_each_group(size, seed):
    token_entropy, response_mask, _, group_index = random_batch(size, seed)
    ratio = entropy_ratio(mean_response_entropy(token_entropy, response_mask), group_index)
    for group in group_index.unique():
        assert ratio[group_index == group].mean().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("clip", [None, (0.8, 1.3)])
@pytest.mark.parametrize(("size", "seed"), SIZES_AND_SEEDS)
def test_entropy_ratio_agrees_with_the_slow_version(size, seed, clip):
    token_entropy, response_mask, _, group_index = random_batch(size, seed)
    response_entropy = mean_response_entropy(token_entropy, response_mask)
    torch.testing.assert_close(
        entropy_ratio(response_entropy, group_index, clip), slow_entropy_ratio(response_entropy, group_index, clip)
    )


def test_group_relative_advantage_uses_the_sample_std():
    # rewards 1, 0, 0, 0: mean 0.25; sample variance (0.75^2 + 3 * 0.25^2) / 3 = 0.25, std 0.5 (population std: 0.433)
    rewards = torch.tensor([1.0, 0.0, 0.0, 0.0])
    advantages = group_relative_advantage(rewards, torch.zeros(4, dtype=torch.int64))
    torch.testing.assert_close(advantages, torch.tensor([0.75, -0.25, -0.25, -0.25]) / (0.5 + 1e-6))


def test_without_scaling_the_advantage_is_only_centred():
    advantages = group_relative_advantage(
        torch.tensor([1.0, 0.0, 0.0, 0.0]), torch.zeros(4, dtype=torch.int64), scale_by_std=False
    )
    assert advantages.tolist() == [0.75, -0.25, -0.25, -0.25]


def test_epsilon_is_added_to_the_std_and_not_to_the_variance():
    # std of (0, 1) is sqrt(0.5); epsilon 0.5 shows where it is added
    advantages = group_relative_advantage(torch.tensor([0.0, 1.0]), torch.zeros(2, dtype=torch.int64), epsilon=0.5)
    torch.testing.assert_close(advantages, torch.tensor([-0.5, 0.5]) / (0.5**0.5 + 0.5))


def test_a_group_of_one_keeps_its_reward_as_in_verl():
    rewards = torch.tensor([0.8, 1.0, 0.0])
    group_index = torch.tensor([1, 0, 0])
    # mean 0 and std 1 by definition: 0.8 / (1 + 1e-6)
    assert group_relative_advantage(rewards, group_index)[0].item() == pytest.approx(0.8 / (1 + 1e-6), rel=1e-6)
    assert group_relative_advantage(rewards, group_index, scale_by_std=False)[0].item() == pytest.approx(0.8)


@pytest.mark.parametrize("reward", [0.0, 0.1, 1 / 3, 1.0, -2.7])
def test_equal_rewards_give_exactly_0(reward):
    for group_size in range(2, 20):
        group_index = torch.zeros(group_size, dtype=torch.int64)
        advantages = group_relative_advantage(torch.full((group_size,), reward), group_index)
        assert advantages.tolist() == [0.0] * group_size


@pytest.mark.parametrize("scale_by_std", [True, False])
@pytest.mark.parametrize(("size", "seed"), SIZES_AND_SEEDS)
def test_group_relative_advantage_agrees_with_the_slow_version(size, seed, scale_by_std):
    _, _, rewards, group_index = random_batch(size, seed)
    torch.testing.assert_close(
        group_relative_advantage(rewards, group_index, scale_by_std),
        slow_group_relative_advantage(rewards, group_index, scale_by_std),
    )


@pytest.mark.parametrize("scale_by_std", [True, False])
@pytest.mark.parametrize(("size", "seed"), SIZES_AND_SEEDS)
def test_group_relative_advantage_is_the_one_of_verl(size, seed, scale_by_std):
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    _, _, rewards, group_index = random_batch(size, seed)
    verls, _ = compute_grpo_outcome_advantage(
        rewards.unsqueeze(-1).clone(),
        torch.ones(size, 1),
        np.array([f"uid-{group}" for group in group_index.tolist()], dtype=object),
        norm_adv_by_std_in_grpo=scale_by_std,
    )
    torch.testing.assert_close(
        group_relative_advantage(rewards, group_index, scale_by_std), verls.squeeze(-1), rtol=0, atol=1e-6
    )


def test_adding_a_constant_to_the_rewards_of_a_group_changes_nothing():
    rewards, group_index = torch.tensor([1.0, 0.0, 0.5, 0.0, 1.0]), torch.tensor([0, 0, 0, 1, 1])
    shifted = rewards + torch.tensor([3.0, 3.0, 3.0, -4.0, -4.0])
    torch.testing.assert_close(
        group_relative_advantage(shifted, group_index), group_relative_advantage(rewards, group_index)
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


@pytest.mark.parametrize(("size", "seed"), SIZES_AND_SEEDS)
def test_scaling_keeps_signs_and_zeros(size, seed):
    token_entropy, response_mask, rewards, group_index = random_batch(size, seed)
    raw_advantages = group_relative_advantage(rewards, group_index)
    ratio = entropy_ratio(mean_response_entropy(token_entropy, response_mask), group_index)
    scaled = entropy_driven_advantage(raw_advantages, ratio)
    assert torch.equal(scaled.sign(), raw_advantages.sign())
    assert scaled.isfinite().all()


def test_a_deterministic_response_gets_a_large_and_finite_advantage():
    scaled = entropy_driven_advantage(torch.tensor([1.0, -2.0, 0.0]), torch.tensor([0.0, SMALLEST_RATIO / 10, 0.0]))
    torch.testing.assert_close(scaled, torch.tensor([1.0 / SMALLEST_RATIO, -2.0 / SMALLEST_RATIO, 0.0]))


def test_the_dtype_of_the_advantages_is_kept():
    scaled = entropy_driven_advantage(torch.tensor([1.0], dtype=torch.bfloat16), torch.tensor([0.5]))
    assert scaled.dtype == torch.bfloat16


@pytest.mark.parametrize(("size", "seed"), SIZES_AND_SEEDS)
def test_neutral_entropies_give_verls_grpo(size, seed):
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    _, _, rewards, group_index = random_batch(size, seed)
    raw_advantages = group_relative_advantage(rewards, group_index)
    scaled = entropy_driven_advantage(raw_advantages, entropy_ratio(torch.full((size,), 0.37), group_index))
    assert torch.equal(scaled, raw_advantages)
    verls, _ = compute_grpo_outcome_advantage(
        rewards.unsqueeze(-1).clone(), torch.ones(size, 1), group_index.numpy().astype(object)
    )
    torch.testing.assert_close(scaled, verls.squeeze(-1), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("size", "seed"), SIZES_AND_SEEDS)
def test_the_order_of_rows_and_the_numbering_of_groups_do_not_matter(size, seed):
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
    "call",
    [
        lambda: entropy_ratio(torch.ones(3), torch.zeros(2, dtype=torch.int64)),
        lambda: entropy_ratio(torch.ones(2, 1), torch.zeros(2, 1, dtype=torch.int64)),
        lambda: group_relative_advantage(torch.ones(3), torch.zeros(2, dtype=torch.int64)),
        lambda: entropy_driven_advantage(torch.ones(3), torch.ones(2)),
    ],
)
def test_rows_that_do_not_match_are_refused_with_both_shapes(call):
    with pytest.raises(ValueError, match=r"\(.*\(.*shape"):
        call()

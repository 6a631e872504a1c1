"""Agreement with slow readable versions: loops over rows, and Python's own statistics."""

import statistics
from collections import defaultdict

import pytest
import torch

from recipe.edge_grpo.advantage import entropy_ratio, group_relative_advantage, mean_response_entropy


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


def slow_entropy_ratio(response_entropy, group_index, clip, has_entropy):
    ratios, groups = [], rows_by_group(response_entropy[has_entropy], group_index[has_entropy])
    for entropy, group, has in zip(response_entropy.tolist(), group_index.tolist(), has_entropy.tolist(), strict=True):
        group_mean_entropy = statistics.fmean(groups[group]) if has else 0.0
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


def test_response_entropy_agrees_with_the_slow_version(random_batch, size, seed):
    token_entropy, response_mask, _, _ = random_batch(size, seed)
    torch.testing.assert_close(
        mean_response_entropy(token_entropy, response_mask), slow_mean_response_entropy(token_entropy, response_mask)
    )


@pytest.mark.parametrize("clip", [None, (0.8, 1.3)])
@pytest.mark.parametrize("scope", ["group", "batch"])
@pytest.mark.parametrize("share_with_entropy", [0.0, 0.3, 0.8, 1.0])
def test_entropy_ratio_agrees_with_the_slow_version(random_batch, size, seed, clip, scope, share_with_entropy):
    token_entropy, response_mask, _, group_index = random_batch(size, seed)
    response_entropy = mean_response_entropy(token_entropy, response_mask)
    group_index = group_index if scope == "group" else torch.zeros_like(group_index)
    has_entropy = torch.rand(size, generator=torch.Generator().manual_seed(seed)) < share_with_entropy
    torch.testing.assert_close(
        entropy_ratio(response_entropy, group_index, clip, has_entropy),
        slow_entropy_ratio(response_entropy, group_index, clip, has_entropy),
    )


def test_without_has_entropy_every_row_has_one(random_batch, size, seed):
    token_entropy, response_mask, _, group_index = random_batch(size, seed)
    response_entropy = mean_response_entropy(token_entropy, response_mask)
    assert torch.equal(
        entropy_ratio(response_entropy, group_index),
        entropy_ratio(response_entropy, group_index, has_entropy=torch.ones(size, dtype=torch.bool)),
    )


@pytest.mark.parametrize("scale_by_std", [True, False])
def test_group_relative_advantage_agrees_with_the_slow_version(random_batch, size, seed, scale_by_std):
    _, _, rewards, group_index = random_batch(size, seed)
    torch.testing.assert_close(
        group_relative_advantage(rewards, group_index, scale_by_std),
        slow_group_relative_advantage(rewards, group_index, scale_by_std),
    )

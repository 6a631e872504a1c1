"""What the tests of rival methods share: random batches, and verl's own GRPO."""

import numpy as np
import pytest
import torch


@pytest.fixture
def random_groups():
    """random_groups(seed): rewards (B,) of 0 and 1 and group numbers (B,); no group of one, rows in any order.

    The first two groups are all wrong and all right.
    """

    def random_groups(seed, num_groups=12):
        generator = torch.Generator().manual_seed(seed)
        sizes = torch.randint(2, 7, (num_groups,), generator=generator)
        index = torch.repeat_interleave(torch.arange(num_groups), sizes)
        rewards = torch.randint(0, 2, (len(index),), generator=generator).float()
        rewards[index == 0], rewards[index == 1] = 0.0, 1.0
        order = torch.randperm(len(index), generator=generator)
        return rewards[order], index[order]

    return random_groups


@pytest.fixture
def verls_grpo():
    """verls_grpo(rewards, index, mask): advantages (B, T) of verl's own function."""

    def verls_grpo(rewards, index, mask):
        from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

        token_level_rewards = torch.zeros_like(mask, dtype=torch.float32)
        token_level_rewards[:, -1] = rewards
        names = np.array([f"q{number}" for number in index.tolist()], dtype=object)
        return compute_grpo_outcome_advantage(token_level_rewards, mask.float(), names)[0]

    return verls_grpo

"""What the tests of the advantage share: random batches, of several sizes."""

import pytest
import torch


def pytest_generate_tests(metafunc):
    """A test that takes `size` and `seed` runs once for each of these pairs."""
    if {"size", "seed"} <= set(metafunc.fixturenames):
        metafunc.parametrize(("size", "seed"), [(1, 0), (7, 1), (64, 2), (300, 3)])


@pytest.fixture
def random_batch():
    """random_batch(size, seed): entropies (B, T), masks (B, T), rewards (B,) and groups (B,).

    The groups are of unequal size, and every group number is taken.
    """

    def random_batch(size, seed, num_tokens=9):
        generator = torch.Generator().manual_seed(seed)
        token_entropy = torch.rand(size, num_tokens, generator=generator) * 3
        response_mask = (torch.rand(size, num_tokens, generator=generator) < 0.7).long()
        rewards = torch.randint(0, 3, (size,), generator=generator).float() / 2
        names = torch.randint(0, max(1, size // 4), (size,), generator=generator)
        return token_entropy, response_mask, rewards, torch.unique(names, return_inverse=True)[1]

    return random_batch

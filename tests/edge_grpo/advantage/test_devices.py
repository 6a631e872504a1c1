"""On every device and in every precision: the result of double precision on the CPU for the same (rounded) inputs."""

from types import SimpleNamespace

import pytest
import torch

from recipe.edge_grpo.advantage import (
    entropy_driven_advantage,
    entropy_ratio,
    group_mean_of,
    group_relative_advantage,
    mean_response_entropy,
    raw_and_scaled_advantages,
)

pytestmark = [
    pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"]),
    pytest.mark.parametrize(
        "device",
        [
            "cpu",
            pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
        ],
    ),
]

CALLS = {
    "mean_response_entropy": lambda batch: mean_response_entropy(batch.token_entropy, batch.response_mask),
    "entropy_ratio": lambda batch: entropy_ratio(batch.entropy, batch.group_index),
    "entropy_ratio_with_bounds": lambda batch: entropy_ratio(batch.entropy, batch.group_index, clip=(0.8, 1.3)),
    "entropy_ratio_of_some_rows": lambda batch: entropy_ratio(
        batch.entropy, batch.group_index, has_entropy=batch.has_entropy
    ),
    "entropy_ratio_to_the_batch": lambda batch: entropy_ratio(batch.entropy, torch.zeros_like(batch.group_index)),
    "group_relative_advantage": lambda batch: group_relative_advantage(batch.rewards, batch.group_index),
    "group_relative_advantage_without_std": lambda batch: group_relative_advantage(
        batch.rewards, batch.group_index, scale_by_std=False
    ),
    "entropy_driven_advantage": lambda batch: entropy_driven_advantage(batch.rewards - 0.5, batch.entropy),
    "scaled_by_a_ratio_on_the_cpu": lambda batch: raw_and_scaled_advantages(
        batch.rewards, batch.group_index, batch.entropy.cpu()
    )[1],
    "group_mean_of": lambda batch: group_mean_of(batch.entropy, batch.group_index),
}


def moved(tensor, device, dtype):
    """Masks and group numbers keep their dtype."""
    return tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_results_agree_with_those_of_double_precision(random_batch, call, device, dtype):
    token_entropy, response_mask, rewards, group_index = random_batch(size=300, seed=7, num_tokens=700)
    generator = torch.Generator().manual_seed(8)
    batch = {
        "token_entropy": token_entropy,
        "response_mask": response_mask,
        "entropy": torch.rand(300, generator=generator) * 3 + 0.01,
        "has_entropy": torch.rand(300, generator=generator) < 0.7,
        "rewards": rewards * 0.7,
        "group_index": group_index,
    }
    rounded = {name: moved(tensor, "cpu", dtype) for name, tensor in batch.items()}
    result = call(SimpleNamespace(**{name: moved(tensor, device, dtype) for name, tensor in rounded.items()}))
    expected = call(SimpleNamespace(**{name: moved(tensor, "cpu", torch.float64) for name, tensor in rounded.items()}))
    assert (result.device.type, result.dtype) == (device, torch.float32)
    assert expected.dtype == torch.float64
    torch.testing.assert_close(result.cpu().double(), expected, rtol=1e-5, atol=1e-5)


def test_equal_entropies_give_exactly_1_in_whatever_order_they_are_added(device, dtype):
    # A sum of so many rounded to float32 on the way would be off; a GPU adds them in an order of its own.
    response_entropy = torch.full((1_000_003,), 0.7, device=device, dtype=dtype)
    for num_groups in (1, 1000):
        group_index = torch.arange(len(response_entropy), device=device) % num_groups
        assert (entropy_ratio(response_entropy, group_index) == 1).all()

"""The mean entropy of a response: its own tokens count, and nothing else does."""

import itertools
import math

import pytest
import torch

from recipe.edge_grpo.advantage import _num_rows_at_a_time, mean_response_entropy


def test_response_entropy_is_the_mean_over_response_tokens_only():
    token_entropy = torch.tensor([[1.0, 2.0, 9.0], [4.0, 9.0, 8.0], [5.0, 9.0, 9.0], [3.0, 3.0, 3.0]])
    response_mask = torch.tensor([[1, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 0]])
    # (1 + 2) / 2 = 1.5; a tool's token in the middle does not count: (4 + 8) / 2 = 6; one token: 5; an empty mask: 0
    assert mean_response_entropy(token_entropy, response_mask).tolist() == [1.5, 6.0, 5.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float32])
def test_a_mask_of_any_dtype_counts_alike(dtype):
    mask = torch.tensor([[1, 1, 0]]).to(dtype)
    assert mean_response_entropy(torch.tensor([[1.0, 2.0, 9.0]]), mask).tolist() == [1.5]


def test_what_stands_at_masked_positions_changes_nothing_even_nan(random_batch):
    token_entropy, response_mask, _, _ = random_batch(20, seed=5)
    expected = mean_response_entropy(token_entropy, response_mask)
    for filler in (math.nan, math.inf, -1e30):
        filled = token_entropy.masked_fill(response_mask == 0, filler)
        assert torch.equal(mean_response_entropy(filled, response_mask), expected)


def test_padding_to_a_longer_width_leaves_the_response_entropy_alone(random_batch):
    token_entropy, response_mask, _, _ = random_batch(20, seed=6)
    padded_entropy = torch.nn.functional.pad(token_entropy, (0, 31), value=7.0)
    padded_mask = torch.nn.functional.pad(response_mask, (0, 31))
    torch.testing.assert_close(
        mean_response_entropy(padded_entropy, padded_mask), mean_response_entropy(token_entropy, response_mask)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("num_responses", "num_tokens"), [(9, 2**18), (2, 2**20 + 1), (0, 5), (3, 0), (0, 0)])
def test_matrices_that_are_read_in_several_pieces_or_are_empty_give_one_mean_for_each_row(num_responses, num_tokens):
    generator = torch.Generator().manual_seed(7)
    token_entropy = torch.rand(num_responses, num_tokens, generator=generator)
    response_mask = torch.rand(num_responses, num_tokens, generator=generator) < 0.5
    expected = [
        entropies[mask].double().mean().item() if mask.any() else 0.0
        for entropies, mask in zip(token_entropy, response_mask, strict=True)
    ]
    torch.testing.assert_close(mean_response_entropy(token_entropy, response_mask), torch.tensor(expected))


def test_surprisals_of_sampled_tokens_estimate_the_entropy_without_bias():
    # Over all 9 responses of two tokens, weighted by their probability, the mean surprisal is (H_1 + H_2) / 2.
    probabilities = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]], dtype=torch.float64)
    responses = torch.tensor(list(itertools.product(range(3), repeat=2)))
    sampled = probabilities[torch.arange(2), responses]  # (9, 2)
    estimate = mean_response_entropy(-sampled.log(), torch.ones(9, 2))
    entropy = -(probabilities * probabilities.log()).sum(dim=1)
    torch.testing.assert_close((sampled.prod(dim=1) * estimate).sum(), entropy.mean())


@pytest.mark.parametrize(
    ("device", "num_tokens", "expected"),
    [
        ("cpu", 2**10, 2**10),  # 2**20 elements of 4 bytes are 4 MiB
        ("cpu", 2**20 + 1, 1),
        ("cpu", 0, 2**20),
        ("cpu", 1, 2**20),
        ("meta", 2**10, 2**16),  # no CPU: 2**26 elements are 256 MiB
    ],
)
def test_so_many_rows_are_read_at_a_time_that_their_copies_stay_small(device, num_tokens, expected):
    assert _num_rows_at_a_time(torch.empty(1, num_tokens, device=device)) == expected


@pytest.mark.parametrize("shapes", [((2, 3), (2, 4)), ((2, 3), (3, 3)), ((3,), (3,))])
def test_entropies_and_mask_of_different_shapes_are_refused(shapes):
    with pytest.raises(ValueError) as refusal:
        mean_response_entropy(torch.ones(shapes[0]), torch.ones(shapes[1]))
    assert str(refusal.value) == (
        f"token_entropy {shapes[0]} and response_mask {shapes[1]} must have one and the same shape (B, T)"
    )

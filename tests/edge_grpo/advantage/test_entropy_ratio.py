"""The ratio of a response's entropy to the mean of its group."""

import math

import pytest
import torch

from recipe.edge_grpo.advantage import entropy_ratio, mean_response_entropy


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
    with pytest.raises(ValueError, match="0 < low <= 1 <= high"):
        entropy_ratio(torch.ones(2), torch.zeros(2, dtype=torch.int64), clip, has_entropy=torch.tensor([False, False]))


def test_rows_without_entropy_have_ratio_1_and_are_left_out_of_the_mean():
    # group 0: mean (1 + 3)/2 = 2 -> 1/2, 3/2, and 1 for the row that has none; group 1: no row has one -> 1, 1;
    # group 2: mean 5/1 = 5 -> 5/5 = 1, and 1
    response_entropy = torch.tensor([1.0, math.nan, 5.0, 3.0, 100.0, 7.0, math.inf])
    group_index = torch.tensor([0, 1, 2, 0, 0, 2, 1])
    has_entropy = torch.tensor([True, False, True, True, False, False, False])
    ratio = entropy_ratio(response_entropy, group_index, has_entropy=has_entropy)
    assert ratio.tolist() == [0.5, 1.0, 1.0, 1.5, 1.0, 1.0, 1.0]
    # has_entropy may be a mask of numbers, as response_mask may.
    assert torch.equal(entropy_ratio(response_entropy, group_index, has_entropy=has_entropy.long()), ratio)


def test_bounds_apply_to_the_rows_that_have_an_entropy():
    # mean (1 + 9)/2 = 5 -> 0.2 and 1.8, beyond both bounds; the third row has none
    ratio = entropy_ratio(
        torch.tensor([1.0, 9.0, 0.0]), torch.zeros(3, dtype=torch.int64), (0.5, 1.5), torch.tensor([True, True, False])
    )
    assert ratio.tolist() == [0.5, 1.5, 1.0]


def test_with_one_group_number_for_all_rows_the_ratio_is_relative_to_the_batch():
    response_entropy, one_group = torch.tensor([1.0, 3.0, 2.0, 6.0]), torch.zeros(4, dtype=torch.int64)
    # mean (1 + 3 + 2 + 6)/4 = 3 -> 1/3, 1, 2/3, 2
    torch.testing.assert_close(entropy_ratio(response_entropy, one_group), torch.tensor([1 / 3, 1.0, 2 / 3, 2.0]))
    # without the last row: mean (1 + 3 + 2)/3 = 2 -> 1/2, 3/2, 1, and 1 for the last
    ratio = entropy_ratio(response_entropy, one_group, has_entropy=torch.tensor([True, True, True, False]))
    assert ratio.tolist() == [0.5, 1.5, 1.0, 1.0]


@pytest.mark.parametrize("unit", [2.0**-149, 1e-30])
def test_tiny_entropies_have_the_ratios_of_large_ones(unit):
    # 2**-149 is the smallest float32 above 0. Units 1, 3: mean 2 -> 0.5, 1.5
    ratio = entropy_ratio(torch.tensor([1.0, 3.0]) * unit, torch.tensor([0, 0]))
    torch.testing.assert_close(ratio, torch.tensor([0.5, 1.5]))


def test_a_tiny_entropy_beside_a_large_one_keeps_its_ratio():
    # mean (1e-30 + 2)/2 = 1 in double precision -> 1e-30, 2
    ratio = entropy_ratio(torch.tensor([1e-30, 2.0]), torch.tensor([0, 0]))
    torch.testing.assert_close(ratio, torch.tensor([1e-30, 2.0]), rtol=1e-6, atol=0)


def test_nan_in_a_row_that_has_an_entropy_shows_in_its_group_alone():
    ratio = entropy_ratio(torch.tensor([1.0, math.nan, 1.0, 3.0]), torch.tensor([0, 0, 1, 1]), clip=(0.1, 10.0))
    assert ratio[:2].isnan().all()
    assert ratio[2:].tolist() == [0.5, 1.5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("entropy", [1e-30, 1e-8, 0.1, 0.7, 1 / 3, 11.93])
def test_equal_entropies_give_exactly_1_in_groups_of_any_size(entropy, dtype):
    for group_size in range(1, 20):
        group_index = torch.zeros(group_size, dtype=torch.int64)
        ratio = entropy_ratio(torch.full((group_size,), entropy, dtype=dtype), group_index)
        assert ratio.tolist() == [1.0] * group_size, f"group of {group_size}"


def test_a_group_of_zero_entropy_gives_1_and_leaves_the_other_groups_alone():
    ratio = entropy_ratio(torch.tensor([0.0, 0.0, 0.0, 2.0]), torch.tensor([0, 0, 1, 1]))
    assert ratio.tolist() == [1.0, 1.0, 0.0, 2.0]


def test_an_entropy_a_rounding_error_below_zero_counts_as_zero():
    ratio = entropy_ratio(torch.tensor([-1e-7, 2.0, -1e-7, -1e-7]), torch.tensor([0, 0, 1, 1]))
    assert ratio.tolist() == [0.0, 2.0, 1.0, 1.0]


def test_ratios_average_to_1_in_each_group(random_batch, size, seed):
    token_entropy, response_mask, _, group_index = random_batch(size, seed)
    ratio = entropy_ratio(mean_response_entropy(token_entropy, response_mask), group_index)
    for group in group_index.unique():
        assert ratio[group_index == group].mean().item() == pytest.approx(1.0, abs=1e-5)

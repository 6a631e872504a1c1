"""What holds for every comparator: rows in any order, and padding in a group of its own, change no other row."""

import pytest
import torch

from recipe.edge_grpo.advantage import mean_response_entropy
from recipe.edge_grpo.comparators.avspo import avspo_advantages
from recipe.edge_grpo.comparators.egpo import egpo_advantages
from recipe.edge_grpo.comparators.entropy_shaped import entropy_shaped_advantages
from recipe.edge_grpo.comparators.ngrpo import ngrpo_advantages
from recipe.edge_grpo.comparators.rl_zvp import rl_zvp_advantages


def egpo_of_tokens(rewards, index, entropy, mask):
    return egpo_advantages(rewards, index, mean_response_entropy(entropy, mask), mask.bool().any(dim=1))


FUNCTIONS = {
    "ngrpo": lambda rewards, index, entropy, mask: ngrpo_advantages(rewards, index),
    "avspo": lambda rewards, index, entropy, mask: avspo_advantages(rewards, index),
    "egpo": egpo_of_tokens,
    "rl_zvp": rl_zvp_advantages,
    "entropy_shaped": entropy_shaped_advantages,
}
every_function = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.fixture(params=range(3))
def batch(request, random_groups):
    """Rewards, groups, entropies and masks, some of them empty."""
    rewards, index = random_groups(request.param)
    generator = torch.Generator().manual_seed(request.param)
    entropy, chosen = (torch.rand(len(rewards), 4, generator=generator) for _ in range(2))
    return rewards, index, entropy, (chosen < 0.5).long()


@every_function
def test_the_order_of_the_rows_does_not_matter(batch, name):
    order = torch.randperm(len(batch[0]), generator=torch.Generator().manual_seed(7))
    shuffled = FUNCTIONS[name](*(values[order] for values in batch))
    torch.testing.assert_close(shuffled, FUNCTIONS[name](*batch)[order])


@every_function
def test_padding_in_a_group_of_its_own_changes_no_other_row(batch, name):
    rewards, index, entropy, mask = batch
    padded = FUNCTIONS[name](
        torch.cat([rewards, torch.zeros(3)]),
        torch.cat([index, torch.full((3,), int(index.max()) + 1)]),
        torch.cat([entropy, torch.full((3, 4), 7.0)]),
        torch.cat([mask, torch.zeros(3, 4, dtype=torch.int64)]),
    )
    torch.testing.assert_close(padded[: len(rewards)], FUNCTIONS[name](*batch))


@every_function
def test_groups_do_not_see_each_other(batch, name):
    rewards, index, entropy, mask = batch
    together = FUNCTIONS[name](*batch)
    for group in index.unique():
        rows = index == group
        alone = FUNCTIONS[name](rewards[rows], torch.zeros_like(index[rows]), entropy[rows], mask[rows])
        torch.testing.assert_close(together[rows], alone)

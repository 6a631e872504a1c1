"""RL-ZVP and the entropy-shaped advantage: an advantage for each token, by hand and reduced to verl's GRPO."""

import pytest
import torch

from recipe.edge_grpo.comparators.entropy_shaped import entropy_shaped_advantages
from recipe.edge_grpo.comparators.rl_zvp import rl_zvp_advantages

ENTROPY = torch.tensor([[0.2, 0.6, 1.0, 9.0], [0.3, 0.5, 9.0, 9.0], [0.0, 1.5, 0.4, 0.2], [0.1, 0.1, 0.1, 0.1]])
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]])
GROUP = torch.zeros(4, dtype=torch.int64)
EXACT = {"rtol": 0, "atol": 1e-6}


def test_where_all_are_right_rl_zvp_rewards_uncertain_tokens():
    expected = [[0.02, 0.06, 0.1, 0], [0.03, 0.05, 0, 0], [0, 0.15, 0.04, 0.02], [0.01, 0.01, 0.01, 0.01]]
    advantages = rl_zvp_advantages(torch.ones(4), GROUP, ENTROPY, MASK, alpha=0.1)
    torch.testing.assert_close(advantages, torch.tensor(expected), **EXACT)


def test_where_all_are_wrong_rl_zvp_punishes_certain_tokens():
    # -0.1 x (the largest of the row - H)
    expected = [[-0.08, -0.04, 0, 0], [-0.02, 0, 0, 0], [-0.15, 0, -0.11, -0.13], [0, 0, 0, 0]]
    advantages = rl_zvp_advantages(torch.zeros(4), GROUP, ENTROPY, MASK, alpha=0.1)
    torch.testing.assert_close(advantages, torch.tensor(expected), **EXACT)


def test_rl_zvp_is_grpo_where_a_group_has_contrast():
    # 0.75 / 0.500001 and -0.25 / 0.500001
    advantages = rl_zvp_advantages(torch.tensor([1.0, 0, 0, 0]), GROUP, ENTROPY, MASK)
    expected = torch.tensor([[1.499997], [-0.499999], [-0.499999], [-0.499999]]) * MASK
    torch.testing.assert_close(advantages, expected, **EXACT)


def test_a_token_of_a_group_that_is_all_wrong_is_never_rewarded_by_rl_zvp_nor_punished_where_all_are_right():
    generator = torch.Generator().manual_seed(0)
    entropy, group = torch.rand(6, 9, generator=generator), torch.zeros(6, dtype=torch.int64)
    assert (rl_zvp_advantages(torch.zeros(6), group, entropy, torch.ones(6, 9)) <= 0).all()
    assert (rl_zvp_advantages(torch.ones(6), group, entropy, torch.ones(6, 9)) >= 0).all()


def test_a_group_of_one_is_without_contrast_to_rl_zvp():
    advantages = rl_zvp_advantages(torch.zeros(1), GROUP[:1], ENTROPY[:1], MASK[:1])
    torch.testing.assert_close(advantages, torch.tensor([[-0.08, -0.04, 0, 0]]), **EXACT)


def test_the_bonus_of_the_shaped_advantage_is_bounded_by_the_advantage():
    advantages = entropy_shaped_advantages(torch.tensor([1.0, 0, 0, 0]), GROUP, ENTROPY, MASK)
    # A = 1.499997 and -0.499999; the bonus is 0.4 H, at most |A| / 2 (row 3: 0.249999 and not 0.6)
    expected = [
        [1.579997, 1.739997, 1.899997, 0],
        [-0.379999, -0.299999, 0, 0],
        [-0.499999, -0.25, -0.339999, -0.419999],
        [-0.459999, -0.459999, -0.459999, -0.459999],
    ]
    torch.testing.assert_close(advantages, torch.tensor(expected), **EXACT)


@pytest.mark.parametrize("reward", [0.0, 1.0])
def test_the_shaped_advantage_of_a_group_without_contrast_stays_0(reward):
    advantages = entropy_shaped_advantages(torch.full((4,), reward), GROUP, ENTROPY, MASK)
    assert (advantages == 0).all()


def test_the_shaped_advantage_of_a_group_of_one_is_its_reward_and_the_bonus():
    advantages = entropy_shaped_advantages(torch.ones(1), GROUP[:1], ENTROPY[:1], MASK[:1])
    torch.testing.assert_close(advantages, torch.tensor([[1.08, 1.24, 1.4, 0.0]]), rtol=0, atol=3e-6)


NEUTRAL = {rl_zvp_advantages: {"alpha": 0.0}, entropy_shaped_advantages: {"alpha": 0.0}}


@pytest.mark.parametrize("function", NEUTRAL)
@pytest.mark.parametrize("seed", range(4))
def test_with_alpha_0_they_are_verls_grpo(random_groups, verls_grpo, function, seed):
    rewards, index = random_groups(seed)
    generator = torch.Generator().manual_seed(seed)
    entropy, mask = torch.rand(len(rewards), 5, generator=generator), torch.rand(len(rewards), 5, generator=generator)
    mask = mask < 0.7
    advantages = function(rewards, index, entropy, mask, **NEUTRAL[function])
    torch.testing.assert_close(advantages, verls_grpo(rewards, index, mask), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("function", NEUTRAL)
def test_what_stands_at_masked_places_changes_nothing(function):
    rewards = torch.tensor([1.0, 0.0, 0.0, 0.0])
    for rewards_of_group in (rewards, torch.zeros(4), torch.ones(4)):
        plain = function(rewards_of_group, GROUP, ENTROPY, MASK)
        for poison in (torch.nan, 1e6, -1e6):
            poked = torch.where(MASK.bool(), ENTROPY, poison)
            assert torch.equal(function(rewards_of_group, GROUP, poked, MASK), plain)
        wider = torch.nn.functional.pad(ENTROPY, (0, 2), value=7.0), torch.nn.functional.pad(MASK, (0, 2))
        assert torch.equal(function(rewards_of_group, GROUP, *wider)[:, :4], plain)


@pytest.mark.parametrize("function", NEUTRAL)
@pytest.mark.parametrize("rewards", [[1.0, 0.0, 0.0, 0.0], [1.0] * 4, [0.0] * 4])
def test_an_entropy_below_0_is_a_rounding_error_and_counts_as_0(function, rewards):
    # bfloat16 logits of a certain token give such entropies
    below, at_zero = (function(torch.tensor(rewards), GROUP, torch.full((4, 4), h), MASK) for h in (-0.01, 0.0))
    assert torch.equal(below, at_zero)


@pytest.mark.parametrize("function", NEUTRAL)
def test_a_row_without_a_token_has_no_advantage(function):
    advantages = function(torch.zeros(2), GROUP[:2], ENTROPY[:2], torch.zeros(2, 4))
    assert (advantages == 0).all()


@pytest.mark.parametrize("function", NEUTRAL)
def test_other_shapes_are_refused(function):
    with pytest.raises(ValueError, match=r"token_entropy \(4, 4\) and response_mask \(4, 3\)"):
        function(torch.zeros(4), GROUP, ENTROPY, MASK[:, :3])
    with pytest.raises(ValueError, match=r"rewards \(3,\)"):
        function(torch.zeros(3), GROUP[:3], ENTROPY, MASK)

"""The estimator as verl calls it: hand-worked values, the reduction to verl's GRPO, and the ratio's way into it."""

import asyncio

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from recipe.edge_grpo.training_step.estimator import edge_grpo_advantage, entropy_ratio_for_estimator, group_numbers


def advantages_of(rewards, ratio, names, mask=None, config=None):
    """(B,) the advantage of the first token."""
    token_level_rewards = torch.zeros(len(rewards), 3)
    token_level_rewards[:, -1] = torch.tensor(rewards)
    mask = torch.ones(len(rewards), 3) if mask is None else mask
    with entropy_ratio_for_estimator(torch.tensor(ratio)):
        advantages, returns = edge_grpo_advantage(
            token_level_rewards=token_level_rewards,
            response_mask=mask,
            index=np.array(names, dtype=object),
            config=config,
        )
    assert returns is advantages
    return advantages


def test_the_advantage_of_each_token_is_the_one_of_its_response_where_the_mask_is_1():
    # rewards 1, 0: mean 0.5, sample std sqrt(0.5); A = +-0.5 / (sqrt(0.5) + 1e-6); ratios 0.5 and 2
    a = 0.5 / (0.5**0.5 + 1e-6)
    advantages = advantages_of([1.0, 0.0], [0.5, 2.0], ["q", "q"], mask=torch.tensor([[1, 1, 0], [1, 0, 1]]))
    expected = torch.tensor([[a / 0.5, a / 0.5, 0.0], [-a / 2.0, 0.0, -a / 2.0]])
    torch.testing.assert_close(advantages, expected)


def test_rewards_of_several_tokens_are_summed():
    token_level_rewards = torch.tensor([[0.25, 0.5, 0.25], [0.0, 0.0, 0.0]])
    with entropy_ratio_for_estimator(torch.ones(2)):
        advantages, _ = edge_grpo_advantage(token_level_rewards, torch.ones(2, 3), np.array(["q", "q"]))
    torch.testing.assert_close(advantages, advantages_of([1.0, 0.0], [1.0, 1.0], ["q", "q"]))


def test_rewards_are_left_as_they_are():
    # verl's own estimator writes into the sum; ours must not write into what verl logs afterwards
    token_level_rewards = torch.tensor([[1.0], [0.0]])
    with entropy_ratio_for_estimator(torch.ones(2)):
        edge_grpo_advantage(token_level_rewards, torch.ones(2, 1), np.array(["q", "q"]))
    assert token_level_rewards.tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize(("scale_by_std", "expected"), [(True, 0.5 / (0.5**0.5 + 1e-6)), (False, 0.5)])
def test_verls_switch_for_the_std_is_obeyed(scale_by_std, expected):
    config = OmegaConf.create({"norm_adv_by_std_in_grpo": scale_by_std})
    assert advantages_of([1.0, 0.0], [1.0, 1.0], ["q", "q"], config=config)[0, 0].item() == pytest.approx(expected)


@pytest.mark.parametrize("scale_by_std", [True, False])
@pytest.mark.parametrize(("size", "seed"), [(1, 0), (8, 1), (60, 2), (300, 3)])
def test_with_a_neutral_ratio_it_is_verls_grpo(size, seed, scale_by_std):
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    generator = torch.Generator().manual_seed(seed)
    token_level_rewards = torch.randint(0, 3, (size, 4), generator=generator) / 2
    response_mask = (torch.rand(size, 4, generator=generator) < 0.8).float()
    names = np.array([f"uid{n}" for n in torch.randint(0, size // 3 + 1, (size,), generator=generator)], dtype=object)
    config = OmegaConf.create({"norm_adv_by_std_in_grpo": scale_by_std})
    with entropy_ratio_for_estimator(torch.ones(size)):
        ours, _ = edge_grpo_advantage(token_level_rewards, response_mask, names, config)
    verls, _ = compute_grpo_outcome_advantage(
        token_level_rewards.clone(), response_mask, names, norm_adv_by_std_in_grpo=scale_by_std
    )
    torch.testing.assert_close(ours, verls, rtol=0, atol=1e-6)


def test_padding_rows_with_a_group_of_their_own_change_no_other_row():
    real = advantages_of([1.0, 0.0, 1.0], [0.8, 1.2, 1.0], ["a", "a", "b"])
    mask = torch.ones(5, 3)
    mask[3:] = 0
    padded = advantages_of([1.0, 0.0, 1.0, 0.0, 0.0], [0.8, 1.2, 1.0, 1.0, 1.0], ["a", "a", "b", "pad", "pad"], mask)
    assert torch.equal(padded[:3], real)
    assert padded[3:].abs().sum() == 0


def test_without_a_ratio_it_stops_and_names_the_trainer_that_provides_one():
    with pytest.raises(RuntimeError, match="adv_estimator=edge_grpo needs the entropy.*trainer_mode=edge_grpo_sync"):
        edge_grpo_advantage(torch.zeros(1, 1), torch.ones(1, 1), np.array(["q"]))


def test_the_ratio_is_gone_after_the_call_even_if_it_failed():
    with pytest.raises(ZeroDivisionError), entropy_ratio_for_estimator(torch.ones(1)):
        raise ZeroDivisionError
    with pytest.raises(RuntimeError):
        edge_grpo_advantage(torch.zeros(1, 1), torch.ones(1, 1), np.array(["q"]))


def test_two_computations_at_a_time_do_not_see_each_others_ratio():
    async def scaled(ratio):
        with entropy_ratio_for_estimator(torch.full((2,), ratio)):
            await asyncio.sleep(0)  # lets the other one in
            rewards = torch.tensor([[1.0], [0.0]])
            return edge_grpo_advantage(rewards, torch.ones(2, 1), np.array(["q", "q"]))[0][0, 0].item()

    async def both():
        return await asyncio.gather(scaled(0.5), scaled(2.0))

    confident, unsure = asyncio.run(both())
    assert confident == pytest.approx(4 * unsure)  # (A / 0.5) / (A / 2)


@pytest.mark.parametrize(
    "names", [["b", "a", "b"], [], ["x"], ["uid-10", "uid-9", "uid-10", "uid-1"], ["1", "01", "1.0"]]
)
def test_group_numbers_are_equal_exactly_for_equal_names_and_leave_none_out(names):
    numbers = group_numbers(np.array(names, dtype=object))
    assert numbers.dtype == torch.int64
    pairs = set(zip(names, numbers.tolist(), strict=True))
    assert len(pairs) == len(set(names))  # one number for each name
    assert {number for _, number in pairs} == set(range(len(set(names))))

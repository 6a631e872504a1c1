"""Every estimator in verl's registry, called as verl's V1 trainer calls it, with the reward at a masked token."""

from importlib.resources import files

import numpy as np
import pytest
import torch
import yaml
from verl import DataProto
from verl.trainer.config import AlgoConfig
from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY
from verl.trainer.ppo.v1.utils import compute_advantage_for_multi_trajectories

from recipe.edge_grpo.names import ESTIMATOR
from recipe.edge_grpo.run.estimators import LOSING_MASKED_REWARDS, NOT_IN_V1, SUMMING, refuse_estimator
from recipe.edge_grpo.settings.comparators import CONSTANTS, read_constants
from recipe.edge_grpo.training_step.comparator_estimators import ComparatorInputs, inputs_for_comparator
from recipe.edge_grpo.training_step.estimator import entropy_ratio_for_estimator

UNMASKED = [1, 1, 1, 1]
ENDS_MASKED = [1, 1, 0, 0]  # an answer text was appended to two sampled tokens
ALL_MASKED = [0, 0, 0, 0]  # a reference solution in place of the response


def comparator_inputs(estimator, size):
    """What the trainer hands to a rival estimator; None for the others."""
    if estimator not in CONSTANTS:
        return None
    recipe = yaml.safe_load((files("recipe.edge_grpo.config.recipe") / f"{estimator}.yaml").read_text())
    constants = read_constants(estimator, recipe["edge_grpo"]["comparator"])
    return ComparatorInputs(constants, torch.ones(size, 4), -torch.ones(size, 4), torch.zeros(size).bool())


def advantages(estimator, masks, rewards):
    """The advantages of one group; each reward stands at the last token, masked or not."""
    size = len(masks)
    token_rewards = torch.zeros(size, 4)
    token_rewards[:, -1] = torch.tensor(rewards)
    data = DataProto.from_dict(
        tensors={
            "token_level_rewards": token_rewards,
            "token_level_scores": token_rewards.clone(),
            "response_mask": torch.tensor(masks),
            "old_log_probs": torch.full((size, 4), -1.0),
            "values": torch.zeros(size, 4),
        },
        non_tensors={"uid": np.array(["a"] * size, dtype=object)},
    )
    with entropy_ratio_for_estimator(torch.ones(size)), inputs_for_comparator(comparator_inputs(estimator, size)):
        computed = compute_advantage_for_multi_trajectories(
            data,
            batch_keys=[f"a_{session}_0" for session in range(size)],
            adv_estimator=estimator,
            config=AlgoConfig(adv_estimator=estimator, gdpo_reward_keys=["acc"]),
        )
    return computed.batch["advantages"]


def is_reward_lost(estimator, mask):
    """True if the group's advantages are the same for a rewarded last response as for one without a reward."""
    masks = [UNMASKED, UNMASKED, mask]
    with_reward, without = (advantages(estimator, masks, [0.25, 0.5, reward]) for reward in (1.0, 0.0))
    return torch.equal(with_reward, without)


def test_every_registered_estimator_is_classified_once():
    classified = [*SUMMING, *LOSING_MASKED_REWARDS, *NOT_IN_V1]
    assert len(classified) == len(set(classified))
    # Other tests, and other plugins, may register estimators of their own.
    of_verl = {name for name, estimator in ADV_ESTIMATOR_REGISTRY.items() if estimator.__module__.startswith("verl.")}
    assert set(classified) == of_verl | {ESTIMATOR, *CONSTANTS}


@pytest.mark.parametrize("mask", [UNMASKED, ENDS_MASKED, ALL_MASKED], ids=["unmasked", "ends masked", "all masked"])
@pytest.mark.parametrize("estimator", SUMMING)
def test_these_see_the_reward_of_a_masked_token(estimator, mask):
    assert not is_reward_lost(estimator, mask)
    refuse_estimator(estimator, masks_injected=True)


@pytest.mark.parametrize("estimator", LOSING_MASKED_REWARDS)
def test_these_lose_the_reward_of_a_masked_response_and_are_refused(estimator):
    assert not is_reward_lost(estimator, UNMASKED)
    assert is_reward_lost(estimator, ALL_MASKED)
    assert is_reward_lost(estimator, ENDS_MASKED) == (estimator != "opo")
    refuse_estimator(estimator, masks_injected=False)
    with pytest.raises(ValueError) as refused:
        refuse_estimator(estimator, masks_injected=True)
    assert f"injected_loss=mask with algorithm.adv_estimator={estimator}" in str(refused.value)
    assert "set edge_grpo.gec.injected_loss=train" in str(refused.value)


@pytest.mark.parametrize("estimator", NOT_IN_V1)
@pytest.mark.parametrize("masks_injected", [True, False])
def test_these_are_not_served_by_verls_v1_trainer_and_are_refused(estimator, masks_injected):
    with pytest.raises((AssertionError, KeyError, TypeError)):
        advantages(estimator, [UNMASKED, UNMASKED], [0.0, 1.0])
    with pytest.raises(ValueError, match=f"algorithm.adv_estimator={estimator}: .*use one of grpo, "):
        refuse_estimator(estimator, masks_injected)


def test_an_estimator_that_is_not_verls_is_refused_only_with_masked_rewards():
    refuse_estimator("my_estimator", masks_injected=False)
    with pytest.raises(ValueError, match="adv_estimator=my_estimator, which is not known to sum"):
        refuse_estimator("my_estimator", masks_injected=True)

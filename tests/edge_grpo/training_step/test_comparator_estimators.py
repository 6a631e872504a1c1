"""Rival estimators as verl calls them by name: what they are handed, and what they refuse to do without."""

import numpy as np
import pytest
import torch

from recipe.edge_grpo.settings.comparators import CONSTANTS, read_constants
from recipe.edge_grpo.training_step.comparator_estimators import ESTIMATORS, ComparatorInputs, inputs_for_comparator

MASK = torch.tensor([[1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 1]])
NAMES = np.array(["a", "b", "a", "b"], dtype=object)  # a is all wrong, b mixed
REWARDS = [0.0, 1.0, 0.0, 0.0]


@pytest.fixture
def constants_of(compose):
    """constants_of(name): those of the recipe of this name."""

    def constants_of(name):
        config = compose(f"+recipe={name}", "actor_rollout_ref.rollout.name=vllm")
        assert config.algorithm.adv_estimator == name
        return read_constants(name, config.edge_grpo.comparator)

    return constants_of


def call(name, constants, **inputs):
    """What verl's registry has under the name, called as verl calls it."""
    from verl.trainer.ppo.core_algos import get_adv_estimator_fn

    token_level_rewards = torch.zeros(4, 3)
    token_level_rewards[:, -1] = torch.tensor(REWARDS)
    given = {
        "token_entropy": torch.tensor([[0.5, 1.0, 9.0], [0.2, 0.4, 0.6], [0.3, 9.0, 9.0], [0.1, 0.1, 0.1]]),
        "old_log_probs": -torch.ones(4, 3),
        "is_padding": torch.zeros(4, dtype=torch.bool),
        **inputs,
    }
    with inputs_for_comparator(None if constants is None else ComparatorInputs(constants, **given)):
        return get_adv_estimator_fn(name)(
            token_level_rewards=token_level_rewards, response_mask=MASK, index=NAMES, config=None, gamma=1.0
        )


def test_every_comparator_is_registered_and_has_constants():
    assert set(ESTIMATORS) == set(CONSTANTS)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_advantages_and_returns_are_one_and_0_where_the_mask_is(constants_of, name):
    advantages, returns = call(name, constants_of(name))
    assert returns is advantages
    assert advantages.shape == MASK.shape
    assert (advantages[MASK == 0] == 0).all()
    assert torch.isfinite(advantages).all()


@pytest.mark.parametrize("name", ["ngrpo", "avspo", "egpo", "rl_zvp"])
def test_a_group_that_is_all_wrong_is_revived(constants_of, name):
    advantages, _ = call(name, constants_of(name))
    assert advantages[0].min() < 0


def test_the_entropy_shaped_advantage_leaves_such_a_group_alone_and_lifts_a_mixed_one(constants_of):
    advantages, _ = call("entropy_shaped", constants_of("entropy_shaped"))
    assert (advantages[0] == 0).all()
    # A = +-0.7071; bonuses 0.08, 0.16 and 0.24, and 0.04 at each place
    assert advantages[1].tolist() == pytest.approx([0.7871, 0.8671, 0.9471], abs=1e-4)
    assert advantages[3].tolist() == pytest.approx([-0.6671] * 3, abs=1e-4)


def test_egpo_is_handed_the_negative_log_probability_of_the_tokens_that_count(constants_of):
    # row 0 has -0.5 and -1.5 and a masked -9: P = 1; row 2 has -3: P = 3; their mean is 2
    old_log_probs = torch.tensor([[-0.5, -1.5, -9.0], [-1.0] * 3, [-3.0, -9.0, -9.0], [-1.0] * 3])
    advantages, _ = call("egpo", constants_of("egpo"), old_log_probs=old_log_probs)
    assert advantages[0, 0].item() == pytest.approx(-1.0)  # 2 / 1 bounded to 1
    assert advantages[2, 0].item() == pytest.approx(-0.8)  # 2 / 3 bounded to 0.8


def test_padding_has_no_part_in_the_mean_of_a_group(constants_of):
    old_log_probs = torch.tensor([[-1.0] * 3, [-1.0] * 3, [-50.0] * 3, [-1.0] * 3])
    is_padding = torch.tensor([False, False, True, False])
    advantages, _ = call("egpo", constants_of("egpo"), old_log_probs=old_log_probs, is_padding=is_padding)
    assert advantages[0, 0].item() == pytest.approx(-1.0, abs=2e-5)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_without_a_trainer_of_ours_the_recipe_is_named(name):
    with pytest.raises(RuntimeError, match=rf"adv_estimator={name} needs .*\+recipe={name}"):
        call(name, None)


def test_egpo_without_log_probabilities_says_so(constants_of):
    with pytest.raises(RuntimeError, match="no old log-probabilities"):
        call("egpo", constants_of("egpo"), old_log_probs=None)

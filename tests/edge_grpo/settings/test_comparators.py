"""The constants of rival estimators: a bad one is refused with its key, its value and what is right."""

import pytest

from recipe.edge_grpo.settings.comparators import CONSTANTS, read_constants

GOOD = {
    "ngrpo": {"max_reward": 1.0, "num_virtual": 1},
    "avspo": {"max_reward": 1.0, "min_reward": 0.0, "num_virtual": 1},
    "egpo": {"low": 0.8, "high": 2.0, "all_wrong": -1.0},
    "rl_zvp": {"alpha": 0.1},
    "entropy_shaped": {"alpha": 0.4, "kappa": 2.0},
}

BAD = [
    ("ngrpo", "num_virtual", -1, "whole number of at least 0"),
    ("ngrpo", "num_virtual", True, "whole number"),
    ("ngrpo", "max_reward", "1", "must be a number"),
    ("avspo", "min_reward", 1.0, "must be a number below 1"),
    ("egpo", "low", 1.2, "0 < low <= 1 <= high"),
    ("egpo", "high", 0.9, "0 < low <= 1 <= high"),
    ("egpo", "all_wrong", 0.5, "of at most 0"),
    ("rl_zvp", "alpha", -0.1, "of at least 0"),
    ("rl_zvp", "alpha", float("nan"), "of at least 0"),
    ("entropy_shaped", "kappa", 1.0, "above 1"),
    ("entropy_shaped", "kappa", None, "above 1"),
]


def test_every_comparator_has_a_case_here():
    assert set(GOOD) == set(CONSTANTS)
    for name, block in GOOD.items():
        assert vars(read_constants(name, block)) == block


@pytest.mark.parametrize(("name", "key", "value", "reason"), BAD)
def test_a_bad_constant_is_refused(name, key, value, reason):
    with pytest.raises(ValueError) as refused:
        read_constants(name, GOOD[name] | {key: value})
    assert f"edge_grpo.comparator.{key}" in str(refused.value) and reason in str(refused.value)


def test_an_unknown_key_is_refused_with_the_one_that_was_meant():
    with pytest.raises(ValueError, match=r"unknown key edge_grpo\.comparator\.alhpa: did you mean .*alpha"):
        read_constants("rl_zvp", {"alhpa": 0.1})


def test_a_key_that_another_recipe_lacks_is_named_with_the_recipe_that_has_it():
    with pytest.raises(ValueError, match=r"missing key edge_grpo\.comparator\.min_reward: \+recipe=avspo sets it"):
        read_constants("avspo", GOOD["ngrpo"])


def test_the_recipes_hold_the_values_of_the_papers(compose):
    for name, block in GOOD.items():
        config = compose(f"+recipe={name}")
        assert dict(config.edge_grpo.comparator) == block


def test_ngrpo_has_its_own_clip_and_dr_grpo_its_own_loss(compose):
    actor = compose("+recipe=ngrpo").actor_rollout_ref.actor
    assert (actor.clip_ratio_low, actor.clip_ratio_high) == (0.16, 0.24)
    config = compose("+recipe=dr_grpo")
    assert config.algorithm.norm_adv_by_std_in_grpo is False
    actor = config.actor_rollout_ref.actor
    assert (actor.loss_agg_mode, actor.loss_scale_factor) == ("seq-mean-token-sum-norm", 3072)

"""Start-up checks of rival estimators: what each needs, and what would take it away unseen.

A part of `config_checks.py`, which says when these run.
"""

import math

from omegaconf import DictConfig

from recipe.edge_grpo.run.preflight.reward import OWN_REWARD
from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings
from recipe.edge_grpo.settings.choices import EntropySource
from recipe.edge_grpo.settings.comparators import (
    COMPARATOR_KEY,
    AVSPOConstants,
    Constants,
    NGRPOConstants,
    read_constants,
)

ON_EQUAL_REWARDS = ("ngrpo", "avspo", "egpo", "rl_zvp")
"""Act on groups whose rewards are all equal."""

ON_TOKEN_ENTROPY = ("rl_zvp", "entropy_shaped")

ON_SIGN_OF_REWARD = ("egpo", "rl_zvp")
"""Take a response for right if its reward is above 0."""

REWARD_KWARGS = "reward.custom_reward_function.reward_kwargs"


def check_comparator(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    """Refuse a rival estimator that would not be what its name says.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    algorithm, estimator = config.algorithm, config.algorithm.adv_estimator
    constants = read_constants(estimator, settings.comparator)
    if constants is None:
        return
    key = f"algorithm.adv_estimator={estimator}"
    if not algorithm.get("norm_adv_by_std_in_grpo", True):
        raise ValueError(
            f"algorithm.norm_adv_by_std_in_grpo=False with {key}, which divides by the deviation; set it to True"
        )
    filter_groups = algorithm.get("filter_groups")
    if estimator in ON_EQUAL_REWARDS and filter_groups is not None and filter_groups.enable:
        raise ValueError(
            f"algorithm.filter_groups.enable=True with {key}, which acts on the groups that it drops; set it to False"
        )
    if estimator in ON_EQUAL_REWARDS and algorithm.use_kl_in_reward:
        raise ValueError(
            f"algorithm.use_kl_in_reward=True with {key}, which acts on groups of equal rewards, and no two are equal "
            "with a penalty inside; set it to False (actor_rollout_ref.actor.use_kl_loss=True keeps the term)"
        )
    if estimator in ON_TOKEN_ENTROPY and settings.eda.entropy is not EntropySource.EXACT:
        raise ValueError(
            f"{BLOCK}.eda.entropy={settings.eda.entropy} with {key}, which is made of the policy entropy of each "
            f"token; set {BLOCK}.eda.entropy=exact"
        )
    _check_reward(config, estimator, constants)


def _check_reward(config: DictConfig, estimator: str, constants: Constants) -> None:
    """Refuse weights of our own reward that an estimator would misread; nothing is known of another reward."""
    reward = config.reward.custom_reward_function
    if reward.path != OWN_REWARD:
        return
    weights = reward.get("reward_kwargs") or {}
    accuracy_weight, format_weight = weights.get("accuracy_weight", 1.0), weights.get("format_weight", 0.0)
    if estimator in ON_SIGN_OF_REWARD and format_weight:
        raise ValueError(
            f"{REWARD_KWARGS}.format_weight={format_weight} with algorithm.adv_estimator={estimator}, which takes a "
            "reward above 0 for a right response, and so a wrong one that has the format; set it to 0"
        )
    highest = accuracy_weight + format_weight
    if isinstance(constants, NGRPOConstants | AVSPOConstants) and not math.isclose(constants.max_reward, highest):
        raise ValueError(
            f"{COMPARATOR_KEY}.max_reward={constants.max_reward} with algorithm.adv_estimator={estimator} and rewards "
            f"of at most {highest:g} ({REWARD_KWARGS}); set it to {highest:g}, what a right response gets"
        )

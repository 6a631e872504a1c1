"""Start-up checks of rival estimators: what each needs, and what would take it away unseen.

A part of `config_checks.py`, which says when these run.
"""

from omegaconf import DictConfig

from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings
from recipe.edge_grpo.settings.choices import EntropySource
from recipe.edge_grpo.settings.comparators import CONSTANTS, read_constants

ON_EQUAL_REWARDS = ("ngrpo", "avspo", "egpo", "rl_zvp")
"""Act on groups whose rewards are all equal."""

ON_TOKEN_ENTROPY = ("rl_zvp", "entropy_shaped")


def check_comparator(config: DictConfig, settings: EdgeGRPOSettings) -> None:
    """Refuse a rival estimator that would not be what its name says.

    Raises:
        ValueError: naming the key, its value and the fix.
    """
    algorithm, estimator = config.algorithm, config.algorithm.adv_estimator
    read_constants(estimator, settings.comparator)
    if estimator not in CONSTANTS:
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

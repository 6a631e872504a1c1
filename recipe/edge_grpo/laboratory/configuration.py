"""What the laboratory reads of a recipe, composed without verl; what needs verl is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from recipe.edge_grpo.names import ESTIMATOR
from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings, read_settings
from recipe.edge_grpo.settings.comparators import CONSTANTS, Constants, read_constants

CONFIG = Path(__file__).parents[1] / "config"
TOKEN_MEAN, CONSTANT_LENGTH = "token-mean", "seq-mean-token-sum-norm"


@dataclass(frozen=True)
class LaboratoryConfig:
    """One recipe, as far as it matters on a tiny policy with one update a step."""

    recipe: str
    settings: EdgeGRPOSettings
    estimator: str
    """`algorithm.adv_estimator`."""
    constants: Constants | None
    """Constants of a rival estimator; None for the others."""
    scale_by_std: bool
    """`algorithm.norm_adv_by_std_in_grpo`."""
    loss_agg_mode: str
    """`actor_rollout_ref.actor.loss_agg_mode`: token-mean, or Dr. GRPO's."""
    replaces_equal_groups: bool
    """`algorithm.filter_groups.enable`: groups whose rewards are all equal make place for others (DAPO)."""
    reward_kwargs: dict[str, Any]
    """Arguments of the reward, `reward_fns.math_reward`: its weights."""


def read_recipe(name: str, overrides: Sequence[str] = ()) -> LaboratoryConfig:
    """Compose a recipe with the lengths of the profile cpu, and overrides of the block `edge_grpo:`.

    Clip bounds are not read: with one update a step the policy is the one that sampled, and no clip is met.

    Raises:
        ValueError: naming the key and the fix, for a recipe that is not there, another override, a bad setting, and for
            what only a run of verl can do.
    """
    if not (CONFIG / "recipe" / f"{name}.yaml").is_file():
        known = ", ".join(sorted(path.stem for path in (CONFIG / "recipe").glob("*.yaml")))
        raise ValueError(f"there is no recipe {name}; there are {known}")
    for override in overrides:
        if not override.startswith(f"{BLOCK}."):
            raise ValueError(f"{override}: the laboratory takes overrides of {BLOCK}.… only; others need a run of verl")
    with initialize_config_dir(str(CONFIG), version_base=None):
        recipe = compose(f"recipe/{name}")
    OmegaConf.set_struct(recipe, False)
    profile: Any = OmegaConf.load(CONFIG / "profile" / "cpu.yaml")
    config: Any = OmegaConf.merge(recipe, {BLOCK: profile[BLOCK]}, OmegaConf.from_dotlist(list(overrides)))
    settings, algorithm = read_settings(config), config.algorithm
    estimator = algorithm.adv_estimator
    _refuse_what_needs_verl(name, config, settings)
    return LaboratoryConfig(
        recipe=name,
        settings=settings,
        estimator=estimator,
        constants=read_constants(estimator, settings.comparator),
        scale_by_std=algorithm.get("norm_adv_by_std_in_grpo", True),
        loss_agg_mode=config.actor_rollout_ref.actor.get("loss_agg_mode", TOKEN_MEAN),
        replaces_equal_groups=algorithm.get("filter_groups", {}).get("enable", False),
        reward_kwargs=dict(config.reward.custom_reward_function.get("reward_kwargs") or {}),
    )


def _refuse_what_needs_verl(name: str, config: Any, settings: EdgeGRPOSettings) -> None:
    estimator = config.algorithm.adv_estimator
    if estimator not in ("grpo", ESTIMATOR, *CONSTANTS):
        raise ValueError(f"recipe {name}: algorithm.adv_estimator={estimator} is verl's own, and needs a run of verl")
    if settings.eda.enabled != (estimator == ESTIMATOR):
        raise ValueError(
            f"{BLOCK}.eda.enabled={settings.eda.enabled} with recipe {name}: the entropy-driven advantage is the "
            f"estimator {ESTIMATOR}; choose a recipe with it, or without"
        )

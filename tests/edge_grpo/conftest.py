"""What several tests of the recipe need: configurations as verl's own command line composes them."""

import functools
import pickle

import pytest
import yaml


@pytest.fixture(scope="session")
def compose():
    """compose(*overrides): verl's `ppo_trainer` with command-line overrides; a copy of its own for each caller.

    Hydra takes half a second, so it composes each choice of recipe and profile once, and plain `key=value` overrides
    are laid over the result as Hydra would do; `through_hydra=True` leaves all of it to Hydra.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from omegaconf import OmegaConf

    import recipe.edge_grpo.plugin  # noqa: F401  as `import verl` does; +recipe= and +profile= are found through it

    @functools.cache
    def composed_by_hydra(overrides):
        with initialize_config_module("verl.trainer.config", version_base=None):
            # Unpickling makes a copy in 5 ms, where copy.deepcopy takes 30.
            return pickle.dumps(hydra_compose("ppo_trainer", overrides=list(overrides)))

    def compose(*overrides, through_hydra=False):
        groups = [override for override in overrides if through_hydra or override.startswith(("+recipe=", "+profile="))]
        config = pickle.loads(composed_by_hydra(tuple(groups)))
        for override in overrides:
            if override not in groups:
                key, _, value = override.partition("=")
                OmegaConf.update(config, key, yaml.safe_load(value), merge=False)
        return config

    return compose

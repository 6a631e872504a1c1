"""What several tests of the recipe need: configurations as verl's own command line composes them."""

import functools
import io
import pickle
from unittest import mock

import pytest
import yaml


@pytest.fixture(scope="session")
def compose():
    """compose(*overrides): verl's `ppo_trainer` with command-line overrides; a copy of its own for each caller.

    Hydra takes half a second, so it composes each choice of recipe and profile once, and plain `key=value` overrides
    are laid over the result as Hydra would do; `through_hydra=True` leaves all of it to Hydra. More than half of its
    time goes into parsing verl's thirty YAML files, the same ones each time: each text is parsed once.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from omegaconf import OmegaConf

    import recipe.edge_grpo.plugin  # noqa: F401  as `import verl` does; +recipe= and +profile= are found through it

    load = OmegaConf.load

    @functools.cache
    def pickled(text):
        return pickle.dumps(load(io.StringIO(text)))

    @functools.cache
    def composed_by_hydra(overrides):
        with (
            initialize_config_module("verl.trainer.config", version_base=None),
            mock.patch.object(OmegaConf, "load", lambda file: pickle.loads(pickled(file.read()))),
        ):
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

"""The `verl.plugins` entry point: what makes EDGE-GRPO known to an unforked verl.

verl imports this at the end of `import verl`, in every process of a run, so it must be light: nothing here imports
verl, torch or Hydra. Each row of the table waits until the module on its left has been imported, and then imports the
function on its right and calls it with that module.
"""

import os
import sys
from types import ModuleType

import wrapt

import recipe.edge_grpo.run.stop_request  # noqa: F401  it notes when this process began

CPU_PROFILE = "+profile=cpu"  # or one whose name goes on from there: cpu_separate

REGISTRATIONS = (
    # names, in verl's and Hydra's registries
    ("hydra", "recipe.edge_grpo.plugin:register_config_folder"),
    ("omegaconf", "recipe.edge_grpo.cpu.resolvers:register"),
    ("verl.trainer.ppo.core_algos", "recipe.edge_grpo.training_step.estimator:register"),
    ("verl.trainer.ppo.core_algos", "recipe.edge_grpo.training_step.comparator_estimators:register"),
    ("verl.trainer.ppo.core_algos", "recipe.edge_grpo.training_step.policy_loss:register"),
    ("verl.trainer.ppo.v1", "recipe.edge_grpo.plugin:import_trainers"),
    # where the driver learns whether the run is one of ours; verl's own function again from then on
    ("verl.utils.config", "recipe.edge_grpo.plugin:check_config_at_start"),
)

PATCHES = (
    ("verl.utils.tracking", "recipe.edge_grpo.verl_patches.file_logger:begin_metrics_file_with_what_it_holds"),
    (
        "verl.experimental.reward_loop.reward_loop",
        "recipe.edge_grpo.verl_patches.remote_code:trust_as_configured",
    ),
    (
        "verl.workers.rollout.vllm_rollout.bucketed_weight_transfer",
        "recipe.edge_grpo.verl_patches.weight_sockets:name_sockets_by_ray_node",
    ),
)
"""In the processes of a run of ours only (verl_patches/activation.py)."""

REGISTRATION_ON_LOOPBACK = (
    "torch.distributed.rendezvous",
    "recipe.edge_grpo.verl_patches.loopback:stores_on_loopback",
)
"""Where the driver has decided so (verl_patches/loopback.py)."""


def register() -> None:
    """Arrange all registrations; called once, on import."""
    if any(argument.startswith(CPU_PROFILE) for argument in sys.argv):
        # verl chooses its platform before Hydra has read the profile, so the command line is the only place to look.
        os.environ.setdefault("VERL_PLATFORM", "cpu")
    on_loopback = (REGISTRATION_ON_LOOPBACK,) if os.environ.get("EDGE_GRPO_LOOPBACK") == "1" else ()
    patches = PATCHES if os.environ.get("EDGE_GRPO_RUN") == "1" else ()
    for module, function in (*REGISTRATIONS, *patches, *on_loopback):
        wrapt.register_post_import_hook(function, module)
    if os.environ.get("VERL_PLATFORM", "").strip().lower() == "cpu":
        from recipe.edge_grpo import cpu
        from recipe.edge_grpo.verl_patches import accelerator

        cpu.register()
        accelerator.register()


def register_config_folder(_: ModuleType) -> None:
    """Add our configuration folder to Hydra's search path: +recipe=, +profile=."""
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class EdgeGRPOSearchPath(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            search_path.append(provider="edge_grpo", path="pkg://recipe.edge_grpo.config")

    Plugins.instance().register(EdgeGRPOSearchPath)


def import_trainers(_: ModuleType) -> None:
    """Import the trainers, which register themselves; or do nothing where they are what imports verl."""
    import recipe.edge_grpo.training_step.trainer  # noqa: F401


def check_config_at_start(config_module: ModuleType) -> None:
    """Make verl's driver prepare for a run of ours between composing its configuration and starting Ray."""
    from recipe.edge_grpo.verl_patches.config_validation import check_after_validate_config

    check_after_validate_config(config_module, "recipe.edge_grpo.run.lifecycle:prepare_driver")


register()

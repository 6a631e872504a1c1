"""The `verl.plugins` entry point: what makes EDGE-GRPO known to an unforked verl.

verl imports this at the end of `import verl`, in every process of a run, so it must be light: nothing here imports
verl, torch or Hydra. Each registration waits until the module that needs it has been imported.

    imported module               what happens then
    hydra                         our configuration folder joins the search path: +recipe=, +profile=
    verl.trainer.ppo.core_algos   the advantage estimator `edge_grpo`, the policy loss `edge_grpo_shaped`
    verl.trainer.ppo.v1           the trainers `edge_grpo_sync`, `edge_grpo_colocate_async`, `edge_grpo_separate_async`
    verl.utils.config             our start-up checks join verl's `validate_config` (see start_up.py)
    verl.utils.tracking           a resumed run keeps the metrics of its earlier steps (see run_folder.py)
    verl.experimental.reward_loop.reward_loop   code that comes with a tokenizer is not run unasked (see remote_code.py)
    verl.workers.rollout.vllm_rollout.bucketed_weight_transfer   runs on one machine keep apart (see weight_sockets.py)
    torch.distributed.rendezvous  on one machine its ports are on the loopback interface (see loopback.py)

The CPU platform registers itself only where VERL_PLATFORM=cpu (see cpu/).
"""

import os
import sys
from types import ModuleType
from typing import Any

import wrapt

import recipe.edge_grpo.run.stop_request  # noqa: F401  it notes when this process began

CPU_PROFILE = "+profile=cpu"  # or one whose name goes on from there: cpu_separate

_WEIGHT_TRANSFER = "verl.workers.rollout.vllm_rollout.bucketed_weight_transfer"


def register() -> None:
    """Arrange all registrations; called once, on import."""
    if any(argument.startswith(CPU_PROFILE) for argument in sys.argv):
        # verl chooses its platform before Hydra has read the profile, so the command line is the only place to look.
        os.environ.setdefault("VERL_PLATFORM", "cpu")
    wrapt.register_post_import_hook(_register_config_folder, "hydra")
    wrapt.register_post_import_hook(_register_estimator, "verl.trainer.ppo.core_algos")
    wrapt.register_post_import_hook(_register_policy_loss, "verl.trainer.ppo.core_algos")
    wrapt.register_post_import_hook(_register_trainers, "verl.trainer.ppo.v1")
    wrapt.register_post_import_hook(_check_config_at_start, "verl.utils.config")
    wrapt.register_post_import_hook(_keep_metrics_of_earlier_steps, "verl.utils.tracking")
    wrapt.register_post_import_hook(_trust_remote_code_as_configured, "verl.experimental.reward_loop.reward_loop")
    wrapt.register_post_import_hook(_keep_weights_of_runs_apart, _WEIGHT_TRANSFER)
    if os.environ.get("EDGE_GRPO_LOOPBACK") == "1":  # the driver has decided so (loopback.py)
        wrapt.register_post_import_hook(_keep_stores_on_loopback, "torch.distributed.rendezvous")
    if os.environ.get("VERL_PLATFORM", "").strip().lower() == "cpu":
        from recipe.edge_grpo import cpu

        cpu.register()


def _register_config_folder(_: ModuleType) -> None:
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class EdgeGRPOSearchPath(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            search_path.append(provider="edge_grpo", path="pkg://recipe.edge_grpo.config")

    Plugins.instance().register(EdgeGRPOSearchPath)


def _register_estimator(core_algos: ModuleType) -> None:
    from recipe.edge_grpo.training_step.estimator import NAME, edge_grpo_advantage

    core_algos.register_adv_est(NAME)(edge_grpo_advantage)


def _register_policy_loss(core_algos: ModuleType) -> None:
    from recipe.edge_grpo.training_step.policy_loss import NAME, edge_grpo_shaped_loss

    core_algos.register_policy_loss(NAME)(edge_grpo_shaped_loss)


def _register_trainers(_: ModuleType) -> None:
    import recipe.edge_grpo.training_step.trainer  # noqa: F401  importing it registers its classes


def _check_config_at_start(config_module: ModuleType) -> None:
    from recipe.edge_grpo.verl_patches.config_validation import check_after_validate_config

    def find_check() -> Any:
        from recipe.edge_grpo.run.config_checks import check_at_start

        return check_at_start

    check_after_validate_config(config_module, find_check)


def _keep_metrics_of_earlier_steps(tracking_module: ModuleType) -> None:
    from recipe.edge_grpo.run.metrics_file import begin_metrics_file_with_what_it_holds

    begin_metrics_file_with_what_it_holds(tracking_module)


def _trust_remote_code_as_configured(reward_loop: ModuleType) -> None:
    from recipe.edge_grpo.verl_patches.remote_code import trust_as_configured

    trust_as_configured(reward_loop)


def _keep_weights_of_runs_apart(bucketed_weight_transfer: ModuleType) -> None:
    from recipe.edge_grpo.verl_patches.weight_sockets import name_sockets_by_ray_node

    name_sockets_by_ray_node(bucketed_weight_transfer)


def _keep_stores_on_loopback(rendezvous: ModuleType) -> None:
    from recipe.edge_grpo.verl_patches.loopback import stores_on_loopback

    stores_on_loopback(rendezvous)


register()

"""The course of a run, for any of verl's V1 trainers: data looked at, servers watched, stopped and resumed whole.

Nothing of the method is here, and nothing of it changes what a step computes.
"""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, open_dict

from recipe.edge_grpo.checkpoints import checkpoint_to_resume, seal
from recipe.edge_grpo.run_folder import log_metrics_below_run_folder
from recipe.edge_grpo.settings import EdgeGRPOSettings
from recipe.edge_grpo.stop_request import forget_request, is_stop_requested
from recipe.edge_grpo.training_rows import check_training_rows
from recipe.edge_grpo.watchdog import VLLMWatchdog, naming_dead_servers


class RunLifecycleMixin:
    """Looks at the data, watches the servers, and makes a run stoppable and resumable."""

    config: DictConfig
    edge_grpo_settings: EdgeGRPOSettings
    saved_step = 0

    def _init_dataloader(self) -> None:
        super()._init_dataloader()  # type: ignore[misc]
        rows = self.train_dataset.dataframe.select_columns(
            [name for name in ("reward_model", "extra_info") if name in self.train_dataset.dataframe.column_names]
        )
        check_training_rows(rows, corrects=self.edge_grpo_settings.gec.enabled)

    def on_init_end(self) -> None:
        self.vllm_addresses = [
            replica.server_address for manager in self._rollout_server_managers() for replica in manager.get_replicas()
        ]
        VLLMWatchdog(self.vllm_addresses).start()
        super().on_init_end()

    def fit(self, agent_loop_manager: Any) -> None:
        log_metrics_below_run_folder(self.run_folder, resumed_step=self.global_steps)
        if self.global_steps > 0:
            with open_dict(self.config):
                # The step of the checkpoint has its metrics already; validating again would log it twice.
                self.config.trainer.val_before_train = False
        with naming_dead_servers(self.vllm_addresses):
            super().fit(agent_loop_manager)

    def on_step_end(self) -> None:
        if self.global_steps >= self.total_training_steps:
            forget_request(self.run_folder)  # the run is at its end anyway, and whoever asked shall not start it again
        elif is_stop_requested(self.run_folder):
            if self.saved_step != self.global_steps:
                self._save_checkpoint()
            # verl's loop ends after a step that is not below this; the step's metrics are logged before.
            self.total_training_steps = self.global_steps
            print(f"EDGE-GRPO: stopping after step {self.global_steps}, as asked; the same command resumes", flush=True)
        super().on_step_end()

    def _save_checkpoint(self) -> None:
        super()._save_checkpoint()
        self.saved_step = self.global_steps
        if not self.config.actor_rollout_ref.actor.get("checkpoint", {}).get("async_save", False):
            seal(Path(self.run_folder) / f"global_step_{self.global_steps}")

    def _load_checkpoint(self) -> None:
        if self.config.trainer.resume_mode == "auto":
            checkpoint, faults = checkpoint_to_resume(Path(self.run_folder))
            for fault in faults:
                print(f"EDGE-GRPO: not resuming from a checkpoint that is not whole: {fault}", flush=True)
            if faults:
                with open_dict(self.config):
                    self.config.trainer.resume_mode = "resume_path"
                    self.config.trainer.resume_from_path = str(checkpoint)
        super()._load_checkpoint()

    @property
    def run_folder(self) -> str:
        """The folder of the run, absolute."""
        return str(Path(self.config.trainer.default_local_dir).resolve())

"""The course of a run, for any of verl's V1 trainers: prepared, data looked at, watched, stopped, resumed whole.

Nothing of the method is here, and nothing of it changes what a step computes. `edge_grpo.reliability=false` switches it
off with the patches that it needs, all but the checks: what is left is verl's trainer with the method.
"""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, open_dict

from recipe.edge_grpo.cpu.warm_workers.start import use_template
from recipe.edge_grpo.run import dead_actors, dead_servers, stall
from recipe.edge_grpo.run.checkpoints import checkpoint_to_resume, explain_unwritten, seal
from recipe.edge_grpo.run.config_checks import check_config, check_nodes
from recipe.edge_grpo.run.config_file import leave_configuration
from recipe.edge_grpo.run.data_checks import check_data_files, check_training_rows, checkable_rows
from recipe.edge_grpo.run.failure_report import (
    end_process,
    print_failure_at_exit,
    remove_reserved_failure_file,
    reserve_failure_file,
    writing_failure,
)
from recipe.edge_grpo.run.metrics_file import log_metrics_below_run_folder
from recipe.edge_grpo.run.preflight.checks import announce_warnings, look_before_start, needs_gold
from recipe.edge_grpo.run.preflight.findings import refuse_problems
from recipe.edge_grpo.run.stop_request import forget_request, is_stop_requested, stop_on_sigterm
from recipe.edge_grpo.run.watchdog import FindFault, Watchdog, explain_error_by_fault
from recipe.edge_grpo.settings.block import BLOCK, EdgeGRPOSettings, read_settings
from recipe.edge_grpo.verl_patches.activation import activate_in_processes_of_run
from recipe.edge_grpo.verl_patches.loopback import is_on_one_machine, keep_to_loopback


def prepare_driver(config: DictConfig) -> None:
    """Check the configuration and, for a run of ours, arrange loopback, last words and SIGTERM as a request to stop.

    The driver calls this before it starts Ray; see `check_config` and `look_before_start` for what it refuses.
    """
    check_config(config)
    if config.get(BLOCK) is None:
        return
    check_nodes(config)
    findings = look_before_start(config)
    announce_warnings(findings)
    refuse_problems(findings)
    if read_settings(config).reliability:
        activate_in_processes_of_run(config)
        keep_to_loopback(config)
        print_failure_at_exit(config.trainer.default_local_dir)
        stop_on_sigterm(config.trainer.default_local_dir)
        if os.environ.get("VERL_PLATFORM") == "cpu" and is_on_one_machine(config):
            use_template(config)


def unless_switched_off(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of the mixin be verl's own where `edge_grpo.reliability=false`."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.edge_grpo_settings.reliability:
            return method(self, *args, **kwargs)
        return getattr(super(RunLifecycleMixin, self), method.__name__)(*args, **kwargs)

    return call


class RunLifecycleMixin:
    """Looks at the data, watches servers, actors and progress, and makes a run stoppable and resumable."""

    config: DictConfig
    edge_grpo_settings: EdgeGRPOSettings
    saved_step = 0

    @unless_switched_off
    def init(self) -> None:
        reserve_failure_file(self.run_folder)
        with writing_failure(self.run_folder):
            leave_configuration(self.config, self.run_folder)
            super().init()

    def _init_dataloader(self) -> None:
        try:
            super()._init_dataloader()
        except Exception:
            check_data_files(self.config.data)  # says which file, if it is one
            raise
        rows = checkable_rows(self.train_dataset)
        if rows is not None:
            check_training_rows(rows, self.edge_grpo_settings, needs_gold(self.config))

    @unless_switched_off
    def on_init_end(self) -> None:
        self.watchdogs = self._watchdogs()
        for watchdog in self.watchdogs:
            watchdog.start()
        super().on_init_end()  # the first transfer of weights, where a server can die too

    def _watchdogs(self) -> list[Watchdog]:
        self.vllm_addresses = dead_servers.addresses_of_vllm(self._rollout_server_managers())
        finders: list[tuple[FindFault, float]] = [
            (dead_servers.VLLMHealth(self.vllm_addresses), dead_servers.SERVER_CHECK_SECONDS),
            (dead_actors.find_dead_actor_of_this_process, dead_actors.ACTOR_CHECK_SECONDS),
        ]
        limit = self.edge_grpo_settings.stall_seconds
        if limit is not None:
            progress = functools.partial(stall.progress_of_trainer, self)
            finders.append((stall.Stall(progress, limit), stall.STALL_CHECK_SECONDS))
        end_run = functools.partial(end_process, self.run_folder)
        return [Watchdog(find_fault, end_run, interval) for find_fault, interval in finders]

    @unless_switched_off
    def fit(self, agent_loop_manager: Any) -> None:
        log_metrics_below_run_folder(self.run_folder, resumed_step=self.global_steps)
        if self.global_steps > 0 and not self.config.trainer.get("val_only"):
            with open_dict(self.config):
                # The step of the checkpoint has its metrics already; validating again would log it twice.
                self.config.trainer.val_before_train = False
        finders: list[FindFault] = [
            dead_actors.find_dead_actor_of_this_process,
            functools.partial(dead_servers.find_unhealthy_server, self.vllm_addresses),
        ]
        try:
            with writing_failure(self.run_folder), explain_error_by_fault(finders):
                super().fit(agent_loop_manager)
            remove_reserved_failure_file(self.run_folder)
        finally:
            for watchdog in self.watchdogs:
                watchdog.stop()

    @unless_switched_off
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

    @unless_switched_off
    def _save_checkpoint(self) -> None:
        checkpoint = Path(self.run_folder) / f"global_step_{self.global_steps}"
        with explain_unwritten(checkpoint):
            super()._save_checkpoint()
            self.saved_step = self.global_steps
            if not self.config.actor_rollout_ref.actor.get("checkpoint", {}).get("async_save", False):
                seal(checkpoint)

    @unless_switched_off
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

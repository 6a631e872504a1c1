"""Runs that take two undisturbed steps and are then hit: the steps show a preset at work, the end shows the fault.

Each run has a preset and an option of its own, so that a run serves one test of `runs/test_presets.py` and one of
`runs/faults/test_killed_processes.py`.
"""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from support.processes import children_of, has_title
from support.training_runs import Run

LIMIT_SECONDS = 120
GROUP_SIZE = 8
PROMPTS_A_STEP = 8

COMMON = ["+profile=cpu", "trainer.total_training_steps=500", "trainer.val_before_train=false", "trainer.save_freq=-1"]
HINTS = (
    "edge_grpo.gec.scope=group",
    "edge_grpo.gec.probabilities={reflection: 0.1, answer: 0.1, solution: 0.0, hint: 0.8}",
    # The tiny policy does not understand a hint; of its responses to one some are to be right.
    f"reward.custom_reward_function.path={Path(__file__).parent / 'reward_by_chance.py'}",
)
REFLECTION_TEXTS = '[" Wait! Something is wrong here.", " Wait! Something is wrong"]'


@dataclasses.dataclass(frozen=True)
class Disturbance:
    """A run, and the process in it that is hit: its title (the beginning of its command line), or the driver."""

    title: str
    overrides: tuple[str, ...] = ()
    kind: signal.Signals = signal.SIGKILL
    prompts_a_step: int = PROMPTS_A_STEP
    is_validated_first: bool = False


# By the preset.
DISTURBANCES = {
    "grpo": Disturbance("ray::TaskRunnerV1", ("trainer.val_before_train=true",), is_validated_first=True),
    "eda_only": Disturbance(
        "driver",
        (
            "edge_grpo.eda.entropy=sampled",
            "actor_rollout_ref.rollout.calculate_log_probs=true",
            "algorithm.rollout_correction.bypass_mode=true",
        ),
    ),
    "gec_only": Disturbance(
        "ray::vLLMHttpServer",
        (
            "edge_grpo.gec.injected_loss=weight",
            "edge_grpo.gec.injected_weight=0.5",
            "algorithm.adv_estimator=rloo",
            "algorithm.rollout_correction.rollout_is=token",
            "actor_rollout_ref.rollout.calculate_log_probs=true",
            "actor_rollout_ref.actor.fsdp_config.param_offload=true",
            "actor_rollout_ref.actor.fsdp_config.optimizer_offload=true",
            "actor_rollout_ref.actor.use_kl_loss=true",
            "algorithm.use_kl_in_reward=true",
        ),
    ),
    "forced_reflection": Disturbance(
        "ray::EdgeGRPOAgentLoopWorker",
        (
            f"edge_grpo.gec.reflection_texts={REFLECTION_TEXTS}",
            "edge_grpo.gec.reflection_rounds=2",
            "edge_grpo.gec.max_new_tokens=24",
        ),
    ),
    "forced_reflection_eda": Disturbance(
        "VLLM::EngineCore",
        (
            "edge_grpo.eda.mean=batch",
            "edge_grpo.gec.injected_loss=mask",
            "actor_rollout_ref.model.lora_rank=8",
            "actor_rollout_ref.model.lora_alpha=16",
            "actor_rollout_ref.actor.ppo_epochs=2",
            "actor_rollout_ref.actor.ppo_mini_batch_size=4",  # two mini-batches
            "trainer.logger=[console,file,tensorboard]",
        ),
    ),
    "edge_grpo_paper": Disturbance(
        "VLLM::EngineCore",
        (
            "data.train_batch_size=1",  # what the profile sets for its own batch of eight
            "actor_rollout_ref.actor.optim.lr=1e-6",
            "edge_grpo.stall_seconds=20",
        ),
        kind=signal.SIGSTOP,
        prompts_a_step=1,
    ),
    "edge_grpo_plus": Disturbance(
        "ray::RewardLoopWorker",
        (
            "edge_grpo.gec.injected_loss=shaped",
            "actor_rollout_ref.actor.policy_loss.loss_mode=edge_grpo_shaped",
        ),
    ),
    "dapo_edge": Disturbance("ray::SimpleStorageUnit"),
    "edge_grpo": Disturbance("ray::WorkerDict", ("trainer.n_gpus_per_node=2", *HINTS)),
}


class DisturbedRun:
    """A training run that was hit in its third step or soon after, and has ended."""

    def __init__(self, run: Run, disturbance: Disturbance) -> None:
        self.run = run
        self.disturbance = disturbance
        self.processes: list[psutil.Process] = []
        self.exit_code: int | None = None  # None: it had to be killed

    def hit_after_two_steps(self) -> None:
        """Wait for two steps, send the signal to the process, and wait for the end of all processes of the run.

        Nothing is checked here but that there is such a process, since each test that uses the run looks at a part.
        """
        try:
            self.run.wait_for_step(2)
            driver = psutil.Process(self.run.process.pid)
            self.processes = children_of(driver.pid)
            title = self.disturbance.title
            targets = [driver] if title == "driver" else self.with_title(title)
            assert targets, f"no process {title} among {[process.name() for process in self.processes]}"
            self.num_servers = len(self.with_title("ray::vLLMHttpServer"))
            self.num_training_processes = len(self.with_title("ray::WorkerDict"))
            begin = time.monotonic()
            os.kill(targets[0].pid, self.disturbance.kind)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.exit_code = self.run.wait(limit=LIMIT_SECONDS)
            left = LIMIT_SECONDS - (time.monotonic() - begin)
            _, alive = psutil.wait_procs(self.processes, timeout=max(left, 0))
            self.seconds = time.monotonic() - begin
            self.still_alive = [(process.pid, process.name()) for process in alive]
        finally:
            self.clean_up()

    def with_title(self, title: str) -> list[psutil.Process]:
        return [process for process in self.processes if has_title(process, title)]

    def first_two_steps(self) -> dict[int, dict[str, float]]:
        """The metrics of the steps before it was hit."""
        metrics = self.run.metrics()
        return {step: metrics[step] for step in (1, 2)}

    def last_line(self) -> str:
        return str(self.run.log().rstrip().splitlines()[-1])

    def check_metrics(self) -> None:
        """Each step in `metrics.jsonl` is there once, in order, and is made of all of its responses."""
        lines = (self.run.folder / "metrics.jsonl").read_text().splitlines()
        steps = [json.loads(line)["step"] for line in lines]
        assert steps == list(range(0 if self.disturbance.is_validated_first else 1, steps[-1] + 1))
        for step in steps:
            if step > 0:
                assert len(self.run.rollouts(step)) == self.disturbance.prompts_a_step * GROUP_SIZE

    def clean_up(self) -> None:
        """End what did not end by itself."""
        for process in self.processes:
            if process.is_running():  # and no other one that has got its number
                process.kill()
        if self.run.process.poll() is None:
            os.killpg(self.run.process.pid, signal.SIGKILL)


def start_and_hit(start_run: Any, folder: Path, preset: str) -> DisturbedRun:
    disturbance = DISTURBANCES[preset]
    run = DisturbedRun(start_run(folder, f"+recipe={preset}", *COMMON, *disturbance.overrides), disturbance)
    run.hit_after_two_steps()
    return run

"""verl itself under a real Slurm, with the CPU profile: to its end, stopped and requeued, cancelled."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

SECONDS = 600


@pytest.fixture(scope="module")
def overrides(assets: Path) -> list[str]:
    return [
        *("+recipe=edge_grpo", "+profile=cpu", f"actor_rollout_ref.model.path={assets / 'model'}"),
        *(f"data.train_files={assets / 'train.parquet'}", f"data.val_files={assets / 'test.parquet'}"),
        *("trainer.val_before_train=false", "trainer.test_freq=-1", "trainer.total_epochs=1000000"),
    ]


def logged_steps(slurm: Any, job: str) -> list[int]:
    """The step of every line with training metrics, in their order."""
    path = slurm.run_folder(job) / "metrics.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [entry["step"] for entry in entries if "edge_grpo/accuracy/first_pass" in entry["data"]]


def has_logged(slurm: Any, job: str, step: int) -> Callable[[], bool]:
    return lambda: step in logged_steps(slurm, job)


def test_two_nodes_train_two_steps(slurm: Any, overrides: list[str]) -> None:
    steps = ["trainer.total_training_steps=2", "trainer.save_freq=-1"]
    job = slurm.submit("train_multinode.sbatch", *overrides, *steps)
    slurm.wait_until(job, has_logged(slurm, job, 1), SECONDS)
    seen = slurm.processes(job)
    assert slurm.ended(job, SECONDS) == "COMPLETED"
    assert logged_steps(slurm, job) == [1, 2]
    assert "all 2 nodes have joined" in slurm.log(job)
    assert slurm.left_of(seen) == []
    assert slurm.processes(job) == {}


def test_a_requeued_run_logs_every_step_once_and_ends(slurm: Any, overrides: list[str]) -> None:
    steps = ["trainer.total_training_steps=6", "trainer.save_freq=100"]
    job = slurm.submit("train.sbatch", *overrides, *steps)
    slurm.wait_until(job, has_logged(slurm, job, 1), SECONDS)
    slurm.command("scancel", "--batch", "--signal=USR1", job)
    slurm.wait_until(job, lambda: slurm.field(job, "Restarts") == "1", 60)
    assert 0 < len(logged_steps(slurm, job)) < 6
    assert slurm.ended(job, SECONDS) == "COMPLETED"
    assert logged_steps(slurm, job) == [1, 2, 3, 4, 5, 6]


def test_a_cancelled_run_on_two_nodes_leaves_no_process(slurm: Any, overrides: list[str]) -> None:
    steps = ["trainer.total_training_steps=1000", "trainer.save_freq=-1"]
    job = slurm.submit("train_multinode.sbatch", *overrides, *steps)
    slurm.wait_until(job, has_logged(slurm, job, 1), SECONDS)
    processes = slurm.processes(job)
    assert len(processes) > 20
    slurm.command("scancel", job)
    assert slurm.ended(job) == "CANCELLED"
    slurm.wait_until(job, lambda: not slurm.command("squeue", "--noheader").strip(), 60)
    time.sleep(1)
    assert slurm.left_of(processes) == []
    assert slurm.processes(job) == {}

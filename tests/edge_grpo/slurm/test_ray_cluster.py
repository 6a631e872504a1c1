"""train_multinode.sbatch with Ray on two nodes of a real Slurm; a stub with actors on both stands in for verl."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

FOR_EVER = ["stub.on_ray=true", "stub.steps=100000"]
SECONDS = 150


def is_training(slurm: Any, job: str) -> Callable[[], bool]:
    return lambda: (slurm.run_folder(job) / "steps.txt").exists()


def command_line(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text(errors="replace").replace("\0", " ")


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def ray_node_of(slurm: Any, job: str, node: str) -> int:
    """The process of `ray_node` on a node, whose parent is Slurm's step daemon."""
    (process,) = (
        each
        for each in slurm.processes(job)
        if f"recipe.edge_grpo.slurm.ray_node --name {node} " in command_line(each)
        and command_line(parent(each)).startswith("slurmstepd")
    )
    return process


@pytest.fixture
def running(slurm: Any, python_without: Callable[..., str], stub: str) -> tuple[str, dict[int, str]]:
    """A job in the midst of its run, and its processes. The node n2 gets a folder for Ray of its own."""
    with_own_folder = f'{stub} "${{@/%edge_grpo-$SLURM_JOB_ID/n2-$SLURM_JOB_ID}}"'
    python = python_without("$2 == recipe.edge_grpo.slurm.ray_node && $4 == n2", with_own_folder, otherwise=stub)
    job = slurm.submit("train_multinode.sbatch", *FOR_EVER, EDGE_GRPO_PYTHON=python)
    slurm.wait_until(job, is_training(slurm, job), SECONDS)
    processes = slurm.processes(job)
    command_lines = [command_line(process) for process in processes]
    assert sum("raylet/raylet" in each for each in command_lines) == 2
    assert sum(each.startswith("sleep 1000") for each in command_lines) == 2  # children of the actors
    assert [folder.exists() for folder in ray_folders(slurm, job)] == [True, True]
    return job, processes


def ray_folders(slurm: Any, job: str) -> list[Path]:
    """Those of both nodes."""
    return [slurm.ray_folder(job), slurm.folder / f"n2-{job}"]


def assert_stranger_is_refused(given: list[str]) -> None:
    """Ray's head runs the code of whoever knows the token of the job, and of nobody else."""
    (address,) = (each.split("=")[1].strip("'") for each in given if each.startswith("++ray_kwargs.ray_init.address"))
    script = f"import ray; ray.init({address!r})"
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
    completed = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120
    )
    assert completed.returncode != 0
    assert "InvalidAuthToken" in completed.stderr


def assert_nothing_runs(slurm: Any, job: str, processes: dict[int, str]) -> None:
    slurm.wait_until(job, lambda: not slurm.command("squeue", "--noheader").strip(), 60)
    assert [command_line(process) for process in slurm.left_of(processes)] == []
    assert slurm.processes(job) == {}


@pytest.mark.run
def test_strangers_are_refused_and_cancelling_leaves_no_process_and_no_folder_of_ray(
    slurm: Any, running: tuple[str, dict[int, str]]
) -> None:
    job, processes = running
    given = json.loads((slurm.run_folder(job) / "arguments.json").read_text())
    assert {"trainer.nnodes=2", "ray_kwargs.ray_init.num_cpus=null"} <= set(given)
    assert "all 2 nodes have joined" in slurm.log(job)
    assert_stranger_is_refused(given)
    slurm.command("scancel", job)
    assert slurm.ended(job) == "CANCELLED"
    assert_nothing_runs(slurm, job, processes)
    assert [folder.exists() for folder in ray_folders(slurm, job)] == [False, False]


@pytest.mark.run
def test_a_node_that_fails_ends_the_run_with_its_name_and_leaves_the_logs_of_ray(
    slurm: Any, running: tuple[str, dict[int, str]]
) -> None:
    job, processes = running
    # Slurm's own daemon of the step: neither it nor srun can tell the script any more.
    os.kill(parent(ray_node_of(slurm, job, "n2")), signal.SIGKILL)
    assert slurm.ended(job, SECONDS) == "FAILED"
    assert slurm.exit_code(job) != 0
    assert "EDGE-GRPO: Ray has lost n2" in slurm.log(job)
    assert_nothing_runs(slurm, job, processes)
    assert [folder.exists() for folder in ray_folders(slurm, job)] == [True, True]
    assert f"Ray's own logs are in {slurm.ray_folder(job)} on each node" in slurm.log(job)


def test_a_node_that_does_not_start_ends_the_job_at_once_and_shows_why(
    slurm: Any, python_without: Callable[..., str]
) -> None:
    without_n2 = python_without("$2 == recipe.edge_grpo.slurm.ray_node && $4 == n2", "echo the network is down")
    job = slurm.submit("train_multinode.sbatch", EDGE_GRPO_PYTHON=without_n2)
    assert slurm.ended(job) == "FAILED"
    assert f"the Ray node on n2 has ended; its last lines, of {slurm.run_folder(job)}/ray-n2.log" in slurm.log(job)
    assert "the network is down" in slurm.log(job)
    assert (slurm.run_folder(job) / "ray-n1.log").exists()
    assert_nothing_runs(slurm, job, {})


@pytest.mark.run
def test_a_node_that_never_joins_ends_the_job_within_the_time_limit(
    slurm: Any, python_without: Callable[..., str]
) -> None:
    without_n2 = python_without("$2 == recipe.edge_grpo.slurm.ray_node && $4 == n2", "sleep 1000")
    job = slurm.submit("train_multinode.sbatch", EDGE_GRPO_PYTHON=without_n2, EDGE_GRPO_JOIN_SECONDS="25")
    assert slurm.ended(job, SECONDS) == "FAILED"
    assert "not joined within 25 s: n2 (1 of 2 nodes are there)" in slurm.log(job)
    assert "ray-NODE.log" in slurm.log(job)
    assert_nothing_runs(slurm, job, {})


def test_a_network_interface_that_is_not_there_is_named_with_those_that_are(slurm: Any, stub: str) -> None:
    job = slurm.submit("train_multinode.sbatch", EDGE_GRPO_PYTHON=stub, EDGE_GRPO_INTERFACE="ib7")
    assert slurm.ended(job) == "FAILED"
    assert "no IPv4 address at EDGE_GRPO_INTERFACE=ib7 on this node, which has lo" in slurm.log(job)

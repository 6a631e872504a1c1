"""verl itself under a real Slurm, with the CPU profile: to its end, stopped and requeued, cancelled; an evaluation."""

import ipaddress
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.processes import listening_hosts

pytestmark = [pytest.mark.run, pytest.mark.timeout(1500)]

SECONDS = 600


@pytest.fixture(scope="module")
def profile(assets: Path) -> list[str]:
    """What every run of verl here is given; it needs a recipe as well."""
    return [
        *("+profile=cpu", f"actor_rollout_ref.model.path={assets / 'model'}"),
        *(f"data.train_files={assets / 'train.parquet'}", f"data.val_files={assets / 'test.parquet'}"),
        *("trainer.val_before_train=false", "trainer.test_freq=-1", "trainer.total_epochs=1000000"),
    ]


@pytest.fixture(scope="module")
def overrides(profile: list[str]) -> list[str]:
    return ["+recipe=edge_grpo", *profile]


def training_metrics(run_folder: Path) -> list[tuple[int, dict[str, float]]]:
    """Step and metrics of every line with training metrics, in their order."""
    path = run_folder / "metrics.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(each["step"], each["data"]) for each in entries if "edge_grpo/accuracy/first_pass" in each["data"]]


def logged_steps(slurm: Any, job: str) -> list[int]:
    return [step for step, _ in training_metrics(slurm.run_folder(job))]


def has_logged(slurm: Any, job: str, step: int) -> Callable[[], bool]:
    return lambda: step in logged_steps(slurm, job)


def test_two_nodes_train_two_steps(slurm: Any, profile: list[str]) -> None:
    """With RL-ZVP, whose advantage is of tokens: so its recipe is seen to train as well."""
    steps = ["+recipe=rl_zvp", *profile, "trainer.total_training_steps=2", "trainer.save_freq=-1"]
    job = slurm.submit("train_multinode.sbatch", *steps)
    slurm.wait_until(job, has_logged(slurm, job, 1), SECONDS)
    seen = slurm.processes(job)
    assert slurm.ended(job, SECONDS) == "COMPLETED"
    assert logged_steps(slurm, job) == [1, 2]
    assert_weights_changed(slurm.run_folder(job))
    assert "all 2 nodes have joined" in slurm.log(job)
    assert slurm.left_of(seen) == []
    assert slurm.processes(job) == {}


def assert_weights_changed(run_folder: Path) -> None:
    """The advantages of a recipe gave a gradient in each of its steps."""
    norms = [metrics["actor/grad_norm"] for _, metrics in training_metrics(run_folder)]
    assert norms and all(math.isfinite(norm) and norm > 0 for norm in norms), norms


def test_a_requeued_run_logs_every_step_once_and_ends(slurm: Any, profile: list[str]) -> None:
    """With AVSPO: so its recipe is seen to train as well."""
    steps = ["+recipe=avspo", *profile, "trainer.total_training_steps=6", "trainer.save_freq=100"]
    job = slurm.submit("train.sbatch", *steps)
    slurm.wait_until(job, has_logged(slurm, job, 1), SECONDS)
    slurm.command("scancel", "--batch", "--signal=USR1", job)
    slurm.wait_until(job, lambda: slurm.field(job, "Restarts") == "1", 60)
    assert 0 < len(logged_steps(slurm, job)) < 6
    assert slurm.ended(job, SECONDS) == "COMPLETED"
    assert logged_steps(slurm, job) == [1, 2, 3, 4, 5, 6]
    assert_weights_changed(slurm.run_folder(job))


class CancelledJob(NamedTuple):
    """A job on two nodes that was cancelled after its first step."""

    job: str
    first_step: dict[str, float]
    processes: dict[int, str]
    """When it was cancelled."""
    state: str


@pytest.fixture(scope="module")
def cancelled_job(slurm: Any, overrides: list[str]) -> CancelledJob:
    """It trains groups of one, of responses of eight tokens."""
    short = ["actor_rollout_ref.rollout.n=1", "data.max_response_length=8", "edge_grpo.gec.first_pass_max_tokens=8"]
    steps = ["trainer.total_training_steps=100000", "trainer.save_freq=-1"]
    job = slurm.submit("train_multinode.sbatch", *overrides, *short, *steps)
    slurm.wait_until(job, has_logged(slurm, job, 1), SECONDS)
    processes = slurm.processes(job)
    slurm.command("scancel", job)
    state = slurm.ended(job)
    slurm.wait_until(job, lambda: not slurm.command("squeue", "--noheader").strip(), 60)
    time.sleep(1)
    return CancelledJob(job, training_metrics(slurm.run_folder(job))[0][1], processes, state)


def test_groups_of_one_and_responses_of_eight_tokens_train(cancelled_job: CancelledJob) -> None:
    metrics = cancelled_job.first_step
    assert metrics["response_length/max"] <= 8
    # the mean of a group of one is its only member
    assert metrics["edge_grpo/entropy_ratio/min"] == metrics["edge_grpo/entropy_ratio/max"] == 1
    # its advantage is its reward, as in verl's GRPO
    assert metrics["critic/advantages/max"] == pytest.approx(metrics["critic/score/max"], abs=1e-5)


def test_a_cancelled_run_on_two_nodes_leaves_no_process(slurm: Any, cancelled_job: CancelledJob) -> None:
    assert cancelled_job.state == "CANCELLED"
    assert len(cancelled_job.processes) > 20
    assert slurm.left_of(cancelled_job.processes) == []
    assert slurm.processes(cancelled_job.job) == {}


def is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback


def assert_on_loopback_only(processes: dict[int, str]) -> None:
    hosts = [host for _, host in listening_hosts(processes)]
    assert len(hosts) > 10
    assert [host for host in hosts if not is_loopback(host)] == []


def job_of_task(slurm: Any, array: str, task: int, run_folder: Path) -> str:
    """The number of a task's own job, which it has once it has begun."""
    name = f"{array}_{task}"
    slurm.wait_until(name, run_folder.exists, 60)
    return str(slurm.field(name, "JobId"))


def first_step(run_folder: Path) -> tuple[int, dict[str, float], set[str]]:
    """Number, metrics and questions of the only step of a run."""
    ((step, metrics),) = training_metrics(run_folder)
    lines = (run_folder / "rollouts" / "1.jsonl").read_text().splitlines()
    return step, metrics, {json.loads(line)["input"] for line in lines}


def test_a_sweep_trains_the_recipe_and_the_seed_of_each_task_on_loopback_only(
    slurm: Any, profile: list[str], run_module: Callable[..., None]
) -> None:
    """One of them with the entropy-shaped advantage: so its recipe is seen to train as well."""
    words = [*profile, "trainer.total_training_steps=1", "trainer.save_freq=-1"]
    sweep = {"EDGE_GRPO_RECIPES": "edge_grpo entropy_shaped", "EDGE_GRPO_SEEDS": "1 7"}
    array = slurm.submit("sweep.sbatch", *words, options=("--array=0,3",), **sweep)
    run_folders = [
        slurm.folder / "runs" / f"sweep-{array}" / name for name in ("edge_grpo-seed-1", "entropy_shaped-seed-7")
    ]
    jobs = [job_of_task(slurm, array, task, folder) for task, folder in zip((0, 3), run_folders, strict=True)]
    slurm.wait_until(jobs[0], lambda: "Training Progress" in slurm.log(jobs[0]), SECONDS)
    assert_on_loopback_only(slurm.processes(jobs[0]))
    for job, seed in zip(jobs, (1, 7), strict=True):
        assert slurm.ended(job, SECONDS) == "COMPLETED"
        assert slurm.processes(job) == {}
        assert not slurm.ray_folder(job).exists()
        # verl prints the configuration: the draws of corrections, the data, the engine.
        assert slurm.log(job).count(f"'seed': {seed},") == 3
        assert f"'data_loader_seed': {seed}," in slurm.log(job)
    (step, corrected, questions), (other_step, uncorrected, other_questions) = map(first_step, run_folders)
    assert (step, other_step) == (1, 1)
    assert corrected["edge_grpo/gec/reflection"] > uncorrected["edge_grpo/gec/reflection"] == 0
    assert questions != other_questions
    assert_weights_changed(run_folders[1])
    run_module("recipe.edge_grpo.report", *run_folders, "--output", slurm.folder / "report")
    table = (slurm.folder / "report" / "summary.md").read_text()
    assert all(folder.name in table for folder in run_folders)


def test_an_evaluation_leaves_its_tables_below_the_folder_of_submission(slurm: Any, assets: Path) -> None:
    words = ["--model", assets / "model", "--data", assets / "test.parquet", "--limit", 4, "--max-tokens", 64]
    job = slurm.submit("evaluate.sbatch", *words, "--output-dir", "results/of mine")
    slurm.wait_until(job, lambda: "sampling:" in slurm.log(job), SECONDS)
    processes = slurm.processes(job)
    assert slurm.ended(job, SECONDS) == "COMPLETED"
    tables = (slurm.folder / "results" / "of mine" / "results.md").read_text()
    assert "| arithmetic " in tables and tables in slurm.log(job)
    assert slurm.left_of(processes) == []


def test_a_run_that_fails_says_why_at_the_end_of_its_log(slurm: Any, overrides: list[str]) -> None:
    job = slurm.submit("train.sbatch", *overrides, "edge_grpo.gec.accuracy_key=correctness")
    assert slurm.ended(job, SECONDS) == "FAILED"
    reason = (slurm.run_folder(job) / "failure.txt").read_text().strip()
    # What the reward reports is known when it has scored a response.
    assert "edge_grpo.gec.accuracy_key=correctness: the reward function reports no number under this key" in reason
    said = [line for line in slurm.log(job).splitlines() if line.startswith("EDGE-GRPO: ")]
    assert said[-3:-1] == [f"EDGE-GRPO: {reason}", "EDGE-GRPO: the run failed with exit code 1"]

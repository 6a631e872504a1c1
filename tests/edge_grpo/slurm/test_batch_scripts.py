"""The batch scripts on a real Slurm, a stub in place of verl: what they do with arguments, signals and exit codes.

Those marked `run` wait for Slurm: it looks at time limits once a minute, and requeues a job after some seconds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.slurm import SCRIPTS

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

FOR_EVER = "stub.steps=100000"
AWKWARD = ["a=b c", """b='it "is"'""", "c=[1,2]", "d={x: $HOME}", "e=*", "f=\\'", "g="]


def steps(slurm: Any, job: str) -> list[int]:
    path = slurm.run_folder(job) / "steps.txt"
    return [int(step) for step in path.read_text().split()] if path.exists() else []


def arguments(run_folder: Path) -> list[str]:
    return json.loads((run_folder / "arguments.json").read_text())


def is_running_steps(slurm: Any, job: str) -> Callable[[], bool]:
    return lambda: len(steps(slurm, job)) > 2


def assert_requeued_without_losing_a_step(slurm: Any, job: str) -> None:
    """The first start stopped after a step that it saved, and the second went on after it."""
    num_steps = len(steps(slurm, job))
    slurm.wait_until(job, lambda: slurm.field(job, "Restarts") == "1", 30)
    slurm.wait_until(job, lambda: len(steps(slurm, job)) > num_steps + 3, 60)
    assert slurm.log(job).count("it stopped at a checkpoint") == 1
    assert steps(slurm, job) == list(range(1, len(steps(slurm, job)) + 1))
    assert f"job {job}, start 2, run folder {slurm.run_folder(job)}" in slurm.log(job)


def test_a_run_that_ends_well_is_completed_and_leaves_no_folder_of_ray(slurm: Any, stub: str) -> None:
    job = slurm.submit("train.sbatch", EDGE_GRPO_PYTHON=stub)
    assert slurm.ended(job) == "COMPLETED"
    assert steps(slurm, job) == [1, 2, 3]
    assert not slurm.ray_folder(job).exists()


def test_arguments_reach_verl_as_they_were_given(slurm: Any, stub: str) -> None:
    job = slurm.submit("train.sbatch", *AWKWARD, EDGE_GRPO_PYTHON=stub)
    slurm.ended(job)
    assert arguments(slurm.run_folder(job))[: len(AWKWARD)] == AWKWARD


def test_a_run_folder_with_awkward_characters_is_one_value_for_hydra(slurm: Any, stub: str) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    folder = slurm.folder / "it's a [run], =x"
    job = slurm.submit("train.sbatch", EDGE_GRPO_PYTHON=stub, EDGE_GRPO_RUN_DIR=str(folder))
    assert slurm.ended(job) == "COMPLETED"
    given = [argument for argument in arguments(folder) if argument.startswith("trainer.default_local_dir")]
    (override,) = OverridesParser.create().parse_overrides(given)
    assert override.value() == str(folder)


def test_the_exit_code_of_a_failing_run_is_that_of_the_job_and_it_is_not_requeued(slurm: Any, stub: str) -> None:
    job = slurm.submit("train.sbatch", "stub.exit_code=7", EDGE_GRPO_PYTHON=stub)
    assert slurm.ended(job) == "FAILED"
    assert slurm.exit_code(job) == 7
    assert "the run failed with exit code 7" in slurm.log(job)
    assert slurm.field(job, "Restarts") == "0"
    assert slurm.ray_folder(job).exists()  # for its logs


@pytest.mark.run
def test_before_the_time_limit_the_run_stops_and_a_second_start_goes_on(slurm: Any, stub: str) -> None:
    # Slurm looks at time limits once a minute, and warns 60 s too early at most: here at once.
    options = ("--time=2", "--signal=B:USR1@110")
    job = slurm.submit("train.sbatch", FOR_EVER, options=options, EDGE_GRPO_PYTHON=stub)
    slurm.wait_until(job, lambda: "warned by Slurm" in slurm.log(job), 100)
    assert_requeued_without_losing_a_step(slurm, job)


@pytest.mark.run
def test_a_preempted_run_with_time_to_stop_loses_no_step(slurm: Any, stub: str) -> None:
    options = ("--partition=with_grace", "--nodelist=n1")
    job = slurm.submit("train.sbatch", FOR_EVER, options=options, EDGE_GRPO_PYTHON=stub)
    slurm.wait_until(job, is_running_steps(slurm, job), 30)
    slurm.command("sbatch", "--partition=urgent", "--nodelist=n1", "--exclusive", "--wrap=sleep 1")
    slurm.wait_until(job, lambda: "requeueing" in slurm.log(job), 30)
    assert_requeued_without_losing_a_step(slurm, job)


@pytest.mark.run
def test_a_preempted_run_without_time_to_stop_starts_again_from_its_last_checkpoint(slurm: Any, stub: str) -> None:
    options = ("--partition=normal", "--nodelist=n1")
    overrides = (FOR_EVER, "stub.never_stops=true")  # between Slurm's two signals there may be time for a step
    job = slurm.submit("train.sbatch", *overrides, options=options, EDGE_GRPO_PYTHON=stub)
    slurm.wait_until(job, is_running_steps(slurm, job), 30)
    processes = slurm.processes(job)
    slurm.command("sbatch", "--partition=urgent", "--nodelist=n1", "--exclusive", "--wrap=sleep 1")
    slurm.wait_until(job, lambda: "start 2" in slurm.log(job), 60)
    assert "DUE TO PREEMPTION" in slurm.log(job)
    assert slurm.left_of(processes) == []
    slurm.wait_until(job, lambda: steps(slurm, job).count(2) == 2, 30)  # the stub had saved nothing


def test_a_cancelled_run_leaves_no_process_and_no_folder_of_ray_and_is_not_requeued(slurm: Any, stub: str) -> None:
    job = slurm.submit("train.sbatch", FOR_EVER, EDGE_GRPO_PYTHON=stub)
    slurm.wait_until(job, is_running_steps(slurm, job), 30)
    processes = slurm.processes(job)
    assert len(processes) >= 3  # the script, process_tree and the trainer
    slurm.command("scancel", job)
    assert slurm.ended(job) == "CANCELLED"
    slurm.wait_until(job, lambda: not slurm.command("squeue", "--noheader").strip(), 30)
    assert slurm.left_of(processes) == []
    assert slurm.processes(job) == {}
    assert slurm.field(job, "Restarts") == "0"
    assert not slurm.ray_folder(job).exists()


def test_a_sweep_is_one_run_for_each_recipe_and_seed(slurm: Any, stub: str) -> None:
    environment = {"EDGE_GRPO_PYTHON": stub, "EDGE_GRPO_RECIPES": "edge_grpo grpo", "EDGE_GRPO_SEEDS": "1 7"}
    options = ("--array=0-3", "--output=job-%A.log")
    job = slurm.submit("sweep.sbatch", "data.x=[1, 2]", options=options, **environment)
    assert [slurm.ended(f"{job}_{task}") for task in range(4)] == ["COMPLETED"] * 4
    folder = slurm.folder / "runs" / f"sweep-{job}"
    assert {each.name for each in folder.iterdir()} == {
        f"{recipe}-seed-{seed}" for recipe in ("edge_grpo", "grpo") for seed in (1, 7)
    }
    given = arguments(folder / "grpo-seed-7")
    assert {"+recipe=grpo", "edge_grpo.seed=7", "data.seed=7", "data.x=[1, 2]"} <= set(given)


@pytest.mark.run
def test_a_task_that_is_asked_to_stop_is_requeued_and_the_other_tasks_go_on(slurm: Any, stub: str) -> None:
    environment = {"EDGE_GRPO_PYTHON": stub, "EDGE_GRPO_RECIPES": "edge_grpo", "EDGE_GRPO_SEEDS": "1 2"}
    array = slurm.submit("sweep.sbatch", FOR_EVER, options=("--array=0-1",), **environment)
    folders = [slurm.folder / "runs" / f"sweep-{array}" / f"edge_grpo-seed-{seed}" for seed in (1, 2)]
    slurm.wait_until(array, lambda: all((folder / "steps.txt").exists() for folder in folders), 30)
    # The task that has the number of the whole array for its own.
    (task,) = (task for task in (0, 1) if slurm.field(f"{array}_{task}", "JobId") == array)
    slurm.command("scancel", "--batch", "--signal=USR1", f"{array}_{task}")
    slurm.wait_until(f"{array}_{task}", lambda: slurm.field(f"{array}_{task}", "Restarts") == "1", 30)
    slurm.wait_until(f"{array}_{task}", lambda: "start 2" in slurm.log(array), 60)
    assert slurm.field(f"{array}_{1 - task}", "Restarts") == "0"
    assert slurm.state(f"{array}_{1 - task}") == "RUNNING"


def test_a_task_beyond_the_sweep_says_which_array_to_submit(slurm: Any, stub: str) -> None:
    environment = {"EDGE_GRPO_PYTHON": stub, "EDGE_GRPO_RECIPES": "edge_grpo grpo", "EDGE_GRPO_SEEDS": "1 7"}
    job = slurm.submit("sweep.sbatch", options=("--array=4", "--output=job-%A.log"), **environment)
    assert slurm.ended(job) == "FAILED"
    assert "2 recipes x 2 seeds: submit with --array=0-3 (this is task 4)" in slurm.log(job)


@pytest.mark.parametrize("script", ["train", "train_multinode", "sweep", "evaluate", "prepare_data"])
def test_without_a_python_that_has_the_package_every_script_says_so(slurm: Any, script: str) -> None:
    job = slurm.submit(f"{script}.sbatch", "x", EDGE_GRPO_PYTHON="/no/such/python")
    assert slurm.ended(job) == "FAILED"
    assert slurm.exit_code(job) == 2
    assert "EDGE_GRPO_PYTHON=/no/such/python is no Python with verl-edge-grpo" in slurm.log(job)


@pytest.mark.parametrize(
    ("script", "words", "options", "message"),
    [
        ("train.sbatch", [], ("--nodes=2",), "train.sbatch is for one node and got 2; use train_multinode.sbatch"),
        ("train.sbatch", ["++trainer.default_local_dir=/x"], (), "set EDGE_GRPO_RUN_DIR instead"),
        ("train_multinode.sbatch", ["trainer.n_gpus_per_node=0"], (), "trainer.n_gpus_per_node=0 is no number"),
        ("prepare_data.sbatch", [], (), "name what to prepare"),
        ("evaluate.sbatch", [], (), "no options for recipe.edge_grpo.evaluate"),
    ],
)
def test_a_wrong_submission_ends_with_one_message(
    slurm: Any, stub: str, script: str, words: list[str], options: tuple[str, ...], message: str
) -> None:
    job = slurm.submit(script, *words, options=options, EDGE_GRPO_PYTHON=stub)
    assert slurm.ended(job) == "FAILED"
    assert slurm.exit_code(job) == 2
    assert message in slurm.log(job)


def test_a_run_folder_that_cannot_be_made_is_named(slurm: Any, stub: str) -> None:
    (slurm.folder / "a file").touch()
    job = slurm.submit("train.sbatch", EDGE_GRPO_PYTHON=stub, EDGE_GRPO_RUN_DIR=str(slurm.folder / "a file" / "run"))
    assert slurm.ended(job) == "FAILED"
    assert f"the run folder {slurm.folder}/a file/run cannot be made" in slurm.log(job)


def test_data_is_prepared_in_a_job(slurm: Any) -> None:
    words = ["arithmetic", "--output-dir", slurm.folder / "data of mine", "--train-size", 8, "--test-size", 4]
    job = slurm.submit("prepare_data.sbatch", *words)
    assert slurm.ended(job, 120) == "COMPLETED"
    assert (slurm.folder / "data of mine" / "train.parquet").exists()


def test_an_evaluation_is_ended_and_requeued_before_the_time_limit(
    slurm: Any, python_without: Callable[..., str]
) -> None:
    evaluation = python_without("$2 == recipe.edge_grpo.evaluate", "sleep 1000")
    job = slurm.submit("evaluate.sbatch", "--model", "m", EDGE_GRPO_PYTHON=evaluation)
    slurm.wait_until(job, lambda: slurm.state(job) == "RUNNING" and len(slurm.processes(job)) >= 3, 30)
    processes = slurm.processes(job)
    slurm.command("scancel", "--batch", "--signal=USR1", job)
    slurm.wait_until(job, lambda: slurm.field(job, "Restarts") == "1", 30)
    slurm.wait_until(job, lambda: slurm.left_of(processes) == [], 30)


def test_a_script_that_is_run_without_slurm_says_how_it_is_meant(slurm: Any) -> None:
    environment = {**os.environ, "EDGE_GRPO_PYTHON": sys.executable}
    completed = subprocess.run(
        ["bash", SCRIPTS / "train.sbatch"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert completed.returncode == 2
    assert "this is a batch script: sbatch SCRIPT" in completed.stderr

"""The two data files that verl alone takes minutes to fail on end before Ray starts, and the doctor says the same."""

import os
import subprocess
import sys

import pytest

CASES = [
    ("raw", "data.train_files: no column 'prompt' (data.prompt_key); the file has question, answer"),
    ("four", "data.train_files: 4 rows, and one batch takes data.train_batch_size=8"),
]


@pytest.fixture
def overrides(write_rows, make_row, model):
    """The overrides of a run on raw columns, and on four rows."""
    files = {
        "raw": write_rows([{"question": "1 + 1 ?", "answer": "2"}] * 20, "raw.parquet"),
        "four": write_rows([make_row(number) for number in range(4)], "four.parquet"),
        "val": write_rows([make_row()], "val.parquet"),
    }
    shared = ["+recipe=edge_grpo", "+profile=cpu", f"actor_rollout_ref.model.path={model}"]
    return lambda name: [*shared, f"data.train_files={files[name]}", f"data.val_files={files['val']}"]


def run(folder, *command):
    environment = {name: value for name, value in os.environ.items() if name != "VERL_PLATFORM"}
    return subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=folder, env=environment, timeout=300
    )


@pytest.mark.process
@pytest.mark.parametrize(("name", "message"), CASES)
def test_a_run_ends_before_ray_starts_with_the_column_or_the_count(overrides, tmp_path, name, message):
    done = run(tmp_path, "verl.trainer.main_ppo", *overrides(name), f"trainer.default_local_dir={tmp_path}/run")
    assert done.returncode != 0
    assert message in done.stderr + done.stdout
    assert "Started a local Ray instance" not in done.stderr + done.stdout


@pytest.mark.process
@pytest.mark.parametrize(("name", "message"), CASES)
def test_the_doctor_says_the_same_for_a_run_elsewhere(overrides, tmp_path, name, message):
    done = run(tmp_path, "recipe.edge_grpo.doctor", "--config-only", *overrides(name))
    assert done.returncode == 1
    assert f"PROBLEM  {message}" in done.stdout
    assert "fix: " in done.stdout and "All is well." not in done.stdout

"""A full disk, damaged data and data with gaps, a verifier that dies, a reward that raises, slow corrections."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import psutil
import pytest
from support.processes import children_of, has_title

from recipe.edge_grpo.run.checkpoints import checkpoint_to_resume

pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]

COMMON = ["+recipe=edge_grpo", "+profile=cpu", "trainer.val_before_train=false"]

# $0 is a folder, which gets a disk of its own that holds one checkpoint (1.9 MB) and no second one; outside of this
# command the folder stays empty, so what is on the disk is copied to $0.kept in the end.
SMALL_DISK = 'mount -t tmpfs -o size=3m tmpfs "$0" && cd "$0"; "$@"; code=$?; cp -r "$0" "$0.kept"; exit $code'
NAMESPACES = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])


@pytest.fixture(scope="module")
def own_mounts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A command that runs another one where it may mount."""
    folder = tmp_path_factory.mktemp("mount")
    for command in NAMESPACES:
        if subprocess.run([*command, "sh", "-c", SMALL_DISK, folder, "true"], capture_output=True).returncode == 0:
            return command
    pytest.skip("needs the right to mount a disk in a namespace (unshare)")


def test_a_disk_that_is_full_while_a_checkpoint_is_written_ends_the_run_and_leaves_the_one_before(
    start_run: Callable[..., Any], own_mounts: list[str], tmp_path: Path, log_measurement: Callable[..., None]
) -> None:
    launcher = [*own_mounts, "sh", "-c", SMALL_DISK, str(tmp_path / "run")]
    # NGRPO: whose recipe it is does not matter here, and so its recipe is seen to train as well.
    steps = ["+recipe=ngrpo", *COMMON[1:], "trainer.total_training_steps=500", "trainer.save_freq=1"]
    run = start_run(tmp_path / "run", *steps, launcher=launcher)
    while "/global_step_2" not in run.log():
        assert run.process.poll() is None, run.log()[-3000:]
        time.sleep(0.1)
    begin = time.monotonic()
    assert run.wait() == 1
    last_line = run.log().rstrip().splitlines()[-1]
    log_measurement("disk full while a checkpoint is written", last_line, time.monotonic() - begin)
    assert last_line.startswith("EDGE-GRPO: the checkpoint ")
    assert "global_step_2 could not be written" in last_line
    assert "resume from global_step_1, which is whole" in last_line
    kept = tmp_path / "run.kept"
    assert checkpoint_to_resume(kept) == (kept / "global_step_1", [])


def damage(file: Path, copy: Path, begin: int, end: int) -> Path:
    """A copy of the file with zeros between two places, counted from its end where they are negative."""
    content = bytearray(file.read_bytes())
    begin, end = (place % len(content) for place in (begin, end))
    content[begin:end] = bytes(end - begin)
    copy.write_bytes(content)
    return copy


@pytest.mark.parametrize(
    ("where", "begin", "end"),
    [("at its end", -40, -1), ("inside", 100, 1500)],
)
def test_a_damaged_parquet_file_ends_the_run_with_its_name(
    start_run: Callable[..., Any],
    assets: Path,
    tmp_path: Path,
    log_measurement: Callable[..., None],
    where: str,
    begin: int,
    end: int,
) -> None:
    file = damage(assets / "train.parquet", tmp_path / "damaged.parquet", begin, end)
    start = time.monotonic()
    run = start_run(tmp_path / "run", *COMMON, f"data.train_files={file}")
    assert run.wait() == 1
    seconds = time.monotonic() - start
    # Before Ray is started Hydra has the last word, with a hint of its own.
    message = next(line for line in reversed(run.log().splitlines()) if f"data.train_files: {file} is damaged" in line)
    log_measurement(f"Parquet file damaged {where}, found at the start", message, seconds)


# Grades as usual; raises for responses of an odd length where the row says "some", and for all where it says "all".
REWARD_THAT_RAISES = """
from reward_fns.math_reward import compute_score as graded

async def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    raises = (extra_info or {}).get("raises")
    if raises == "all" or (raises == "some" and len(solution_str) % 2):
        raise KeyError("a column that is not there")
    return await graded(data_source, solution_str, ground_truth, extra_info, **kwargs)
"""
PROMPTS_A_STEP, RESPONSES_A_STEP = 8, 64


def test_a_run_survives_missing_solutions_slow_corrections_a_dead_verifier_and_few_lost_responses_but_not_many(
    start_run: Callable[..., Any], assets: Path, tmp_path: Path, log_measurement: Callable[..., None]
) -> None:
    rows = pandas.read_parquet(assets / "train.parquet")
    for row in range(len(rows) // 100):  # 1 %, and in the first step
        rows.at[row, "extra_info"] = {**rows.at[row, "extra_info"], "solution": None}
    raising = dict.fromkeys(range(2), "some") | dict.fromkeys(range(4 * PROMPTS_A_STEP, 5 * PROMPTS_A_STEP), "all")
    rows["extra_info"] = [{**each, "raises": raising.get(row)} for row, each in enumerate(rows["extra_info"])]
    (tmp_path / "reward.py").write_text(REWARD_THAT_RAISES)
    # No number of a wrong answer equals this alternative, but only the verifier can say so: it is asked in every step.
    rows["reward_model"] = [{**each, "ground_truth": [each["ground_truth"], "n!"]} for each in rows["reward_model"]]
    rows.to_parquet(tmp_path / "train.parquet")
    run = start_run(
        tmp_path / "run", *COMMON, "trainer.total_training_steps=500", "trainer.save_freq=-1",
        f"data.train_files={tmp_path}/train.parquet", "edge_grpo.gec.time_limit_seconds=0.001",
        f"reward.custom_reward_function.path={tmp_path}/reward.py", "edge_grpo.max_lost_fraction=0.3",
    )  # fmt: skip
    run.wait_for_step(1)
    verifiers = verifiers_of(run.process.pid)
    begin = time.monotonic()
    for process in verifiers:
        process.send_signal(signal.SIGKILL)
    run.wait_for_step(2)
    log_measurement("SIGKILL to all verifier children", "(nothing: the run goes on)", time.monotonic() - begin)
    assert run.wait() == 1
    last_line = run.log().rstrip().splitlines()[-1]
    log_measurement("a reward that raises for every response of a step", last_line, time.monotonic() - begin)
    assert last_line.startswith(
        "EDGE-GRPO: edge_grpo.max_lost_fraction=0.3: of the last 128 training responses 64 were"
    )
    assert "First errors: reward: KeyError: 'a column that is not there'" in last_line
    metrics = run.metrics()
    lost = metrics[1]["edge_grpo/sessions_lost_reward"]
    assert 0 < lost < 17  # of two prompts
    assert len(run.rollouts(1)) == RESPONSES_A_STEP - lost  # what verl padded with is not among them
    assert len(run.rollouts(2)) == RESPONSES_A_STEP
    assert [metrics[step]["edge_grpo/sessions_lost_reward"] for step in (2, 3, 4)] == [0, 0, 0]
    assert set(metrics) == {1, 2, 3, 4}
    assert metrics[1]["edge_grpo/gec/answer_for_missing_solution"] > 0
    rates: dict[str, list[float]] = {"answer_success_rate": [], "solution_success_rate": []}
    for step in metrics:
        values = {name.removeprefix("edge_grpo/gec/"): value for name, value in metrics[step].items()}
        assert values["reflection"] == 0
        assert values["skipped_generation_timed_out"] > 0
        for name, of_steps in rates.items():  # a step that draws a strategy for no response has no rate of it
            of_steps += [values[name]] if name in values else []
    assert all(of_steps and set(of_steps) == {1.0} for of_steps in rates.values())


def verifiers_of(driver: int) -> list[psutil.Process]:
    """The processes that the reward worker of a run grades in; it starts them with the first answer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in children_of(driver):
            if has_title(process, "ray::RewardLoopWorker") and len(found := children_of(process.pid)) > 1:
                return found
        time.sleep(0.1)
    raise AssertionError("no verifier below the reward worker")

"""Training runs in which ways of training take turns, step by step, on the same prompts.

A ratio of two runs would measure what else the machine did in the minutes between them. Here one run of verl does a
step of each way in turn, so that the two steps of a pair lie seconds apart. The learning rate is 0 and responses have
seeds, hence the ways of a round sample the same first passes from the same policy.

What makes a run take turns is loaded into it by `VERL_USE_EXTERNAL_MODULES=turns_inside`; no file of the recipe knows.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from ways import ROOT, Assets, Size, Step, Turn, Way, settings_of

from recipe.edge_grpo.names import METRICS_FILE

HERE = Path(__file__).parent
PLAN_VARIABLE = "BENCH_TURNS"
WARM_UP, NUM_WARM_UP_STEPS = -1, 2  # They fill caches.
RUN_SECONDS = 7200.0


def run_turns(
    folder: Path,
    assets: Assets,
    ways: Sequence[Way],
    turns: Sequence[Turn],
    size: Size,
    *overrides: str,
    watch: Callable[[int, int], None] | None = None,
) -> list[Step]:
    """Train a warm-up and then a step for each turn; returns the steps of the turns, in order.

    Args:
        folder: of this run; what an earlier one left there is overwritten.
        watch: is called with the run's process id and the number of finished steps, about twice a second.

    Raises:
        RuntimeError: with the end of the log, if the run fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    turns = [(WARM_UP, ways[-1].name)] * NUM_WARM_UP_STEPS + list(turns)
    by_name = {way.name: way for way in ways}
    plan = {
        "turns": turns,
        "ways": {way.name: {**asdict(way), **settings_of(way.recipe, size)} for way in ways},
        "requests": str(folder / "requests.jsonl"),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    write_rows(assets.train, folder / "train.parquet", turns, by_name, size.num_prompts)
    for name in ("requests.jsonl", METRICS_FILE):
        (folder / name).unlink(missing_ok=True)
    command = [
        sys.executable,
        *("-m", "verl.trainer.main_ppo", "+recipe=edge_grpo", "+profile=cpu"),
        f"actor_rollout_ref.model.path={assets.model}",
        f"data.train_files={folder / 'train.parquet'}",
        f"data.val_files={folder / 'train.parquet'}",
        "data.shuffle=false",
        "actor_rollout_ref.actor.optim.lr=0.0",
        f"reward.custom_reward_function.path={HERE / 'chance_reward.py'}",
        *(f"trainer.{key}" for key in ("val_before_train=false", "test_freq=-1", "save_freq=-1")),
        *("trainer.rollout_data_dir=null", "trainer.resume_mode=disable", "trainer.total_epochs=1"),
        f"trainer.total_training_steps={len(turns)}",
        f"trainer.default_local_dir={folder}",
        *size.overrides(),
        *overrides,
    ]
    _run(command, folder, watch)
    return read_steps(folder, turns)


def _run(command: list[str], folder: Path, watch: Callable[[int, int], None] | None) -> None:
    """Run verl to its end."""
    paths = [str(ROOT), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), PLAN_VARIABLE: str(folder / "plan.json")}
    environment["VERL_USE_EXTERNAL_MODULES"] = "turns_inside"
    log_file = folder / "train.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True
        )
        deadline = time.monotonic() + RUN_SECONDS
        try:
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.5)
                if watch is not None:
                    watch(process.pid, _num_steps(folder))
        finally:
            for kind, patience in ((signal.SIGINT, 30), (signal.SIGKILL, 5)):
                if process.poll() is None:
                    os.killpg(process.pid, kind)
                    try:
                        process.wait(timeout=patience)
                    except subprocess.TimeoutExpired:
                        continue
    if process.returncode:
        raise RuntimeError(f"a run failed, {log_file}:\n{log_file.read_text(errors='replace')[-3000:]}")


def write_rows(
    source: Path, target: Path, turns: Sequence[tuple[int, str]], ways: Mapping[str, Way], num_prompts: int
) -> None:
    """Write the rows of each turn: the prompts of its round, and how many of their first passes shall fail."""
    rows = pyarrow.parquet.read_table(source).to_pylist()
    written = []
    for number, name in turns:
        chosen = random.Random(number).sample(rows, num_prompts)
        share = ways[name].failure_share
        written += [
            {**row, "extra_info": {**row["extra_info"], "failure_share": -1.0 if share is None else share}}
            for row in chosen
        ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(written), target)


def _num_steps(folder: Path) -> int:
    metrics = folder / METRICS_FILE
    return len(metrics.read_text().splitlines()) if metrics.exists() else 0


def read_steps(folder: Path, turns: Sequence[Turn]) -> list[Step]:
    """Return the steps behind the warm-up from what a run has left."""
    metrics: dict[int, dict[str, float]] = {}
    for line in (folder / METRICS_FILE).read_text().splitlines():
        entry = json.loads(line)
        metrics.setdefault(entry["step"], {}).update(entry["data"])
    requests: dict[int, list[Mapping[str, Any]]] = {}
    for line in (folder / "requests.jsonl").read_text().splitlines():
        request = json.loads(line)
        requests.setdefault(request["step"], []).append(request)
    return [
        Step(name, number, metrics[step], requests.get(step, []))
        for step, (number, name) in enumerate(turns, start=1)
        if number != WARM_UP
    ]

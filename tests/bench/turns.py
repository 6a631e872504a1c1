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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from omegaconf import DictConfig, OmegaConf

from recipe.edge_grpo.names import METRICS_FILE

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CONFIG = ROOT / "recipe" / "edge_grpo" / "config"
PLAN_VARIABLE = "BENCH_TURNS"
WARM_UP, NUM_WARM_UP_STEPS = -1, 2  # They fill caches.
RUN_SECONDS = 3600.0

Turn = tuple[int, str]
"""The round of a step, whose number its prompts and seeds are drawn by, and its way."""


@dataclass(frozen=True)
class Way:
    """One way of training a step."""

    name: str
    recipe: str
    failure_share: float | None = None
    """Of the first passes, so many fail by chance, always the same; None: the reward says which are wrong."""
    is_authors: bool = False
    """Corrects as the authors' trainer does: behind the whole batch, every row once more, re-tokenised."""
    num_tokens: int | None = None
    """Every first pass has so many tokens; None: it ends where the policy ends it."""


@dataclass(frozen=True)
class Step:
    """One measured step: verl's metrics, and what the policy's server was asked for."""

    way: str
    round: int
    metrics: Mapping[str, float]
    requests: Sequence[Mapping[str, Any]]

    def seconds(self, phase: str = "step") -> float:
        return self.metrics[f"timing_s/{phase}"]

    def tokens(self, *kinds: str) -> int:
        """Tokens that were sampled for `first`, `correction` or `discarded`; without kinds, all."""
        return sum(request["tokens"] for request in self.requests if not kinds or request["kind"] in kinds)


@dataclass(frozen=True)
class Size:
    """What a run trains on: prompts a step, responses of each, and the longest first pass."""

    num_prompts: int
    num_responses: int
    first_pass_tokens: int = 64

    def __str__(self) -> str:
        return f"{self.num_prompts}x{self.num_responses}"

    def overrides(self) -> list[str]:
        return [
            f"data.train_batch_size={self.num_prompts}",
            f"actor_rollout_ref.rollout.n={self.num_responses}",
            f"data.max_response_length={2 * self.first_pass_tokens}",
            f"edge_grpo.gec.first_pass_max_tokens={self.first_pass_tokens}",
        ]


@dataclass(frozen=True)
class Assets:
    """The data and the policy of a run."""

    train: Path
    model: Path


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


def turns_of(ways: Sequence[Way], num_rounds: int) -> list[Turn]:
    """Return the turns of so many rounds, every other one backwards, so that no way is always the first."""
    return [(number, way.name) for number in range(num_rounds) for way in ways[:: -1 if number % 2 else 1]]


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


def settings_of(recipe: str, size: Size) -> dict[str, Any]:
    """Return what a turn of the recipe sets: `algorithm` where it differs from verl's, and the block `edge_grpo`."""
    composed = recipe_config(recipe)
    profile = OmegaConf.load(CONFIG / "profile" / "cpu.yaml")
    block = OmegaConf.merge(composed.edge_grpo, profile.edge_grpo)  # type: ignore[union-attr]
    block.gec.first_pass_max_tokens = size.first_pass_tokens
    algorithm = {
        "adv_estimator": composed.algorithm.adv_estimator,
        "norm_adv_by_std_in_grpo": composed.algorithm.get("norm_adv_by_std_in_grpo", True),
    }
    return {"algorithm": algorithm, "edge_grpo": OmegaConf.to_container(block, resolve=True)}


def recipe_config(name: str) -> DictConfig:
    """Return a recipe with those that it is made of, as Hydra composes them: each parent first, then its own keys."""
    own = OmegaConf.load(CONFIG / "recipe" / f"{name}.yaml")
    assert isinstance(own, DictConfig)
    parents = [parent for parent in own.pop("defaults", []) if parent != "_self_"]
    merged = OmegaConf.merge(*(recipe_config(parent) for parent in parents), own)
    assert isinstance(merged, DictConfig)
    return merged


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


def pairs_of(steps: Sequence[Step], way: str, base: str) -> list[tuple[Step, Step]]:
    """Return (step of the way, step of the base) of each round."""
    of_base = {step.round: step for step in steps if step.way == base}
    return [(step, of_base[step.round]) for step in steps if step.way == way]

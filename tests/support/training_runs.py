"""Training runs as a user starts them, and what they need: data, a tiny policy."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from recipe.edge_grpo.verl_patches.file_logger import PATH_VARIABLE

TIME_LIMIT = 600


class Run:
    """A training run in a folder of its own, as a user would start it.

    Args:
        launcher: put before the command.
        variables: added to the environment.
    """

    def __init__(
        self, folder: Path, *overrides: str, launcher: Sequence[str] = (), variables: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            *launcher,
            sys.executable,
            "-m",
            "verl.trainer.main_ppo",
            "trainer.resume_mode=disable",
            "data.shuffle=false",
        ]
        command += [f"trainer.default_local_dir={folder}", *overrides]
        # What a test has left in the environment of this process is none of the run's.
        environment = {name: value for name, value in os.environ.items() if name != PATH_VARIABLE} | dict(
            variables or {}
        )
        self.log_file = folder / "log.txt"
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True
            )

    def wait(self, limit: float = TIME_LIMIT) -> int:
        """The exit code. The process group is ended where it does not end by itself."""
        try:
            return self.process.wait(timeout=limit)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)

    def finished(self) -> "Run":
        exit_code = self.wait()
        assert exit_code == 0, self.log()[-5000:]
        return self

    def wait_for_step(self, step: int) -> None:
        """Return once the metrics of the step are there."""
        deadline = time.monotonic() + TIME_LIMIT
        while not (self.folder / "metrics.jsonl").exists() or step not in self.metrics():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.1)

    def ask_to_stop_in_step(self, step: int) -> None:
        """Send SIGTERM to the driver once the metrics of the step before are there."""
        self.wait_for_step(step - 1)
        self.process.send_signal(signal.SIGTERM)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def metrics(self) -> dict[int, dict[str, float]]:
        """Metrics of each step, validation included."""
        steps: dict[int, dict[str, float]] = {}
        for line in (self.folder / "metrics.jsonl").read_text().splitlines():
            entry = json.loads(line)
            steps.setdefault(entry["step"], {}).update(entry["data"])
        return steps

    def rollouts(self, step: int) -> list[dict[str, Any]]:
        lines = (self.folder / "rollouts" / f"{step}.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def run_module() -> Callable[..., None]:
    """run_module(name, *arguments): `python -m name arguments`, which must succeed."""

    def run_module(*arguments: object) -> None:
        subprocess.run([sys.executable, "-m", *map(str, arguments)], check=True, timeout=TIME_LIMIT)

    return run_module


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory, run_module: Callable[..., None]) -> Path:
    """A folder with arithmetic data, and the tiny policy of the quickstart; takes a minute."""
    folder = tmp_path_factory.mktemp("assets")
    run_module("data_prep.arithmetic", "--output-dir", folder)
    run_module("recipe.edge_grpo.quickstart.tiny_policy.build", "--data-dir", folder, "--output-dir", folder / "model")
    return folder


@pytest.fixture(scope="session")
def start_run(assets: Path) -> Callable[..., Run]:
    """start_run(folder, *overrides, launcher=()): a run of the tiny policy, on arithmetic unless they differ."""
    arithmetic = [
        f"actor_rollout_ref.model.path={assets / 'model'}",
        f"data.train_files={assets / 'train.parquet'}",
        f"data.val_files={assets / 'test.parquet'}",
    ]
    return lambda folder, *overrides, **kwargs: Run(folder, *arithmetic, *overrides, **kwargs)


@pytest.fixture(scope="session")
def contract_metrics() -> list[str]:
    """The metrics below `edge_grpo/` that every step has."""
    return [
        *(
            f"groups/{kind}_{stage}_gec"
            for kind in ("zero_variance", "all_correct", "all_wrong")
            for stage in ("before", "after")
        ),
        *("accuracy/first_pass", "accuracy/after_gec", "advantage_variance/before_eda", "advantage_variance/after_eda"),
        *("entropy/mean", "entropy/correct", "entropy/wrong"),
        *("entropy_ratio/min", "entropy_ratio/max", "entropy_ratio/clipped_fraction"),
        *("gec/failed_fraction", "gec/reflection", "gec/answer", "gec/solution"),
        *("gec/tokens_injected", "gec/tokens_regenerated"),
        *(f"sessions_lost_{cause}" for cause in ("reward", "generation", "other")),
        *("gec/skipped_prompt_too_long", "gec/skipped_no_room", "gec/skipped_generation_failed"),
        *(f"verify/{status}" for status in ("no_box", "no_gold", "limit", "timeout", "crash", "parse_error")),
    ]

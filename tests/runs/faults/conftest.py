"""Real runs that something happens to, and the table of what it took until they ended or went on (`make faults`)."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

LIMIT_SECONDS = 120
MEASURED = pytest.StashKey[list[tuple[str, str, float]]]()
RESPONSES_A_STEP = 8 * 8


class DisturbedRun:
    """A training run whose processes are known, so that one can be hit and all be seen to go."""

    def __init__(self, run: Any, log_measurement: Callable[[str, str, float], None]) -> None:
        self.run = run
        self.log_measurement = log_measurement
        self.processes: list[psutil.Process] = []

    def hit(self, title: str, kind: signal.Signals = signal.SIGKILL) -> None:
        """Send the signal to the process with this title (the beginning of its command line), or to the driver."""
        driver = psutil.Process(self.run.process.pid)
        self.processes = driver.children(recursive=True)
        targets = [driver] if title == "driver" else [found for found in self.processes if has_title(found, title)]
        assert targets, f"no process {title} among {[process.name() for process in self.processes]}"
        self.begin = time.monotonic()
        os.kill(targets[0].pid, kind)

    def ends(self, fault: str) -> int:
        """The exit code; the run and all of its processes have to be gone in time."""
        exit_code: int = self.run.wait(limit=LIMIT_SECONDS)
        _, alive = psutil.wait_procs(self.processes, timeout=LIMIT_SECONDS - (time.monotonic() - self.begin))
        assert not alive, [process.cmdline() for process in alive]
        last_words = self.last_line() if exit_code > 0 else "(nothing; the shell says that it was killed)"
        self.log_measurement(fault, last_words, time.monotonic() - self.begin)
        return exit_code

    def last_line(self) -> str:
        return str(self.run.log().rstrip().splitlines()[-1])

    def check_metrics(self) -> None:
        """Each step in `metrics.jsonl` is there once, in order, and is made of all of its responses."""
        lines = (self.run.folder / "metrics.jsonl").read_text().splitlines()
        steps = [json.loads(line)["step"] for line in lines]
        assert steps == list(range(1, len(steps) + 1))
        for step in steps:
            assert len(self.run.rollouts(step)) == RESPONSES_A_STEP

    def clean_up(self) -> None:
        """End what a failed test has left."""
        for process in self.processes:
            if process.is_running():  # and no other one that has got its number
                process.kill()
        if self.run.process.poll() is None:
            os.killpg(self.run.process.pid, signal.SIGKILL)


def has_title(process: psutil.Process, title: str) -> bool:
    """Whether the command line, or the title that the process gave itself, begins so."""
    try:
        return " ".join(process.cmdline()).startswith(title)
    except psutil.Error:
        return False


@pytest.fixture
def log_measurement(request: pytest.FixtureRequest) -> Callable[[str, str, float], None]:
    """log_measurement(fault, last line, seconds): a row of the table."""
    return lambda *row: request.config.stash.setdefault(MEASURED, []).append(row)


@pytest.fixture
def disturbed_run(
    start_run: Callable[..., Any], tmp_path: Path, log_measurement: Callable[[str, str, float], None]
) -> Iterator[Callable[..., DisturbedRun]]:
    """disturbed_run(*overrides): a run of 500 steps that has taken two of them."""
    started: list[DisturbedRun] = []

    def start(*overrides: str) -> DisturbedRun:
        common = ["+recipe=edge_grpo", "+profile=cpu", "trainer.total_training_steps=500"]
        common += ["trainer.val_before_train=false", "trainer.save_freq=-1"]
        run = DisturbedRun(start_run(tmp_path / "run", *common, *overrides), log_measurement)
        started.append(run)
        run.run.wait_for_step(2)
        return run

    yield start
    for run in started:
        run.clean_up()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table."""
    measured = config.stash.get(MEASURED, [])
    if measured:
        terminalreporter.section("faults")
        terminalreporter.write_line("| fault | last line of the output | seconds |\n|---|---|--:|")
        for fault, last_words, seconds in measured:
            terminalreporter.write_line(f"| {fault} | `{last_words}` | {seconds:.0f} |")

"""From command to the end of the first step: one run of the tiny policy on the CPU, by part and by process.

    python tests/bench/startup.py [--assets DIR]

In `make bench` it is the part `startup`, and the only one that yields seconds: there is nothing to divide them by.
Wall time is lengthened by other work on the machine, processor time hardly. Rows are (part, seconds, note).
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
from measures import Row

from recipe.edge_grpo.cpu.warm_workers.start import SWITCH
from recipe.edge_grpo.quickstart.__main__ import make_what_is_missing, parse_arguments, training_command
from recipe.edge_grpo.quickstart.launch import MILESTONES

Timed = tuple[str, float, str]
"""A part or a process, its seconds, and which."""

ALL_PROCESSES = "all processes"
FIRST_STEP, SECONDS_TO_FIRST_STEP = "first step done", 45
"""The target, on two cores with nothing else to do."""

PARTS = {**MILESTONES, "Training Progress:": "trainer begins its loop", "step:1 - ": FIRST_STEP}
"""{text in the log: part that ends with it}, in the order of a run; one that does not come has no row."""

IMPORTS = {
    "TransferQueue": "transfer_queue",
    "verl alone": "verl",
    "balancer of requests": "verl.workers.rollout.router",
    "reward worker": "verl.experimental.reward_loop.reward_loop",
    "agent-loop worker": "recipe.edge_grpo.correction.rollout",
    "trainer": "verl.trainer.ppo.v1",
    "policy": "verl.workers.engine_workers",
    "vLLM's server": "verl.workers.rollout.vllm_rollout.vllm_async_server",
    "vLLM's engine": "vllm.v1.engine.core",
}
"""{process: the module with the class that runs in it}."""

TIME_IMPORT = """
import importlib, sys, time
begin = time.process_time()
importlib.import_module(sys.argv[1])
heavy = [name for name in ("verl.trainer.ppo.v1", "vllm", "transformers") if name in sys.modules]
print(time.process_time() - begin, len(sys.modules), *heavy)
"""

NOT_VALIDATED = ("trainer.val_before_train=false", "trainer.test_freq=-1", "trainer.save_freq=-1")
SAMPLE_SECONDS = 0.25
NUM_PROCESSES_SHOWN = 15


def measure(folder: Path, is_quick: bool) -> Iterator[Row]:
    """Yield the seconds to the end of each part, and those of all processes together."""
    runs, others = [], []
    for _ in range(1 if is_quick else 3):
        runs.append(startup_rows(folder))
        if not is_quick:
            others.append(startup_rows(folder, has_forks=False))
    shown = [*(part for part in PARTS.values() if part in dict_of(runs[0])), ALL_PROCESSES]
    for part in shown:
        values = [dict_of(run)[part] for run in runs]
        target = SECONDS_TO_FIRST_STEP if part == FIRST_STEP else None
        what = "processor time of all processes" if part == ALL_PROCESSES else f"command to: {part}"
        yield Row("start-up", what, values, at_most=target, unit="s")
    if others:
        ratios = [
            dict_of(run)[FIRST_STEP] / dict_of(other)[FIRST_STEP] for run, other in zip(runs, others, strict=True)
        ]
        yield Row("start-up", f"command to: {FIRST_STEP}, forks of one process / each imports for itself", ratios)


def dict_of(rows: list[Timed]) -> dict[str, float]:
    """Return the seconds by part, of processes of one name the last."""
    return {part: seconds for part, seconds, _ in rows}


def startup_rows(assets: Path, *overrides: str, has_forks: bool = True) -> list[Timed]:
    """Start a run of one step; return its parts in wall time and its processes in processor time.

    Args:
        assets: folder in which the quickstart's data and policy are, or are made.
        overrides: of verl, after the others.
        has_forks: whether the run's processes are forks of one that has imported, as they are by default.
    """
    options, _ = parse_arguments(["--output-dir", str(assets), "--steps", "1"])
    of_the_task = make_what_is_missing(options)
    with tempfile.TemporaryDirectory() as folder:
        command = training_command(options, Path(folder, "edge_grpo"))
        environment = os.environ if has_forks else {**os.environ, SWITCH: "0"}
        return _rows_of_run([*command, *of_the_task, *NOT_VALIDATED, *overrides], environment)


def import_rows() -> Iterator[Timed]:
    """Processor time of what each process imports, in a process that does nothing else."""
    environment = {**os.environ, "VERL_PLATFORM": "cpu"}
    for process, module in IMPORTS.items():
        command = [sys.executable, "-W", "ignore", "-c", TIME_IMPORT, module]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seconds, num_modules, *heavy = done.stdout.splitlines()[-1].split()
        note = f"processor time; {num_modules} modules, {', '.join(heavy) or 'no trainer, vLLM or transformers'}"
        yield f"imports: {process}", float(seconds), note


def _rows_of_run(command: list[str], environment: Mapping[str, str]) -> list[Timed]:
    begin = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    watch = _TreeWatch(process.pid)
    watch.start()
    rows, left, last_lines = [], dict(PARTS), []
    assert process.stdout is not None
    for line in process.stdout:
        last_lines = [*last_lines[-40:], line]
        for text in [text for text in left if text in line]:
            rows.append((left.pop(text), time.monotonic() - begin, "wall time since the command"))
    watch.end()
    if process.wait():
        sys.exit("the training run failed:\n" + "".join(last_lines))
    spent = sorted(watch.seconds.items(), key=lambda item: -item[1])
    rows.append((ALL_PROCESSES, sum(watch.seconds.values()), f"processor time of {len(spent)} processes"))
    rows += [(watch.names[pid], seconds, "processor time") for pid, seconds in spent[:NUM_PROCESSES_SHOWN]]
    return rows


class _TreeWatch(threading.Thread):
    """Looks at a process and all below it until it is told to end; what is spent after the last look is not seen."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root = psutil.Process(pid)
        self.seconds: dict[int, float] = {}
        self.names: dict[int, str] = {}
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.wait(SAMPLE_SECONDS):
            try:
                processes = [self.root, *self.root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for process in processes:
                self._look_at(process)

    def end(self) -> None:
        self.is_over.set()
        self.join()

    def _look_at(self, process: psutil.Process) -> None:
        try:
            times, arguments = process.cpu_times(), process.cmdline()
        except psutil.Error:
            return
        self.seconds[process.pid] = times.user + times.system
        name = _name_of(arguments)
        # Ray calls a process by what it does now; IDLE is what it is called in between, and at its end
        if name and (name != "ray::IDLE" or process.pid not in self.names):
            self.names[process.pid] = name
        self.names.setdefault(process.pid, "?")


def _name_of(arguments: list[str]) -> str:
    """Return the title that a process has given itself, or the file name of what it runs."""
    if not arguments or not arguments[0]:
        return ""
    title = arguments[0].split()[0]
    if "::" in title:
        return title.partition(".")[0]
    if "-m" in arguments:
        return arguments[arguments.index("-m") + 1]
    files = [argument for argument in arguments[1:] if not argument.startswith("-")]
    return Path(files[0] if "python" in title and files else title).name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--assets", type=Path, help="folder with the quickstart's data and policy (default: made)")
    options, overrides = parser.parse_known_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, load before (1, 5, 15 minutes): {load}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for rows in (startup_rows(options.assets or Path(folder), *overrides), import_rows()):
            for part, seconds, note in rows:
                print(f"{part:45} {seconds:7.1f} s  {note}", flush=True)


if __name__ == "__main__":
    main()

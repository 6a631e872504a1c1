"""`make soak`: a long run on the CPU, the memory of each of its processes in every step, and whether any of them grows.

The growth of a process is the median of its memory over the last ten steps, against that over the ten steps up to step
50; the exit code is 1 if both its private and its resident memory have grown by more than 5 %, and by more than 5 MiB.
Private memory leaves out what processes share, such as Ray's object store. It rises without a leak where a forked
process writes to pages that it shared with its parent; resident memory does not.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

WARM_UP_STEPS = 50
WINDOW = 10
LIMIT = 0.05
NOISE_MIB = 5.0
KINDS = ("private", "resident")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--output-dir", type=Path, default=Path("runs/soak"))
    parser.add_argument("--seconds", type=float, default=3600, help="limit for the whole run (default: %(default)s)")
    options, overrides = parser.parse_known_args()
    if options.steps < WARM_UP_STEPS + WINDOW:
        parser.error(f"--steps must be at least {WARM_UP_STEPS + WINDOW}")
    options.output_dir.mkdir(parents=True, exist_ok=True)
    measurements = options.output_dir / "memory.jsonl"
    exit_code = record(options, overrides, measurements)
    if exit_code:
        print(f"the run ended with exit code {exit_code}")
        return exit_code
    return report(measurements)


def record(options: argparse.Namespace, overrides: list[str], measurements: Path) -> int:
    """Train, and write one line for each step and process; returns the exit code of the run."""
    command = [sys.executable, "-m", "recipe.edge_grpo.quickstart", "--steps", str(options.steps)]
    command += ["--output-dir", str(options.output_dir), *overrides]
    earlier = set(options.output_dir.glob("run-*/edge_grpo"))
    deadline = time.monotonic() + options.seconds
    run = subprocess.Popen(command)
    num_steps = 0
    try:
        with measurements.open("w") as file:
            while run.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
                (folder,) = set(options.output_dir.glob("run-*/edge_grpo")) - earlier or (None,)
                if folder is not None and (step := last_step(folder / "metrics.jsonl")) > num_steps:
                    num_steps = step
                    file.writelines(json.dumps({"step": step, **row}) + "\n" for row in memory_below(run.pid))
                    file.flush()
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
    return run.wait()


def last_step(metrics: Path) -> int:
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    return json.loads(lines[-1])["step"] if lines else 0


def memory_below(root: int) -> Iterator[dict[str, object]]:
    """Private and resident bytes of each process below the root."""
    for process in psutil.Process(root).children(recursive=True):
        try:
            used = process.memory_full_info()
            name = name_of(process.cmdline()) or process.name()
        except (psutil.NoSuchProcess, psutil.ZombieProcess, IndexError):
            continue  # it ended while it was being measured
        yield {"pid": process.pid, "name": name, "private": used.uss, "resident": used.rss}


def name_of(command: list[str]) -> str | None:
    """The title of an actor ("ray::Class", with ".method" while it works), or a Python process's script or module."""
    if command[0].startswith("ray::"):
        return command[0].split(".")[0].strip()
    scripts = [Path(word).name for word in command[1:] if word.endswith(".py")]
    modules = [module for option, module in pairwise(command) if option == "-m"]
    return next(iter(scripts + modules), None)


def report(measurements: Path) -> int:
    """Print each process before and after; returns 1 if one has grown."""
    table: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in map(json.loads, measurements.read_text().splitlines()):
        table[row["pid"]].append(row)
    end = max(rows[-1]["step"] for rows in table.values())
    lines = []
    for rows in table.values():
        before = [row for row in rows if WARM_UP_STEPS - WINDOW < row["step"] <= WARM_UP_STEPS]
        after = [row for row in rows if row["step"] > end - WINDOW]
        if before and after:
            lines.append((rows[0]["name"], *(median_mib(part, kind) for kind in KINDS for part in (before, after))))
    lines.sort(key=lambda line: -line[3])
    lines.append(("all", *(sum(column) for column in list(zip(*lines, strict=True))[1:])))
    print(f"| process | private MiB, step {WARM_UP_STEPS} | step {end} | growth | resident | step {end} | growth |")
    print("|---|" + "--:|" * 6)
    for name, *memory in lines:
        (private, private_after), (resident, resident_after) = memory[:2], memory[2:]
        print(
            f"| `{name}` | {private:.1f} | {private_after:.1f} | {private_after / private - 1:+.1%} "
            f"| {resident:.1f} | {resident_after:.1f} | {resident_after / resident - 1:+.1%} |"
        )
    return int(any(has_grown(*memory[:2]) and has_grown(*memory[2:]) for _, *memory in lines))


def median_mib(rows: list[dict[str, Any]], kind: str) -> float:
    return statistics.median(row[kind] for row in rows) / 2**20


def has_grown(before: float, after: float) -> bool:
    return after > before * (1 + LIMIT) and after > before + NOISE_MIB


if __name__ == "__main__":
    sys.exit(main())

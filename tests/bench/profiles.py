"""Where the time of a step goes: a profile of agent-loop worker, reward worker, server and trainer with py-spy.

Needs `py-spy` on the PATH or beside this Python, which `requirements/` does not have. Its samples of a busy thread are
attributed to the innermost function of verl, TransferQueue, vLLM or this project, whatever library works for it.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
from measures import Row, Skipped
from soak import name_of
from training import make_assets
from turns import NUM_WARM_UP_STEPS, run_turns
from ways import Size, Way, turns_of

SIZE = Size(64, 8)
SECONDS = 60
PROCESSES = {
    "ray::TurnsWorker": "agent-loop worker, with the server's client",
    "ray::RewardLoopWorker": "reward worker",
    "ray::vLLMHttpServer": "vLLM server",
    "ray::TaskRunnerV1": "trainer",
}
"""{title of a process: what it is called in the table}."""

OWNERS = ("edge_grpo/", "reward_fns/", "verl/", "transfer_queue/", "vllm/")
OURS = ("edge_grpo/", "reward_fns/")
WAITS = {
    "Worker.main_loop (ray/_private/worker.py)",
    "_worker (concurrent/futures/thread.py)",
    "Condition.wait (threading.py)",
    "Event.wait (threading.py)",
    "Thread.run (threading.py)",
    "TransferQueueClient._start_loop (transfer_queue/client.py)",
    "_run_notify_loop (transfer_queue/storage/managers/base.py)",
    "ReplayBuffer._wait_for_next_poll (verl/trainer/ppo/v1/replay_buffer.py)",
    "Watchdog.run (edge_grpo/run/watchdog.py)",
    "",
}
"""Innermost frames of threads that wait in C, which py-spy takes for busy ones."""

_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+)\)$")


def measure(folder: Path, is_quick: bool) -> list[Row | Skipped]:
    """Profile a run at 64 x 8; returns a row for each of the three largest costs of each process."""
    beside = Path(sys.executable).parent / "py-spy"
    spy = shutil.which("py-spy") or (str(beside) if beside.exists() else None)
    if spy is None:
        return [Skipped("profile", "py-spy is not installed")]
    run_folder = folder / "profile"
    run_folder.mkdir(parents=True, exist_ok=True)
    recordings: list[subprocess.Popen[bytes]] = []

    def watch(pid: int, num_steps: int) -> None:
        if num_steps < NUM_WARM_UP_STEPS or recordings:
            return
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):  # it may end while it is looked at
                title = name_of(process.cmdline() or [""])
                if title not in PROCESSES:
                    continue
                target = run_folder / f"{title.removeprefix('ray::')}.raw"
                options = ["--pid", str(process.pid), "--duration", str(SECONDS), "--format", "raw", "--nonblocking"]
                recordings.append(subprocess.Popen([spy, "record", *options, "--output", str(target)]))

    ways = [Way(name, name) for name in ("grpo", "edge_grpo")]
    run_turns(run_folder, make_assets(folder), ways, turns_of(ways, 2), SIZE, watch=watch)
    for recording in recordings:
        recording.wait(timeout=60)
    rows: list[Row | Skipped] = []
    for title, name in PROCESSES.items():
        recorded = run_folder / f"{title.removeprefix('ray::')}.raw"
        if not recorded.exists():
            rows.append(Skipped(f"profile of {name}", f"no process {title} was recorded"))
            continue
        costs = largest_costs(recorded.read_text().splitlines())
        part = f"Share of the samples of a process while it does not wait, {SIZE}"
        rows += [Row(part, f"{name}: {where}", [share]) for where, share in costs]
    return rows


def largest_costs(lines: Iterable[str], num_costs: int = 3) -> list[tuple[str, float]]:
    """Return (function, share of all samples) of the largest costs, and the share of this project's code.

    `lines` are "frame;frame;… count", the outermost frame first; what waits is left out.

    >>> largest_costs(["run (ray/worker.py:1);put (verl/queue.py:5);dumps (pickle.py:9) 3", "run (ray/worker.py:1) 1"])
    [('`put` of verl/queue.py', 0.75), ('ray/worker.py', 0.25), ('all of this project', 0.0)]
    """
    costs: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        frames = [re.sub(r":\d+\)$", ")", frame) for frame in stack.split(";")]
        if frames[-1] not in WAITS:
            costs[where_of(frames)] += int(count)
    total = costs.total()
    ours = sum(count for where, count in costs.items() if where.partition("` of ")[2].startswith(OURS))
    largest = [(where, count / total) for where, count in costs.most_common(num_costs)]
    return [*largest, ("all of this project", ours / total)]


def where_of(frames: list[str]) -> str:
    """Return what the samples of a stack, outermost frame first, are counted as."""
    parsed = [(found["function"], found["file"]) for frame in frames if (found := _FRAME.match(frame))]
    if not parsed:
        return "other"
    for function, file in reversed(parsed):
        if file.startswith(OWNERS):
            return f"`{function}` of {file}"
    return parsed[-1][1]

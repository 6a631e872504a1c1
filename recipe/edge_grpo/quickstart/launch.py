"""Starts a verl run as a child process and shows what a person wants to see of its output; a log file has the rest."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO

STALL_SECONDS = 900.0
"""A run without any output for so long is ended: a Ray actor that died can leave the others waiting for ever."""

MILESTONES = {
    "Started a local Ray instance": "Ray is up",
    "train and validate dataloader initialized": "data loaded",
    "actor and ref model engine initialized": "policy loaded",
    "checkpoint engine manager initialized": "vLLM server is up",
    "Initial validation metrics": "validated before training",
    "Saving checkpoint to": "saving a checkpoint",
}
"""What verl prints, and what is shown for it, once each."""

NUM_LINES_ON_FAILURE = 40
"""Last lines of the log that are shown when a run fails."""

_COLOUR_CODES = re.compile(r"\x1b\[[0-9;]*m")
_PROGRESS = re.compile(r"Training Progress:.*")
_OURS = re.compile(r"EDGE-GRPO: .*")


def run_and_show(command: list[str], log_file: Path, stall_seconds: float = STALL_SECONDS) -> int:
    """Run the command, write all of its output to the log file, and show milestones and verl's progress bar.

    Returns its exit code; 1 if it was ended because nothing came for `stall_seconds`.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    # A session of its own, so that ending it ends its children too.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True,
        errors="replace", start_new_session=True,
    )  # fmt: skip
    earlier_handler = signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        is_stalled = _follow(process, log_file, stall_seconds)
    except BaseException:  # Ctrl-C and SIGTERM as well: nothing that was started here stays behind
        _end(process)
        raise
    finally:
        signal.signal(signal.SIGTERM, earlier_handler)
    exit_code = 1 if is_stalled else process.wait()
    if exit_code:
        _show_failure(log_file, f"no output for {stall_seconds:.0f} s" if is_stalled else f"exit code {exit_code}")
    return exit_code


def shown_line(line: str, milestones_left: dict[str, str]) -> str | None:
    """Return what to show for one line of output, None for nothing; removes a milestone that has been reached.

    >>> shown_line("INFO Saving checkpoint to /tmp/x", {"Saving checkpoint to": "saving a checkpoint"})
    'saving a checkpoint'
    """
    plain = _COLOUR_CODES.sub("", line)
    if found := (_PROGRESS.search(plain) or _OURS.search(plain)):
        return found.group()
    for text, message in milestones_left.items():
        if text in plain:
            del milestones_left[text]
            return message
    return None


def _follow(process: subprocess.Popen[str], log_file: Path, stall_seconds: float) -> bool:
    """Read output until it ends. Returns True if the process was ended because it had stalled."""
    lines: queue.Queue[str | None] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    begin, milestones_left = time.monotonic(), dict(MILESTONES)
    with log_file.open("w", encoding="utf-8") as log:
        while True:
            try:
                line = lines.get(timeout=stall_seconds)
            except queue.Empty:
                _end(process)
                return True
            if line is None:
                return False
            log.write(line)
            log.flush()
            shown = shown_line(line, milestones_left)
            if shown is not None:
                print(f"[{time.monotonic() - begin:4.0f} s] {shown}", flush=True)


def _exit_on_signal(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _read(stream: IO[str], lines: "queue.Queue[str | None]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    """Ask the process and its children to stop (Ray stops with its driver), then make them."""
    for kind, patience in ((signal.SIGINT, 20.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, kind)
            process.wait(timeout=patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _show_failure(log_file: Path, reason: str) -> None:
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    print(f"The run failed ({reason}). Its last lines:", file=sys.stderr)
    print("\n".join(_COLOUR_CODES.sub("", line) for line in lines[-NUM_LINES_ON_FAILURE:]), file=sys.stderr)
    print(f"The whole log: {log_file}", file=sys.stderr)

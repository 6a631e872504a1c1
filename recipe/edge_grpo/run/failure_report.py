"""The reason why a run failed, as the last line of the driver's output.

The driver of a Ray job only learns that the trainer's actor has died or raised, in a traceback of many pages. The
trainer leaves the reason in `failure.txt` in the run folder, and the driver prints it when it exits. While the run goes
on there is `.failure_reserve` instead: it keeps room for the reason on a disk that fills up, and is what is left where
the trainer's process ends without a word.
"""

import atexit
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recipe.edge_grpo.names import FAILURE_FILE

RESERVE_FILE = ".failure_reserve"
RESERVED_BYTES = 4096
SECONDS_FOR_OUTPUT = 0.5
"""For Ray to print what is left of the actors' output; as long as it takes itself when a driver exits."""
UNKNOWN_REASON = (
    "the trainer's process has ended without giving a reason (killed, interrupted, out of memory, or crashed). "
    "The same command resumes from the last checkpoint"
)


def print_failure_at_exit(run_folder: str) -> None:
    """Forget, in the driver, the failure of an earlier start, and print that of this one in the end."""
    file, reserve = Path(run_folder) / FAILURE_FILE, Path(run_folder) / RESERVE_FILE
    file.unlink(missing_ok=True)
    reserve.unlink(missing_ok=True)

    def print_failure() -> None:
        if reserve.exists():
            reserve.replace(file)
        if file.exists():
            import ray

            time.sleep(SECONDS_FOR_OUTPUT)
            ray.shutdown()
            reason = file.read_text(encoding="utf-8", errors="replace").strip()  # the cut may go through a character
            print(f"EDGE-GRPO: {reason}", file=sys.stderr, flush=True)

    atexit.register(print_failure)


def reserve_failure_file(run_folder: str) -> None:
    """Leave word, when the trainer begins, that it has ended without one, and room for a better reason."""
    Path(run_folder).mkdir(parents=True, exist_ok=True)
    (Path(run_folder) / RESERVE_FILE).write_text(UNKNOWN_REASON.ljust(RESERVED_BYTES), encoding="utf-8")


def remove_reserved_failure_file(run_folder: str) -> None:
    """Take back, in the trainer, what was left for the case of a failure: there is none."""
    (Path(run_folder) / RESERVE_FILE).unlink(missing_ok=True)


def write_failure(run_folder: str, reason: str) -> None:
    """Leave the reason, in the trainer, in the room that was kept for it."""
    reserve = Path(run_folder) / RESERVE_FILE
    try:
        reserve.parent.mkdir(parents=True, exist_ok=True)
        reserve.touch()
        with reserve.open("r+b") as file:  # in place: on a full disk there is no other room
            file.write(reason.encode()[:RESERVED_BYTES])
            file.truncate()
        reserve.replace(reserve.with_name(FAILURE_FILE))
    except OSError as error:
        print(f"EDGE-GRPO: {FAILURE_FILE} could not be written: {error}", file=sys.stderr, flush=True)


@contextmanager
def writing_failure(run_folder: str) -> Iterator[None]:
    """Leave the line of an error inside that says what is wrong."""
    try:
        yield
    except Exception as error:
        write_failure(run_folder, reason_of(error))
        raise


def reason_of(error: BaseException) -> str:
    """Return the line of an error that says what is wrong: the first, as torch adds advice; the last of Ray's."""
    while isinstance(cause := getattr(error, "cause", None), BaseException):  # what was raised in another actor
        error = cause
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    if type(error).__module__.startswith("ray."):
        return lines[-1].removeprefix("RuntimeError: ").removeprefix("EDGE-GRPO: ")
    name = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
    return name + lines[0].removeprefix("EDGE-GRPO: ")


def end_process(run_folder: str, reason: str) -> None:
    """Leave and print the reason, and end this process at once; its main thread may be blocked for ever."""
    write_failure(run_folder, reason)
    print(f"EDGE-GRPO: {reason}", file=sys.stderr, flush=True)
    time.sleep(2.0)  # Ray forwards an actor's output to the driver by reading its log file
    os._exit(1)

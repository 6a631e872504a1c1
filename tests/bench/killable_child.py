"""A function in a child process that is killed, with all it started, when one call takes too long.

Graders are given texts made to keep them busy for ever, so each runs in a child. The child is this file run as a script
(`killable_child.py PIPE MODULE:FUNCTION`): it imports nothing of the parent's, calls the function in its main thread,
where math-verify's alarms work, and ends when its pipe is closed.
"""

import os
import pkgutil
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

FIRST_CALL_SECONDS = 300.0  # It imports the grader, and on a busy machine verl takes long.

# Some texts make a grader allocate without end. Its own processes may set a lower limit, or raise this one.
MEMORY_BYTES = 8 * 2**30


@dataclass(frozen=True)
class Outcome:
    """What became of one call: its value, or None and `failure`: `hung`, `died`, or the exception it raised."""

    value: Any
    seconds: float
    failure: str = ""


class KillableChild:
    """Calls `target`, a `module:function`, in a child process, which is replaced after it hung or died.

    `first_call` holds the arguments of a call that is made after every start, outside all limits and measurements, so
    that imports and whatever else the function sets up belong to no later call. Without it there is none.
    """

    def __init__(self, target: str, first_call: tuple[Any, ...] | None = None) -> None:
        self._target, self._first_call = target, first_call
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        self._stop()

    def call(self, *arguments: Any, kill_seconds: float) -> Outcome:
        """Call the function. `seconds` of the outcome is wall time from dispatch until the answer or the kill.

        Raises RuntimeError if a new child does not get through its first call.
        """
        if self._process is None:
            self._start()
        return self._ask(arguments, kill_seconds)

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-W", "ignore", __file__, str(theirs.fileno()), self._target]
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                process_group=0,  # So that a kill also reaches the processes that the function has started.
            )
        if self._first_call is not None:
            outcome = self._ask(self._first_call, FIRST_CALL_SECONDS)
            if outcome.failure:
                self._stop()
                raise RuntimeError(f"{self._target} fails in its first call, {self._first_call}: {outcome.failure}")

    def _ask(self, arguments: tuple[Any, ...], kill_seconds: float) -> Outcome:
        assert self._pipe is not None
        begin = time.perf_counter()
        try:
            self._pipe.send(arguments)
            if self._pipe.poll(kill_seconds):
                value, failure = self._pipe.recv()
                return Outcome(value, time.perf_counter() - begin, failure)
            failure = "hung"
        except (EOFError, OSError):
            failure = "died"
        self._stop()
        return Outcome(None, time.perf_counter() - begin, failure)

    def _stop(self) -> None:
        if self._process is not None and self._pipe is not None:
            with suppress(ProcessLookupError):  # The whole group is gone already.
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._pipe.close()
        self._process = self._pipe = None


def serve(pipe: Connection, target: str) -> None:
    """Answer each tuple of arguments with (value, failure) until the pipe is closed."""
    function = pkgutil.resolve_name(target)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # math-verify logs every text it fails on.
    while True:
        try:
            arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = function(*arguments), ""
        except BaseException as error:  # math-verify's TimeoutException is no Exception.
            answer = None, repr(error)[:500]
        pipe.send(answer)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    serve(Connection(int(sys.argv[1])), sys.argv[2])

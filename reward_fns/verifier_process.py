"""math-verify in one child process that can be killed.

A computer algebra system can be made to compute for ever by a short answer, and math-verify's own limits are signals,
which work in the main thread only; verl calls rewards in other threads. So comparisons run in a child with a deadline.
The child is started at the first need, serves one request at a time, is killed and replaced when it overruns, and
ends by itself when the parent's end of its pipe is closed, which happens however the parent ends.
"""

import json
import subprocess
import sys
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

_CHILD_SCRIPT = Path(__file__).with_name("verifier_child.py")

DEADLINE_SECONDS = 2.0  # From dispatch. An ordinary comparison takes milliseconds, the slowest honest ones below 1 s.
START_SECONDS = 120.0  # Importing sympy takes seconds, on a busy machine many; no request is waiting for an answer.


class VerifierProcess:
    """Compares answers in a child process; callable from any thread, one comparison at a time."""

    def __init__(self, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline_seconds = deadline_seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def compare(self, candidate: str, gold: str) -> tuple[bool, str]:
        """Return `(equal, status)`, blocking until the child has answered or has been killed.

        The status is `ok`, `parse_error` (math-verify made nothing of one of the answers), `timeout` (no answer within
        the deadline) or `crash` (the child died twice); unless it is `ok` the answers count as not equal. Raises
        RuntimeError if no child can be started, which is a fault of the installation and not of the text.
        """
        with self._lock:
            for _ in range(2):  # A child may be killed for its memory through no fault of this request: try again.
                try:
                    return self._ask(candidate, gold)
                except (EOFError, OSError):
                    self._stop()
            return False, "crash"

    def close(self) -> None:
        """End the child, if there is one; the next comparison starts another."""
        with self._lock:
            self._stop()

    def _ask(self, candidate: str, gold: str) -> tuple[bool, str]:
        if self._pipe is None:
            self._start()
        assert self._pipe is not None
        self._pipe.send_bytes(json.dumps([candidate, gold]).encode())
        if not self._pipe.poll(self._deadline_seconds):
            self._stop()
            return False, "timeout"
        equal, status = json.loads(self._pipe.recv_bytes())
        return equal, status

    def _start(self) -> None:
        ours, theirs = Pipe()
        with theirs:
            command = [sys.executable, str(_CHILD_SCRIPT), str(theirs.fileno())]
            # Standard error stays the parent's, so that a child that cannot start says why.
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        self._pipe = ours
        try:
            is_ready = ours.poll(START_SECONDS) and ours.recv_bytes() == b"ready"
        except EOFError:
            is_ready = False
        if not is_ready:
            self._stop()
            raise RuntimeError(f"the answer verifier {_CHILD_SCRIPT.name} did not start; is math-verify installed?")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

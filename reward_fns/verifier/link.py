"""The parent's side of one `child`: a link starts it, asks it, and tells its deaths apart.

A thread owns a link and asks one question at a time. What can come instead of an answer: word from a new worker, since
the child replaces a worker that died, or the end of the socket, if all of the child died; then another is started.
"""

import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

logger = logging.getLogger(__name__)

_CHILD_SCRIPT = Path(__file__).with_name("child.py")

START_SECONDS = 120.0  # Importing sympy takes a second, on a busy machine many; no deadline runs meanwhile.

# The child ends an overrun by itself. It is killed from here only if it is stopped or gets no processor for so long.
GRACE_SECONDS = 10.0

MAX_REQUEST_BYTES = 1 << 16  # Two fit into a socket's buffer; an answer that is worth comparing is far shorter.


class Verdict(NamedTuple):
    """Says if two answers are equal, and how the comparison ended; not equal unless the status is `ok`."""

    is_equal: bool
    status: str


class VerifierLink:
    """Compares answers in a child process, which the first comparison starts; for one thread."""

    def __init__(self, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._worker = 0

    def warm_up(self) -> None:
        """Start the child, if there is none; blocks until it is warm. Raises RuntimeError if none can be started."""
        self._ensure_child()

    def compare(self, candidate: str, gold: str) -> Verdict:
        """Return the child's verdict, or `timeout`, `limit` (texts too long to send) or `crash` (it died twice).

        Blocks for two deadlines at most, besides starting a child. Raises RuntimeError if no child can be started.
        """
        for _ in range(2):  # A worker may be killed through no fault of the text, for its memory say.
            connection = self._ensure_child()
            connection.settimeout(self._deadline_seconds + GRACE_SECONDS)
            try:
                verdict = self._ask(connection, candidate, gold)
            except TimeoutError:
                logger.warning("the answer verifier did not end an overrun, and is killed")
                self.stop()
                return Verdict(False, "timeout")
            except (EOFError, OSError):
                logger.warning("the answer verifier died, and is started again")
                self.stop()
            else:
                if verdict is not None:
                    return verdict
        logger.warning("the answer verifier died twice comparing %a with %a", candidate, gold)
        return Verdict(False, "crash")

    def stop(self) -> None:
        """End the child, if there is one; the next comparison starts another."""
        if self._process is not None:
            self._process.kill()  # This is the template; the kernel kills its worker with it.
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _ask(self, connection: socket.socket, candidate: str, gold: str) -> Verdict | None:
        """Return the verdict, or None if the worker died while it had the question."""
        while True:
            request = json.dumps([self._worker, candidate, gold]).encode()
            if len(request) > MAX_REQUEST_BYTES:
                return Verdict(False, "limit")
            connection.send(request)
            message = _receive(connection)
            if isinstance(message, list):
                return Verdict(*message)
            reason = self._note_worker(message)
            if reason == "timeout":
                return Verdict(False, "timeout")
            if reason != "replaced":  # A worker that had itself replaced has not read this question.
                return None

    def _ensure_child(self) -> socket.socket:
        """Return the connection to a living child, after catching up with what befell it since the last question."""
        if self._connection is not None:
            self._connection.settimeout(0)
            try:
                while True:
                    self._note_worker(_receive(self._connection))
            except BlockingIOError:
                return self._connection
            except (EOFError, OSError):
                logger.warning("the answer verifier died, and is started again")
                self.stop()
        try:
            return self._start()
        except RuntimeError as error:
            logger.warning("%s; trying once more", error)
            return self._start()

    def _start(self) -> socket.socket:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = [str(theirs.fileno()), str(os.getpid()), str(self._deadline_seconds)]
        with tempfile.TemporaryFile() as errors:
            try:
                with theirs:
                    # Without -P the files next to the script could be taken for modules of the standard library.
                    self._process = subprocess.Popen(
                        [sys.executable, "-P", str(_CHILD_SCRIPT), *arguments],
                        pass_fds=[theirs.fileno()],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=errors,
                    )
                self._connection.settimeout(START_SECONDS)
                self._note_worker(_receive(self._connection))
            except (EOFError, OSError) as error:
                self.stop()
                errors.seek(0)
                cause = errors.read().decode(errors="replace").strip()[-2000:] or error
                raise RuntimeError(f"the answer verifier {_CHILD_SCRIPT.name} did not start: {cause}") from error
        return self._connection

    def _note_worker(self, message: dict[str, Any]) -> str:
        """Note the number of a new worker, and return why its predecessor is gone."""
        self._worker = message["worker"]
        reason: str = message["reason"]
        if reason.startswith("exit code"):
            logger.warning("a worker of the answer verifier died with %s", reason)
        return reason


def _receive(connection: socket.socket) -> Any:
    message = connection.recv(MAX_REQUEST_BYTES)
    if not message:
        raise EOFError("the other end is closed")
    return json.loads(message)

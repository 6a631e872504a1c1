"""Ends a run whose vLLM server has died.

verl waits for ever then: the weight transfer for an acknowledgement, the replay buffer for groups that will never be
finished. The watchdog asks each server's `/health` from a thread of the trainer's process and ends that process, which
ends the driver with a non-zero exit code.
"""

import http.client
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

INTERVAL_SECONDS = 5.0
TIMEOUT_SECONDS = 60.0
"""A dead engine answers at once that it is dead, and a dead server refuses; only a busy one needs this long."""

FAILURES_BEFORE_END = 3
"""Consecutive failed answers of one server: one may be a server that is busy for longer than the time-out."""

# A proxy of the environment is for the outside world; it does not know the servers of this run.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_healthy(address: str, timeout: float = TIMEOUT_SECONDS) -> bool:
    """Whether the vLLM server at `host:port` answers that its engine is alive."""
    try:
        with _DIRECT.open(f"http://{address}/health", timeout=timeout) as answer:
            return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False


class VLLMWatchdog(threading.Thread):
    """Polls servers until one is dead, then calls `end_run` with a message."""

    def __init__(
        self,
        addresses: Iterable[str],
        end_run: Callable[[str], None] | None = None,
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        super().__init__(name="vllm-watchdog", daemon=True)
        self.num_failures = {address: 0 for address in addresses}
        self.end_run = end_run or end_process
        self.interval = interval

    def run(self) -> None:
        while True:
            time.sleep(self.interval)
            for address, num_failures in self.num_failures.items():
                self.num_failures[address] = 0 if is_healthy(address) else num_failures + 1
                if self.num_failures[address] >= FAILURES_BEFORE_END:
                    self.end_run(dead_server_message(address))
                    return


def dead_server_message(address: str) -> str:
    """What the user is told of a dead server."""
    return (
        f"the vLLM server at {address} is dead (its health checks fail); ending the run. Its last words are above, "
        "or in the Ray session's logs/worker-*.err"
    )


@contextmanager
def naming_dead_servers(addresses: Iterable[str]) -> Iterator[None]:
    """Say of an error inside that a server is dead, where one is.

    verl may notice first, and then complains of what follows from it: groups that lost all their responses.
    """
    try:
        yield
    except Exception as error:
        dead = [address for address in addresses if not is_healthy(address)]
        if dead:
            raise RuntimeError(f"EDGE-GRPO: {dead_server_message(dead[0])}") from error
        raise


def end_process(message: str) -> None:
    """Print the message and end this process at once; the main thread may be blocked where nothing interrupts it."""
    print(f"EDGE-GRPO: {message}", file=sys.stderr, flush=True)
    time.sleep(2.0)  # Ray forwards an actor's output to the driver by reading its log file
    os._exit(1)

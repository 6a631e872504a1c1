"""Ends a run that cannot go on, where verl would wait for ever.

verl waits without a limit: the replay buffer for groups that will never be finished, the weight transfer for an
acknowledgement. A watchdog looks for one kind of fault from a thread of the trainer's process, and ends that process,
which ends the driver with a non-zero exit code. What it looks for is in dead_servers.py, dead_actors.py and stall.py.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

FindFault = Callable[[], str | None]
"""Returns what is wrong with the run, None for nothing."""

SECONDS_FOR_NEWS = 2.0
"""An error caused by a death can be raised before Ray has the death on record."""


class Watchdog(threading.Thread):
    """Calls `find_fault` at an interval until it finds one, then `end_run` with what it found."""

    def __init__(self, find_fault: FindFault, end_run: Callable[[str], None], interval: float) -> None:
        # A daemon: it does not keep a finished run alive.
        super().__init__(name="edge-grpo-watchdog", daemon=True)
        self.find_fault = find_fault
        self.end_run = end_run
        self.interval = interval
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(self.interval):
            fault = _look_for(self.find_fault)
            # The run may have come to its end meanwhile, where servers and actors go too.
            if fault is not None and not self._is_over.is_set():
                self.end_run(fault)
                return

    def stop(self) -> None:
        """Look no more."""
        self._is_over.set()


@contextmanager
def explain_error_by_fault(finders: Iterable[FindFault]) -> Iterator[None]:
    """Say of an error inside what it comes from, where one of these finds a fault.

    verl may notice first, and then complains of what follows from it: groups that lost all their responses.
    """
    finders = list(finders)
    try:
        yield
    except Exception as error:
        fault = _first_fault(finders)
        if fault is None:
            time.sleep(SECONDS_FOR_NEWS)
            fault = _first_fault(finders)
        if fault is None:
            raise
        raise RuntimeError(f"EDGE-GRPO: {fault}") from error


def _first_fault(finders: Iterable[FindFault]) -> str | None:
    return next((fault for find in finders if (fault := _look_for(find)) is not None), None)


def _look_for(find: FindFault) -> str | None:
    try:
        return find()
    except Exception:
        # A boundary on purpose: Ray's table may not answer for a moment, and looking must not end what it looks after.
        logger.warning("a watchdog could not look; it tries again", exc_info=True)
        return None

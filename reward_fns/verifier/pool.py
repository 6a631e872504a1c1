"""A pool runs math-verify in child processes that can be killed, for any thread and for asyncio.

A computer algebra system can be made to compute for ever by a short answer, and math-verify's own limits are signals,
which work in the main thread only; verl calls rewards in other threads. So comparisons run in children: each thread of
a pool owns one (`link`), which ends an overrun and replaces what died (`child`).

Why no library does this: `concurrent.futures.ProcessPoolExecutor` cannot kill an overrun, and one dead child breaks it
for good; loky recovers from that, but has no deadline for a single task either; pebble has one, but its children share
a lock, and a child that is killed while it holds the lock blocks the others for ever (noxdafox/pebble#163). And a child
of any of them that is not forked imports the parent's main module, which in a training run means verl and torch, while
forking a process that has threads, as every Ray worker has, is unsafe.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from reward_fns.verifier.link import Verdict, VerifierLink

CHILDREN_VARIABLE = "REWARD_FNS_VERIFIER_CHILDREN"
DEADLINE_VARIABLE = "REWARD_FNS_VERIFIER_DEADLINE_SECONDS"
MAX_SETTING = 3600

# Of each process: verl runs eight reward workers unless told otherwise.
DEFAULT_CHILDREN = 2

# An ordinary comparison takes milliseconds, the slowest honest ones stay below 1 s.
DEFAULT_DEADLINE_SECONDS = 2.0


class _Request(NamedTuple):
    candidate: str
    gold: str
    verdict: Future[Verdict]


class WorkerPool:
    """Compares answers in up to `num_children` child processes, each started when all others are busy.

    A comparison is killed `deadline_seconds` after a child took it up. Where an argument is None, the environment's
    `REWARD_FNS_VERIFIER_CHILDREN` (2) or `REWARD_FNS_VERIFIER_DEADLINE_SECONDS` (2.0) counts; ValueError for a bad
    value. A pool belongs to the process that made it, and its children end with that process.
    """

    def __init__(self, num_children: int | None = None, deadline_seconds: float | None = None) -> None:
        self._num_children = int(_read_setting(num_children, CHILDREN_VARIABLE, DEFAULT_CHILDREN))
        self._deadline_seconds = _read_setting(deadline_seconds, DEADLINE_VARIABLE, DEFAULT_DEADLINE_SECONDS)
        self._lock = threading.Lock()
        self._is_closed = False
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle_threads = threading.Semaphore(0)

    def start(self) -> None:
        """Start all children in the background, so that no comparison has to wait until one is warm."""
        with self._lock:
            while not self._is_closed and len(self._threads) < self._num_children:
                self._add_thread(self._warm_up_and_serve)

    def compare(self, candidate: str, gold: str) -> Verdict:
        """Return the verdict on two LaTeX answers; blocks, and may be called from any thread.

        The status is `ok`, `parse_error` (math-verify made nothing of one of them), `timeout` (no answer within the
        deadline), `limit` (too long, or the comparison needed too much memory) or `crash` (the child died twice).
        Raises RuntimeError if no child can be started, which is a fault of the installation and not of the text, or
        if the pool is closed.
        """
        return self.submit(candidate, gold).result()

    def submit(self, candidate: str, gold: str) -> Future[Verdict]:
        """Return the future of what `compare` returns or raises; `asyncio.wrap_future` makes it awaitable."""
        request = _Request(candidate, gold, Future())
        with self._lock:
            if self._is_closed:
                raise RuntimeError("this pool of answer verifiers is closed")
            self._requests.put(request)
            if not self._idle_threads.acquire(blocking=False) and len(self._threads) < self._num_children:
                self._add_thread(self._serve)
        return request.verdict

    def close(self) -> None:
        """Cancel the comparisons that have not begun, wait for the others, and end the children."""
        with self._lock:
            self._is_closed = True
            with contextlib.suppress(queue.Empty):
                while True:
                    request = self._requests.get_nowait()
                    if request is not None:
                        request.verdict.cancel()
            for _ in self._threads:
                self._requests.put(None)
        for thread in self._threads:
            thread.join()

    def _add_thread(self, target: Callable[[VerifierLink], None]) -> None:
        # A daemon, unlike the threads of an executor: an interpreter that exits does not work off the queue.
        arguments = (VerifierLink(self._deadline_seconds),)
        self._threads.append(threading.Thread(target=target, args=arguments, name="answer-verifier", daemon=True))
        self._threads[-1].start()

    def _warm_up_and_serve(self, link: VerifierLink) -> None:
        with contextlib.suppress(RuntimeError):  # The first comparison tries again, and its caller is told.
            link.warm_up()
        self._idle_threads.release()
        self._serve(link)

    def _serve(self, link: VerifierLink) -> None:
        """Be the thread of one child, for as long as the pool is open: the kernel ends a child with its thread."""
        while (request := self._requests.get()) is not None:
            outcome: Verdict | Exception | None = None
            if request.verdict.set_running_or_notify_cancel():
                try:
                    outcome = link.compare(request.candidate, request.gold)
                except Exception as error:
                    outcome = error
            # Before the result is known, since whoever gets it may ask again and needs no other child.
            self._idle_threads.release()
            if isinstance(outcome, Verdict):
                request.verdict.set_result(outcome)
            elif outcome is not None:
                request.verdict.set_exception(outcome)
        link.stop()


_shared_pool: WorkerPool | None = None
_shared_pool_lock = threading.Lock()


def get_shared_pool() -> WorkerPool:
    """Return the one pool of this process, which the first call makes; a forked process makes its own."""
    global _shared_pool
    with _shared_pool_lock:
        if _shared_pool is None:
            _shared_pool = WorkerPool()
        return _shared_pool


def close_shared_pool() -> None:
    """Close the pool of this process, if there is one; the next `get_shared_pool` makes another."""
    global _shared_pool
    with _shared_pool_lock:
        pool, _shared_pool = _shared_pool, None
    if pool is not None:
        pool.close()


def _read_setting(argument: float | None, variable: str, default: float) -> float:
    """Return the argument, else the environment's value, else the default, as a number of the default's type."""
    value = os.environ.get(variable, default) if argument is None else argument
    kind, description = (int, "a whole number") if isinstance(default, int) else (float, "a number")
    try:
        number = kind(value)
    except ValueError:
        number = 0
    if not 0 < number <= MAX_SETTING:
        raise ValueError(f"{variable} must be {description} above 0 and at most {MAX_SETTING}, got {value!r}")
    return number


def _forget_shared_pool() -> None:
    """Begin anew. In a forked process the pool's threads do not exist, and one of them may have held the lock."""
    global _shared_pool, _shared_pool_lock
    _shared_pool = None
    _shared_pool_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_shared_pool)

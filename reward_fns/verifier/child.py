"""The child process of `link` is a template that imports math-verify once, and forks workers that compare.

Run as a script, so that nothing of the parent is imported. Importing math-verify takes about a second, forking a
process that has it a few milliseconds; so what the parent starts is a template, which does nothing but fork a worker
and wait for its end, and a worker that was ended costs next to nothing. Forking is safe here, as it would not be in
the parent: the template has one thread and nothing imported but math-verify and the standard library.

The kernel enforces the limits of a comparison, since Python cannot interrupt one long operation on big integers: a
timer ends the worker at the deadline, in the midst of whatever it does. The worker stops the timer before it answers,
so that there is either an answer or a death and never both. Only LaTeX is parsed, by a grammar: math-verify's reader
of plain expressions calls Python's `eval`.

Messages are JSON, on a socket that keeps them apart. Each worker says first `{"worker": number, "reason": why}`, where
the reason is how its predecessor ended; then it answers each request, `[number, candidate, gold]`, with
`[is_equal, status]`. A request that a dead worker left unread bears its number and is dropped by the next one.
"""

import ctypes
import gc
import itertools
import json
import logging
import os
import resource
import signal
import socket
import sys
from typing import NoReturn

from math_verify import LatexExtractionConfig, parse, verify

MAX_MESSAGE_BYTES = 1 << 20  # Far above what the parent sends: a longer message would be cut without notice.

# An ordinary comparison runs in 70 MB; a power with a long exponent takes all that it gets.
MAX_ADDRESS_SPACE = 1_000_000_000

# A worker is replaced after a comparison that needed this much, and after so many: sympy's caches only grow.
MAX_PEAK_KIBIBYTES = 400_000
MAX_COMPARISONS = 2000

# Between them they import and fill most of what sympy and the parser leave for the first use, up to 0.3 s of work that
# a worker would otherwise have to repeat after each death. The first must hold for math-verify to be in order.
_WARM_UP = (
    ("x+1", "1+x"),
    (r"\frac{1-2i\sqrt{3}}{2.5}", r"i\sqrt{\pi}"),
    (r"1<x\le 2", r"x=1,y=2"),
    (r"\mathbb{R}\setminus\{1\}", r"(-\infty,1)\cup(1,\infty)"),
    (r"\begin{pmatrix}1&x\\2&3\end{pmatrix}", r"\begin{bmatrix}1&y\\2&3\end{bmatrix}"),
    (r"\sum_{k=1}^{n} k+\sin^2 x+\log_2 y", r"\frac{n^2+n}{2}+1-\cos^2 x+\frac{\ln y}{\ln 2}"),
)

_PR_SET_PDEATHSIG = 1  # From <linux/prctl.h>.
_EXIT_REPLACE_ME = 3


def compare(candidate: str, gold: str) -> tuple[bool, str]:
    """Return True if math-verify holds the two equal, and `ok`, or `parse_error` if one of them has no meaning.

    Has no limits of its own: math-verify's alarms would turn a comparison that took too long into `False, ok`.
    Example: `compare("x+1", "1+x") == (True, "ok")`
    """
    parsed_gold, parsed_candidate = (
        parse(
            f"\\boxed{{{answer}}}",
            extraction_config=[LatexExtractionConfig(boxed_match_priority=0)],
            fallback_mode="no_fallback",
            extraction_mode="first_match",
            parsing_timeout=None,
        )
        for answer in (gold, candidate)
    )
    if not parsed_gold or not parsed_candidate:
        return False, "parse_error"
    return bool(verify(parsed_gold, parsed_candidate, timeout_seconds=None)), "ok"


def main(descriptor: int, parent_process: int, deadline_seconds: float) -> None:
    """Be the template: warm up, then keep one worker alive until the parent closes its end of the socket."""
    _die_with(parent_process)
    _reset_signals()
    logging.disable()  # math-verify logs the text of every failure.
    if [compare(*pair) for pair in _WARM_UP][0] != (True, "ok"):
        sys.exit("math-verify does not recognise that x+1 equals 1+x")
    gc.collect()
    gc.freeze()  # What is never collected is never written to and stays shared with the workers.
    connection = socket.socket(fileno=descriptor)
    template = os.getpid()
    reason = "started"
    for number in itertools.count():
        worker = os.fork()
        if worker == 0:
            _die_with(template)
            _serve(connection, number, reason, deadline_seconds)
        exit_code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        reason = {_EXIT_REPLACE_ME: "replaced", -signal.SIGALRM: "timeout"}.get(exit_code, f"exit code {exit_code}")
        if exit_code >= 0 and exit_code != _EXIT_REPLACE_ME:
            sys.exit(exit_code)  # The parent is gone, or the worker failed in a way in which the next one would, too.


def _serve(connection: socket.socket, number: int, reason: str, deadline_seconds: float) -> NoReturn:
    """Be a worker: answer requests until the parent is gone or the memory needs a fresh start."""
    _limit_address_space()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # Up to here the parent reads it.
    connection.send(json.dumps({"worker": number, "reason": reason}).encode())
    num_comparisons = 0
    while message := connection.recv(MAX_MESSAGE_BYTES):
        addressee, candidate, gold = json.loads(message)
        if addressee != number:
            continue
        signal.setitimer(signal.ITIMER_REAL, deadline_seconds)
        is_equal, status = _compare_untrusted(candidate, gold)
        signal.setitimer(signal.ITIMER_REAL, 0)
        num_comparisons += 1
        has_used_much = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MAX_PEAK_KIBIBYTES
        if has_used_much and not is_equal:
            status = "limit"  # math-verify takes most of its MemoryErrors for inequality.
        connection.send(json.dumps([is_equal, status]).encode())
        if status == "limit" or has_used_much or num_comparisons == MAX_COMPARISONS:
            os._exit(_EXIT_REPLACE_ME)
    os._exit(0)


def _compare_untrusted(candidate: str, gold: str) -> tuple[bool, str]:
    try:
        return compare(candidate, gold)
    except MemoryError:
        return False, "limit"
    except Exception:
        return False, "parse_error"


def _die_with(parent_process: int) -> None:
    """Have the kernel kill this process when the thread that created it ends, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_process:  # It ended before the kernel was asked.
        os._exit(0)


def _reset_signals() -> None:
    """Undo what is inherited from the parent: a thread's blocked signals and a process's ignored ones."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, with which this process ends.


def _limit_address_space() -> None:
    _, hard_limit = resource.getrlimit(resource.RLIMIT_AS)
    limit = MAX_ADDRESS_SPACE if hard_limit == resource.RLIM_INFINITY else min(MAX_ADDRESS_SPACE, hard_limit)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))

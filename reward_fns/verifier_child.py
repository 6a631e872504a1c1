"""The child's side of `verifier_process`: answers one comparison after another until its pipe is closed.

Run as a script, with the file descriptor of its end of the pipe as the only argument, so that nothing of the parent
is imported: a child of multiprocessing would import the parent's main module, which in a training run means verl and
torch. Only LaTeX is parsed, by a grammar: math-verify's reader of plain expressions calls Python's `eval`.
"""

import json
import os
import signal
import sys
from multiprocessing.connection import Connection

from math_verify import LatexExtractionConfig, parse, verify

# The last line of defence, should the parent be gone while a computation runs: the kernel ends this process after so
# many seconds of its own processor time, even inside one long operation on big integers.
_MAX_PROCESSOR_SECONDS = 10.0

# math-verify's own alarms; the parent's deadline comes first except for a parent that is not there.
_ALARM_SECONDS = 3


def compare(candidate: str, gold: str) -> tuple[bool, str]:
    """Return whether math-verify holds the two equal, and `ok`, or `parse_error` if one of them has no meaning."""
    parsed_gold, parsed_candidate = (
        parse(
            f"\\boxed{{{answer}}}",
            extraction_config=[LatexExtractionConfig(boxed_match_priority=0)],
            fallback_mode="no_fallback",
            extraction_mode="first_match",
            parsing_timeout=_ALARM_SECONDS,
        )
        for answer in (gold, candidate)
    )
    if not parsed_gold or not parsed_candidate:
        return False, "parse_error"
    return bool(verify(parsed_gold, parsed_candidate, timeout_seconds=_ALARM_SECONDS)), "ok"


def serve(pipe: Connection) -> None:
    """Say `ready`, then answer each request, a JSON pair (candidate, gold), with a JSON pair (verdict, status)."""
    pipe.send_bytes(b"ready")
    while True:
        try:
            candidate, gold = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, _MAX_PROCESSOR_SECONDS)
        try:
            answer = compare(candidate, gold)
        except BaseException:  # The boundary to untrusted text; math-verify's TimeoutException is no Exception.
            answer = (False, "parse_error")
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send_bytes(json.dumps(answer).encode())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process by its pipe.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - math-verify logs the text of every failure.
    serve(Connection(int(sys.argv[1])))

"""`python -m recipe.edge_grpo.slurm.process_tree COMMAND…`: a command that leaves no process behind.

Ray and vLLM start processes that outlive a parent which is killed. This process adopts such orphans (Linux: "child
subreaper"), so that they stay its descendants. When the command ends, when SIGTERM, SIGINT or SIGUSR2 arrives, or when
the parent of this process dies, it asks all descendants to end, and kills those that have not after `PATIENCE_SECONDS`.

The exit code is the command's; 128 + n if it, or this process, was ended by signal n. The death of the parent counts
as SIGHUP.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE_SECONDS = 8.0
"""Below Slurm's KillWait, 30 s by default, after which Slurm kills this process as well."""

TREE_POLL_SECONDS = 0.2

END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)

_PR_SET_CHILD_SUBREAPER = 36


class Ended(Exception):
    """A signal asked this process to end; the argument is its number."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; returns its exit code."""
    command = sys.argv[1:] if arguments is None else list(arguments)
    if not command:
        print("process_tree: no command", file=sys.stderr)
        return 2
    return run(command)


def run(command: Sequence[str]) -> int:
    """Run the command to its end, then end what it left behind; returns its exit code."""
    adopt_orphans()
    parent = os.getppid()
    for number in END_SIGNALS:
        signal.signal(number, _raise_ended)
    try:
        # Not through subprocess, whose bookkeeping would compete with ours for the exit code.
        child = os.posix_spawnp(command[0], list(command), os.environ)
        exit_code = _wait(child, parent)
    except Ended as ended:
        exit_code = 128 + ended.args[0]
    except OSError as error:
        print(f"process_tree: {command[0]}: {error.strerror}", file=sys.stderr)
        exit_code = 127
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    end_descendants()
    return exit_code


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, instead of process 1."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def end_descendants(patience: float = PATIENCE_SECONDS) -> None:
    """Send SIGTERM to every descendant, and SIGKILL to those that are left after `patience` seconds."""
    for process in descendants(os.getpid()):
        _send(process, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while _reap_all() and time.monotonic() < deadline:
        time.sleep(TREE_POLL_SECONDS)
    while _reap_all():  # killing a parent can hand over children that were not seen before
        for process in descendants(os.getpid()):
            _send(process, signal.SIGKILL)
        time.sleep(TREE_POLL_SECONDS / 4)


def descendants(ancestor: int) -> list[int]:
    """Return the process ids of all children of a process, their children and so on, parents first."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # pid (name) state ppid …; the name may contain anything, a closing parenthesis too.
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, unseen = [], [ancestor]
    while unseen:
        below = children.get(unseen.pop(), [])
        found += below
        unseen += below
    return found


def _wait(child: int, parent: int) -> int:
    """Return the exit code of the child; raises `Ended` when the parent is gone."""
    while True:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if process == 0:
            if os.getppid() != parent:
                raise Ended(int(signal.SIGHUP))
            time.sleep(TREE_POLL_SECONDS)


def _reap_all() -> bool:
    """Collect children that have ended; returns True if any are left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(process, number)


def _raise_ended(number: int, _: object) -> None:
    raise Ended(number)


if __name__ == "__main__":
    sys.exit(main())

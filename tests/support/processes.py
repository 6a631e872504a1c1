"""Looking at processes: which there are, what they call themselves, where they listen, and until they have done it."""

import contextlib
import time
from collections.abc import Callable, Iterable

import psutil


def wait_until(condition: Callable[[], object], seconds: float) -> None:
    """Return as soon as the condition holds; fails if it does not in so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children_of(process: int) -> list[psutil.Process]:
    """All processes below one, at any depth."""
    return psutil.Process(process).children(recursive=True)


def title_of(process: psutil.Process | None) -> str:
    """The command line, or the title that the process gave itself; "" if it has ended."""
    try:
        return "" if process is None else " ".join(process.cmdline())
    except psutil.Error:
        return ""


def has_title(process: psutil.Process, title: str) -> bool:
    """Whether the command line, or the title that the process gave itself, begins so."""
    return title_of(process).startswith(title)


def listening_hosts(processes: Iterable[int]) -> list[tuple[str, str]]:
    """(name of the process, host) of each port on which one of the processes listens; one that has ended has none."""
    found = []
    for number in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(number)
            connections = process.net_connections(kind="inet")
            hosts = [each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN]
            # An IPv4 address of a socket for both kinds is written as one of IPv6.
            found += [(process.name(), host.removeprefix("::ffff:")) for host in hosts]
    return found

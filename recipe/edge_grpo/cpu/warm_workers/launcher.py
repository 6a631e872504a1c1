"""What Ray and vLLM start in the place of Python: it has the template fork, and lives as long as the fork does.

    python -I -S launcher.py FOLDER PYTHON_ARGUMENT…

The first one starts the template. Where none answers, or the process needs another environment, it becomes Python
itself. It runs once for each process of a run, so it imports little.
"""

import json
import os
import socket
import sys
import time

PYTHON, SOCKET, STARTED = "python", "socket", "started"
"""In the folder: what is started in the place of Python, the template's address, and a file that is there once somebody
has started it."""

TEMPLATE = "recipe.edge_grpo.cpu.warm_workers.template"

LENGTH_BYTES = 4
"""Of the length of a request, which goes before it."""

FORKED = b"+"
"""The template's answer if it forks; the exit code follows, in decimal digits, when the fork has ended."""

SECONDS_TO_LISTEN, SECONDS_TO_FORK = 10, 25
"""How long the template may take, from its start and from the request; after 60 seconds Ray gives a worker up."""


def main() -> None:
    """Run the command; does not return."""
    folder, *arguments = sys.argv[1:]
    exit_code = run_in_fork(folder, arguments)
    if exit_code is None:
        os.execv(sys.executable, [sys.executable, *arguments])
    sys.exit(exit_code)


def run_in_fork(folder: str, arguments: list[str]) -> int | None:
    """Return the exit code of a fork that has run Python with these arguments; None if the template forks none."""
    descriptors = open_descriptors()
    process = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}
    message = json.dumps({**process, "descriptors": descriptors}).encode()
    start_template(folder)
    try:
        connection = connect(folder)
    except OSError:
        return None
    with connection:
        try:
            socket.send_fds(connection, [len(message).to_bytes(LENGTH_BYTES, "big")], descriptors)
            connection.sendall(message)
            connection.settimeout(SECONDS_TO_FORK)
            if connection.recv(1) != FORKED:
                return None
        except OSError:
            return None
        return exit_code_of_fork(connection)


def exit_code_of_fork(connection: socket.socket) -> int:
    """Wait for it; 1 if the template has ended before its fork. No OSError: there is a fork, so no second start."""
    connection.settimeout(None)
    try:
        digits = b"".join(iter(lambda: connection.recv(LENGTH_BYTES), b""))
    except OSError:
        digits = b""
    return int(digits or b"1")


def start_template(folder: str) -> None:
    """Start the template with the environment of this process, unless somebody has."""
    try:
        os.close(os.open(os.path.join(folder, STARTED), os.O_CREAT | os.O_EXCL))
    except OSError:
        return
    import subprocess

    subprocess.Popen([sys.executable, "-m", TEMPLATE, folder], stdin=subprocess.DEVNULL, start_new_session=True)


def connect(folder: str) -> socket.socket:
    """Return a connection to the template; raises OSError if it does not listen, or not in time."""
    end = os.stat(os.path.join(folder, STARTED)).st_mtime + SECONDS_TO_LISTEN
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(os.path.join(folder, SOCKET))
            return connection
        except OSError:
            connection.close()
            if time.time() > end:
                raise
            time.sleep(0.02)


def open_descriptors() -> list[int]:
    """Return the numbers of the open files of this process."""
    numbers = []
    for name in os.listdir("/proc/self/fd"):  # one of them is the listing itself, which is closed by now
        try:
            os.fstat(int(name))
        except OSError:
            continue
        numbers.append(int(name))
    return numbers


if __name__ == "__main__":
    main()

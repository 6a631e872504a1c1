"""A process that has imported what the processes of a run import, and forks for each that is wanted.

    python -m recipe.edge_grpo.cpu.warm_workers.template FOLDER

`launcher.py` starts it and asks it, on a socket in the folder; it ends with the raylet. It has one thread of Python,
and the environment of the run's processes, so that what is read at import is what they would have read; Ray itself
reads there to which raylet and job a worker belongs.
"""

import contextlib
import gc
import importlib
import multiprocessing
import os
import select
import selectors
import shutil
import signal
import socket
import sys
from pathlib import Path

from recipe.edge_grpo.cpu.warm_workers.launcher import FORKED, PYTHON, SOCKET
from recipe.edge_grpo.cpu.warm_workers.ray_identifiers import classes_of_actors_drawn_by_python, forks_draw_the_same
from recipe.edge_grpo.cpu.warm_workers.request import Request

MODULES = (
    "verl.trainer.main_ppo",
    "recipe.edge_grpo.training_step.trainer",
    "recipe.edge_grpo.correction.rollout",
    "verl.experimental.reward_loop.reward_loop",
    "verl.workers.engine_workers",
    "verl.workers.rollout.vllm_rollout.vllm_async_server",
    "vllm.v1.engine.core",
)
"""With what they import; a process that needs only some of them costs no more for the others."""

RAYLET = "RAY_RAYLET_PID"
"""Ray's variable with the process that has started this one."""

SECONDS_TO_ASK = 5
"""After so long a launcher that has connected is not waited for."""


class Template:
    """Answers launchers: one fork for each that asks, and its exit code when it has ended."""

    def __init__(self, listener: socket.socket, raylet: int) -> None:
        self.listener, self.raylet, self.environment = listener, raylet, dict(os.environ)
        self.forks: dict[int, tuple[int, socket.socket]] = {}
        """{pidfd of a fork: its process, its launcher}."""
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(self.raylet, selectors.EVENT_READ)

    def serve(self) -> Request | None:
        """Answer until the end; returns None then, and in each fork the request for it."""
        while True:
            # One event at a time: what it closes gives its number to what is opened, which the next may be about.
            for key, _ in self.selector.select()[:1]:
                if key.fd == self.raylet:
                    return None
                if key.fileobj is self.listener:
                    if (request := self._answer(self.listener.accept()[0])) is not None:
                        return request
                elif key.fd in self.forks:
                    self._tell_end(key.fd)
                else:  # the launcher has ended, so its fork shall
                    self.selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGTERM)

    def _answer(self, connection: socket.socket) -> Request | None:
        try:
            connection.settimeout(SECONDS_TO_ASK)
            request = Request.receive(connection)
        except (OSError, ValueError, LookupError, TypeError):
            connection.close()
            return None
        # A launcher that has waited too long is Python itself by now. It says no more, so what can be read is the end.
        has_left = bool(select.select([connection], [], [], 0)[0])
        if has_left or not request.fits(self.environment, os.environ):
            connection.close()
        elif (process := os.fork()) == 0:
            connection.close()
            self._close()
            return request
        else:
            with contextlib.suppress(OSError):  # of a launcher that has ended; it is found below
                connection.sendall(FORKED)
            pidfd = os.pidfd_open(process)
            self.forks[pidfd] = process, connection
            self.selector.register(pidfd, selectors.EVENT_READ)
            self.selector.register(connection, selectors.EVENT_READ, data=process)
        for number in request.descriptors.values():
            os.close(number)
        return None

    def _tell_end(self, pidfd: int) -> None:
        process, connection = self.forks.pop(pidfd)
        exit_code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        with contextlib.suppress(KeyError):  # not there if the launcher has ended before
            self.selector.unregister(connection)
        with contextlib.suppress(OSError):
            connection.sendall(str(exit_code % 256).encode())
        connection.close()
        self.selector.unregister(pidfd)
        os.close(pidfd)

    def _close(self) -> None:
        """Close, in a fork, what is not its own."""
        self.selector.close()
        self.listener.close()
        os.close(self.raylet)
        for pidfd, (_, connection) in self.forks.items():
            os.close(pidfd)
            connection.close()


def main() -> None:
    """Run the command."""
    folder = Path(sys.argv[1])
    multiprocessing.set_executable(str(folder / PYTHON))  # for vLLM's engine, a process of its server
    try:
        raylet = os.pidfd_open(int(os.environ[RAYLET]))
    except ProcessLookupError:  # it has ended before this process could watch it
        shutil.rmtree(folder, ignore_errors=True)
        return
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / SOCKET))
        listener.listen()
        template = Template(listener, raylet)
        with classes_of_actors_drawn_by_python():
            for module in MODULES:
                importlib.import_module(module)
        if forks_draw_the_same():
            raise RuntimeError("an import has drawn an identifier of Ray, so each process imports for itself")
        gc.collect()
        gc.freeze()  # forks share the memory of what the collector does not touch
        request = template.serve()
    if request is not None:
        request.take_place(template.environment)
        request.run()
    else:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

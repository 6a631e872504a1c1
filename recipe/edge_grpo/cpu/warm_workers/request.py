"""What a launcher asks of the template, whether a fork serves, and how the fork becomes the process that is wanted."""

import fcntl
import importlib
import json
import os
import re
import runpy
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import setproctitle

from recipe.edge_grpo.cpu.warm_workers.launcher import LENGTH_BYTES

SET_BY_VERL_FOR_ONE_PROCESS = (
    *("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK", "LOCAL_WORLD_SIZE", "LOCAL_RANK", "RAY_LOCAL_WORLD_SIZE"),
    *("WG_PREFIX", "WG_BACKEND", "NCCL_CUMEM_ENABLE", "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"),
    *("REDIS_STORE_SERVER_HOST", "VERL_REPLICA_RANK", "VERL_RAY_JOB_ID"),
)
SET_BY_RAY_FOR_ONE_PROCESS = ("CUDA_VISIBLE_DEVICES", "PYTHONBREAKPOINT", "RAY_ADDRESS")
SET_BY_VLLM_FOR_ITS_ENGINE = (
    *("LD_PRELOAD", "NUMEXPR_MAX_THREADS", "TORCHINDUCTOR_COMPILE_THREADS", "TORCHINDUCTOR_CPP_DYNAMIC_THREADS"),
    *("VLLM_DISABLE_SHARED_EXPERTS_STREAM", "VLLM_SSM_CONV_STATE_LAYOUT", "VLLM_WORKER_MULTIPROC_METHOD"),
)
SET_BY_SHELL = ("OLDPWD", "PWD", "SHLVL", "_")
NAMES_OF_ONE_PROCESS = frozenset(
    SET_BY_VERL_FOR_ONE_PROCESS + SET_BY_RAY_FOR_ONE_PROCESS + SET_BY_VLLM_FOR_ITS_ENGINE + SET_BY_SHELL
)
"""Variables that may differ from the template's: nothing reads them at import, or what does has no effect here, as what
vLLM sets for compiled code and for threads that are bound to cores."""

OF_MULTIPROCESSING = re.compile(r"from (multiprocessing\.\w+) import (\w+); ?\2\(((?:\w+=)?\d+(?:, (?:\w+=)?\d+)*)\)")
"""The code with which multiprocessing starts Python: a call of a function of its own with numbers of open files."""

FREE_DESCRIPTOR = 500
"""The numbers from here on are not asked for."""

MOST_DESCRIPTORS = 64
"""That a process can be given."""


@dataclass(frozen=True)
class Request:
    """A process that is wanted: Python's arguments, its environment and folder, and its open files."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    descriptors: Mapping[int, int]
    """{number: number that the file has in this process}."""

    @classmethod
    def receive(cls, connection: socket.socket) -> "Request":
        """Read what a launcher sends; raises OSError, ValueError, LookupError or TypeError if that is no request."""
        length, files, _, _ = socket.recv_fds(connection, LENGTH_BYTES, MOST_DESCRIPTORS)
        with connection.makefile("rb") as stream:
            fields = json.loads(stream.read(int.from_bytes(length, "big")))
        numbers = fields.pop("descriptors")
        return cls(**fields, descriptors=dict(zip(numbers, files, strict=True)))

    @property
    def command(self) -> list[str]:
        """The arguments behind the options of Python, where those are the options of this process."""
        options = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # multiprocessing uses it too
        has_options = self.arguments[: len(options)] == options
        return list(self.arguments[len(options) :] if has_options else self.arguments)

    def fits(self, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
        """Return whether a fork of a process serves whose environment was and is this: before its imports, and now.

        A variable may be as it was, or as the imports have made it; a process that vLLM starts from a worker has
        imported the same. The command is a file with its arguments, or one by which multiprocessing begins.

        >>> request = Request(["a/file.py"], {"RANK": "1", "OMP_NUM_THREADS": "1"}, "/", {})
        >>> request.fits({"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "1", "SET": "by an import"})
        True
        >>> request.fits({"OMP_NUM_THREADS": "2"}, {"OMP_NUM_THREADS": "2"}), request.fits({}, {})
        (False, False)
        """
        match self.command:
            case ["-c", code, *_] if OF_MULTIPROCESSING.fullmatch(code):
                pass
            case [file, *_] if not file.startswith("-"):
                pass
            case _:
                return False
        names = (self.environment.keys() | before.keys()) - NAMES_OF_ONE_PROCESS
        return all(self.environment.get(name) in (before.get(name), now.get(name)) for name in names)

    def take_place(self, before: Mapping[str, str]) -> None:
        """Make this process the one that is wanted, but for what it runs; `before` was its environment at first."""
        os.setpgid(0, 0)  # who ends the group of a worker shall not end the others
        _place(self.descriptors)
        os.chdir(self.folder)
        if self.command[0] == "-c":
            # What gives vLLM's engine its title looks for its place now; from the environment below it would not find
            # it. Ray's workers have Ray's own, which has found it at import, and loses it if this one looks too.
            setproctitle.getproctitle()
        set_by_imports = {name: value for name, value in os.environ.items() if value != before.get(name)}
        os.environ.clear()
        os.environ.update({**self.environment, **set_by_imports})
        _draw_anew()

    def run(self) -> None:
        """Run what Python would run with the arguments."""
        first, *rest = self.command
        if found := OF_MULTIPROCESSING.fullmatch(rest[0] if first == "-c" else ""):
            sys.argv[:], sys.path[0] = ["-c", *rest[1:]], ""
            module, function, arguments = found.groups()
            pairs = [argument.strip().rpartition("=") for argument in arguments.split(",")]
            positional = [int(value) for name, _, value in pairs if not name]
            named = {name: int(value) for name, _, value in pairs if name}
            getattr(importlib.import_module(module), function)(*positional, **named)
        else:
            sys.argv[:], sys.path[0] = [first, *rest], str(Path(first).parent)
            runpy.run_path(first, run_name="__main__")


def _draw_anew() -> None:
    """Give new seeds to generators that forks would share. Python's does it itself; of Ray's see `ray_identifiers`."""
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed()
    if (fingerprint := sys.modules.get("datasets.fingerprint")) is not None:
        fingerprint.fingerprint_rng.seed()  # names of files in which datasets keeps what it has computed


def _place(descriptors: Mapping[int, int]) -> None:
    """Give the files the numbers that they shall have."""
    free = {number: fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, FREE_DESCRIPTOR) for number, file in descriptors.items()}
    for file in descriptors.values():
        os.close(file)
    for number, file in free.items():
        os.dup2(file, number)
        os.close(file)

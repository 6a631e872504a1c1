"""Stopping a run after the step that it is in, with a checkpoint, so that it can be resumed without losing anything.

A run is asked to stop by a file `stop_requested` in its folder. SIGTERM to the driver makes that file; a second SIGTERM
ends the driver at once, as the first one would without this. The file stays when the run has stopped, so that whoever
started it can tell a stop from an end, and the next start removes it.
"""

import functools
import sys
import time
from pathlib import Path

from recipe.edge_grpo.verl_patches.ray_sigterm import take_sigterm_after_ray_init

STOP_FILE = "stop_requested"

_PROCESS_BEGIN = time.time()
"""About when this process began: the plugin imports this module with verl. A later request is meant for this start."""


def is_stop_requested(run_folder: str) -> bool:
    """Return True if the run was asked to stop."""
    return (Path(run_folder) / STOP_FILE).exists()


def request_stop(run_folder: str) -> None:
    """Ask the run to stop after its step."""
    folder = Path(run_folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STOP_FILE).touch()


def forget_earlier_request(run_folder: str) -> None:
    """Remove what an earlier start of the run was asked; a request since this process began stays."""
    file = Path(run_folder) / STOP_FILE
    if file.exists() and file.stat().st_mtime < _PROCESS_BEGIN:
        file.unlink()


def forget_request(run_folder: str) -> None:
    """Remove the request."""
    (Path(run_folder) / STOP_FILE).unlink(missing_ok=True)


def stop_on_sigterm(run_folder: str) -> None:
    """Arrange, in the driver before it starts Ray, that SIGTERM asks the run to stop."""
    take_sigterm_after_ray_init(
        before_init=functools.partial(forget_earlier_request, run_folder),
        on_sigterm=functools.partial(_request_stop_and_say_so, run_folder),
    )


def _request_stop_and_say_so(run_folder: str) -> None:
    request_stop(run_folder)
    print(
        "EDGE-GRPO: SIGTERM: the run stops after this step, with a checkpoint; a second one ends it at once",
        file=sys.stderr,
        flush=True,
    )

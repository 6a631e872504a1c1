"""Where a run leaves its metrics: `metrics.jsonl` below its own folder, beside rollouts and checkpoints."""

import functools
import json
import os
from pathlib import Path
from typing import Any

METRICS_FILE = "metrics.jsonl"
_PATH_VARIABLE = "VERL_FILE_LOGGER_PATH"


def log_metrics_below_run_folder(run_folder: str, resumed_step: int = 0) -> Path:
    """Point verl's file logger (`trainer.logger: [..., file]`) to `metrics.jsonl` in the run folder.

    The file that an earlier start of the run left is kept as `metrics.1.jsonl`, `metrics.2.jsonl` and so on. A resumed
    run begins its own with the lines of the steps up to the checkpoint: later ones are taken again.
    VERL_FILE_LOGGER_PATH in the environment wins.

    Args:
        run_folder: of the run.
        resumed_step: step of the checkpoint that the run goes on from, 0 for none.

    Returns:
        the path of the file that the logger will write.
    """
    path = Path(os.environ.get(_PATH_VARIABLE) or Path(run_folder) / METRICS_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _keep_as_earlier_start(path, resumed_step)
    os.environ[_PATH_VARIABLE] = str(path)
    return path


def _keep_as_earlier_start(path: Path, resumed_step: int) -> None:
    number = 1
    while (earlier := path.with_suffix(f".{number}{path.suffix}")).exists():
        number += 1
    path.rename(earlier)
    kept = [line for line in earlier.read_bytes().splitlines(keepends=True) if _is_of_a_step_up_to(resumed_step, line)]
    if kept:
        path.write_bytes(b"".join(kept))


def _is_of_a_step_up_to(last_step: int, line: bytes) -> bool:
    """False for a line that was cut off, too."""
    try:
        return last_step > 0 and json.loads(line)["step"] <= last_step and line.endswith(b"\n")
    except (ValueError, KeyError, TypeError):
        return False


def begin_metrics_file_with_what_it_holds(tracking_module: Any) -> None:
    """A patch of verl, in this one place: its file logger empties the file that it opens.

    That file holds the metrics of the earlier steps of a resumed run. They are written again first; the file of the
    earlier start has them all the while.
    """
    original = tracking_module.FileLogger.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        path = Path(os.environ.get(_PATH_VARIABLE) or os.devnull)
        earlier_lines = path.read_bytes() if path.is_file() else b""
        original(self, *args, **kwargs)
        self.fp.write(earlier_lines)

    tracking_module.FileLogger.__init__ = init

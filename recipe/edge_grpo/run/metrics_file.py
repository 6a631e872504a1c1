"""Where a run leaves its metrics: `metrics.jsonl` below its own folder, beside rollouts and checkpoints."""

import json
import os
from pathlib import Path

from recipe.edge_grpo.names import METRICS_FILE
from recipe.edge_grpo.verl_patches.file_logger import PATH_VARIABLE


def log_metrics_below_run_folder(run_folder: str, resumed_step: int = 0) -> Path:
    """Point verl's file logger (`trainer.logger: [..., file]`) to `metrics.jsonl` in the run folder.

    The file that an earlier start of the run left is kept as `metrics.1.jsonl`, `metrics.2.jsonl` and so on. A resumed
    run begins its own with the lines of the steps up to the checkpoint: later ones are taken again.
    VERL_FILE_LOGGER_PATH in the environment wins.

    Args:
        run_folder: `trainer.default_local_dir`.
        resumed_step: step of the checkpoint that the run goes on from, 0 for none.

    Returns:
        the path of the file that the logger will write.
    """
    path = Path(os.environ.get(PATH_VARIABLE) or Path(run_folder) / METRICS_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _keep_as_earlier_start(path, resumed_step)
    os.environ[PATH_VARIABLE] = str(path)
    return path


def _keep_as_earlier_start(path: Path, resumed_step: int) -> None:
    number = 1
    while (earlier := path.with_suffix(f".{number}{path.suffix}")).exists():
        number += 1
    path.rename(earlier)
    kept = [line for line in earlier.read_bytes().splitlines(keepends=True) if _has_step_up_to(resumed_step, line)]
    if kept:
        path.write_bytes(b"".join(kept))


def _has_step_up_to(last_step: int, line: bytes) -> bool:
    """Return True for a whole line of such a step; False for one that was cut off, too."""
    try:
        return last_step > 0 and json.loads(line)["step"] <= last_step and line.endswith(b"\n")
    except (ValueError, KeyError, TypeError):
        return False

"""Where a run leaves its metrics: `metrics.jsonl` below its own folder, beside rollouts and checkpoints."""

import os
from pathlib import Path

METRICS_FILE = "metrics.jsonl"


def log_metrics_below_run_folder(run_folder: str) -> Path:
    """Point verl's file logger (`trainer.logger: [..., file]`) to `metrics.jsonl` in the run folder.

    verl's logger truncates the file that it opens, so one that an earlier start of the same run left is renamed to
    `metrics.1.jsonl`, `metrics.2.jsonl` and so on. VERL_FILE_LOGGER_PATH in the environment wins.

    Returns:
        the path of the file that the logger will write.
    """
    path = Path(os.environ.get("VERL_FILE_LOGGER_PATH") or Path(run_folder) / METRICS_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        number = 1
        while (earlier := path.with_suffix(f".{number}{path.suffix}")).exists():
            number += 1
        path.rename(earlier)
    os.environ["VERL_FILE_LOGGER_PATH"] = str(path)
    return path

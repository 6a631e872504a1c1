"""Finds the checkpoint of a run that is to be evaluated, and the configuration that the run has left."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from omegaconf import DictConfig, OmegaConf

from recipe.edge_grpo.names import CONFIG_FILE, METRICS_FILE

LAST, BEST = "last", "best"

_STEP_FOLDER = re.compile(r"global_step_(\d+)")
_TRACKER = "latest_checkpointed_iteration.txt"


@dataclass(frozen=True)
class RunFolder:
    """A checkpoint of a run; `config` is None for a run that has left none (without `edge_grpo.reliability`)."""

    path: Path
    step: int
    actor: Path
    config: DictConfig | None

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a value of the configuration by its dotted key, as plain Python; `default` where there is none."""
        value = None if self.config is None else OmegaConf.select(self.config, key)
        if value is None:
            return default
        return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value

    def files(self, key: str) -> list[Path]:
        """Return the data files at a key, which holds one or several."""
        value = self.setting(key, [])
        return [Path(path) for path in ([value] if isinstance(value, str) else value)]


def find_run(path: Path, choice: str) -> RunFolder:
    """Return the checkpoint of a run at a step: a number, `LAST` or `BEST`.

    Raises ValueError, in one line, for a folder that is none of a run, has no checkpoint, or none at this step.
    """
    folders = {int(match[1]): each for each in path.iterdir() if (match := _STEP_FOLDER.fullmatch(each.name))}
    actors = {step: folder / "actor" for step, folder in sorted(folders.items()) if (folder / "actor").is_dir()}
    if not actors:
        raise ValueError(f"{path} {_why_no_checkpoint(path, list(folders))}")
    step = _choose_step(path, choice, list(actors))
    config_file = path / CONFIG_FILE
    return RunFolder(path, step, actors[step], OmegaConf.load(config_file) if config_file.is_file() else None)  # type: ignore[arg-type]


def best_step(metrics: Iterable[Mapping[str, Any]], steps: Iterable[int]) -> int | None:
    """Return the step of `steps` with the highest validation accuracy, the later one of equals; None without any.

    The accuracy is the mean over the validation sets.

    >>> lines = [{"step": n, "data": {"val-core/amc/acc/mean@1": acc}} for n, acc in ((10, 0.5), (20, 0.5), (30, 0.9))]
    >>> best_step(lines, steps=[10, 20])
    20
    """
    accuracies = {}
    for line in metrics:
        found = [value for name, value in line["data"].items() if name.startswith("val-core/") and "/mean@" in name]
        if found:
            accuracies[line["step"]] = fmean(found)
    return max((step for step in steps if step in accuracies), key=lambda step: (accuracies[step], step), default=None)


def _choose_step(path: Path, choice: str, steps: list[int]) -> int:
    there_are = f"there are {', '.join(map(str, steps))}"
    if choice == BEST:
        best = best_step(_read_metrics(path / METRICS_FILE), steps)
        if best is None:
            raise ValueError(
                f"{path / METRICS_FILE} has no validation at a step with a checkpoint; choose one with --step N "
                f"({there_are})"
            )
        return best
    if choice == LAST:
        return _tracked_step(path, steps)
    if int(choice) not in steps:
        raise ValueError(f"{path} has no checkpoint of step {choice}; choose another --step ({there_are})")
    return int(choice)


def _tracked_step(path: Path, steps: list[int]) -> int:
    """Return the step that verl's tracker names: a later folder was not finished."""
    try:
        tracked = int((path / _TRACKER).read_text())
    except (OSError, ValueError):
        tracked = steps[-1]
    return tracked if tracked in steps else steps[-1]


def _why_no_checkpoint(path: Path, steps: list[int]) -> str:
    runs = sorted(each.parent.name for each in path.glob("*/global_step_*"))
    if steps:
        return f"has no global_step_{steps[-1]}/actor: it is not of a run of this package; give a model with --model"
    if runs:
        return f"is not the folder of one run but of several; give --run {path / runs[0]}"
    if (path / METRICS_FILE).exists() or (path / CONFIG_FILE).exists():
        return "has no checkpoint (global_step_N): set trainer.save_freq and run the same command again"
    return "is no folder of a run: it has no global_step_N; give the trainer.default_local_dir of the run"


def _read_metrics(path: Path) -> list[Mapping[str, Any]]:
    """Read the lines of a metrics file; one that was cut off is left out."""
    metrics = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            metrics.append(json.loads(line))
        except ValueError:
            continue
    return [line for line in metrics if isinstance(line, dict) and isinstance(line.get("data"), dict)]

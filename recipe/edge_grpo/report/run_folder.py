"""Reads what a run has left in its folder besides metrics: its configuration, its rollouts, how it ended.

None of these need be there: a run that is going on, or has crashed, is reported as far as it went, and `notes` says
what is missing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from recipe.edge_grpo.names import CONFIG_FILE, FAILURE_FILE
from recipe.edge_grpo.report.metrics_file import RunMetrics

ROLLOUTS_FOLDER = "rollouts"

_SEED = re.compile(r"[-_]?seed[-_]?(\d+)$")


@dataclass(frozen=True)
class RunFolder:
    """A run: its metrics, and what else its folder tells."""

    metrics: RunMetrics
    path: Path
    config: Mapping[str, str]
    """{dotted key: value as text}; empty where the folder has no configuration that can be read."""
    rollout_files: Mapping[int, Path]
    """{step: file}, in order of steps."""
    notes: Sequence[str]
    """One sentence for each thing that is missing or went wrong."""

    @property
    def name(self) -> str:
        """What the run is called in tables and figures."""
        return self.metrics.name

    @property
    def recipe(self) -> str:
        """The name without its seed: what several seeds have in common."""
        return recipe_and_seed(self.name)[0]


def recipe_and_seed(name: str) -> tuple[str, str | None]:
    """Return what a run is called without its seed, and the seed; None where the name has none.

    >>> recipe_and_seed("edge_grpo-seed-2"), recipe_and_seed("grpo")
    (('edge_grpo', '2'), ('grpo', None))
    """
    found = _SEED.search(name)
    return (name[: found.start()] or name, found[1]) if found else (name, None)


def folder_of(path: Path) -> Path:
    """Return the folder of a run, given itself or a file in it."""
    return path.parent if path.is_file() else path


def read_run_folder(path: Path, metrics: RunMetrics, last_step: int) -> RunFolder:
    """Read what the folder of a run holds; `last_step` is that of the longest run of the report."""
    config, notes = _read_config(path / CONFIG_FILE)
    steps = list(metrics.values_by_step)
    if steps[-1] < last_step:
        notes.append(
            f"It ends at step {steps[-1]}, others at step {last_step}: it is going on, was stopped or crashed."
        )
    if (path / FAILURE_FILE).is_file():
        text = (path / FAILURE_FILE).read_text(encoding="utf-8", errors="replace").strip()
        notes.append(f"{FAILURE_FILE}: {next(iter(text.splitlines()), '(empty)')[:300]}")
    files = {int(file.stem): file for file in (path / ROLLOUTS_FOLDER).glob("*.jsonl") if file.stem.isdecimal()}
    if not files:
        notes.append(f"No {ROLLOUTS_FOLDER}/: no groups to look at (trainer.rollout_data_dir).")
    return RunFolder(metrics, path, config, dict(sorted(files.items())), [*_complaints(metrics), *notes])


def _complaints(metrics: RunMetrics) -> list[str]:
    """Return the complaints about the metrics file, the first and how many more."""
    more = len(metrics.complaints) - 1
    return metrics.complaints[:1] + ([f"{more} more of its lines were skipped."] if more > 0 else [])


def _read_config(path: Path) -> tuple[dict[str, str], list[str]]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, [f"No {CONFIG_FILE}: model, data and settings are not known."]
    except (OSError, ValueError, yaml.YAMLError) as error:
        return {}, [f"{CONFIG_FILE} cannot be read: {str(error).splitlines()[0]}"]
    if not isinstance(loaded, dict):
        return {}, [f"{CONFIG_FILE} holds no keys."]
    return dict(flatten(loaded)), []


def flatten(block: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the dotted keys of a nested block and their values as text.

    >>> flatten({"data": {"seed": 1, "files": ["a"]}, "empty": {}})
    [('data.seed', '1'), ('data.files', "['a']"), ('empty', '{}')]
    """
    found: list[tuple[str, str]] = []
    for key, value in block.items():
        is_block = isinstance(value, dict) and value
        found += flatten(value, f"{prefix}{key}.") if is_block else [(f"{prefix}{key}", str(value))]
    return found

"""Says what a run has learned: its first and last validation, each with the interval of a share of so many problems."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from recipe.edge_grpo.intervals import wilson_interval
from recipe.edge_grpo.names import METRICS_FILE


def progress_of(run_folder: Path, num_problems: int) -> str:
    """Return one line: the recipe, its accuracy in the first validation and in the last."""
    validations = list(validations_of(run_folder).items())
    if not validations:
        return f"  {run_folder.name}: no validation"
    described = [_describe(step, accuracy, num_problems) for step, accuracy in (validations[0], validations[-1])]
    return f"  {run_folder.name}: {' -> '.join(described)}"


def _describe(step: int, accuracy: float, num_problems: int) -> str:
    low, high = wilson_interval(accuracy, num_problems)
    return f"{accuracy:.3f} [{low:.3f}, {high:.3f}] after {step} steps"


def validations_of(run_folder: Path) -> dict[int, float]:
    """Return {step: mean accuracy over the data sources} of each validation of a run."""
    found = {}
    for line in (run_folder / METRICS_FILE).read_text(encoding="utf-8").splitlines():
        entry: Mapping[str, dict[str, float]] = json.loads(line)
        accuracies = [
            value
            for name, value in entry["data"].items()
            if name.startswith("val-core/") and name.endswith("/acc/mean@1")
        ]
        if accuracies:
            found[int(entry["step"])] = fmean(accuracies)  # type: ignore[call-overload]
    return found

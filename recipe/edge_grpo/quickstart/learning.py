"""Says what a run has learned: its first and last validation, each with the interval of a share of so many problems."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from recipe.edge_grpo.names import METRICS_FILE

Z_95 = 1.959964
"""The normal distribution has 95 % of its mass within so many standard deviations."""


def wilson_interval(share: float, num_problems: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of right answers, by Wilson's formula (1927).

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n), with z = 1.96. It says how far the share would move with other
    problems of the same kind; it does not say how far with another seed of training. It stays within [0, 1], and has a
    width where all or none are right.

    Raises ValueError unless the share is from 0 to 1 and there is a problem.

    >>> low, high = wilson_interval(0.5, 256)
    >>> round(low, 3), round(high, 3)
    (0.439, 0.561)
    """
    if not 0 <= share <= 1 or num_problems < 1:
        raise ValueError(f"a share from 0 to 1 of at least one problem is needed, got {share} of {num_problems}")
    per_problem = Z_95**2 / num_problems
    middle = share + per_problem / 2
    half = Z_95 * math.sqrt(share * (1 - share) / num_problems + per_problem / (4 * num_problems))
    return max(0.0, (middle - half) / (1 + per_problem)), min(1.0, (middle + half) / (1 + per_problem))


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

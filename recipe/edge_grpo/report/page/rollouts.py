"""Reads the dumped rollouts of some steps of a run, and puts the responses into the groups of their prompts.

A step can be gigabytes over a whole run: only some steps are read, the first, the last and others evenly between.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.run_folder import RunFolder

MAX_STEPS_READ = 40
"""The most steps of each run that are read for the figures made of rollouts."""

Response = Mapping[str, Any]
"""The columns of one line; docs/metrics.md has them, and older runs lack some."""


@dataclass(frozen=True)
class Rollouts:
    """The rollouts of some steps of a run."""

    groups_by_step: Mapping[int, Sequence[Sequence[Response]]]
    """{step: its groups of responses}."""
    notes: Sequence[str] = ()

    def responses(self, step: int) -> list[Response]:
        """Return all responses of a step."""
        return [response for group in self.groups_by_step[step] for response in group]


def evenly_chosen(steps: Sequence[int], number: int) -> list[int]:
    """Return so many of the steps: the first, the last, and others evenly between.

    >>> evenly_chosen(range(1, 101), 4), evenly_chosen([7, 8], 4)
    ([1, 34, 67, 100], [7, 8])
    """
    if len(steps) <= number:
        return list(steps)
    if number <= 1:
        return list(steps[-number:]) if number else []
    return [steps[round(place * (len(steps) - 1) / (number - 1))] for place in range(number)]


def read_rollouts(run: RunFolder, max_steps: int = MAX_STEPS_READ) -> Rollouts:
    """Read some steps of a run; a line that is cut off is skipped and noted."""
    groups_by_step, notes = {}, []
    for step in evenly_chosen(list(run.rollout_files), max_steps):
        responses, num_bad = _read_lines(run.rollout_files[step])
        if num_bad:
            notes.append(f"{run.rollout_files[step].name} of the rollouts: {num_bad} lines cannot be read.")
        if responses:
            groups_by_step[step] = groups_of(responses)
    return Rollouts(groups_by_step, notes)


def _read_lines(path: Path) -> tuple[list[Response], int]:
    responses: list[Response] = []
    num_bad = 0
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        if not line.strip():
            continue
        try:
            response = json.loads(line)
        except ValueError:
            response = None
        # What other programs write into a file of this name has no output.
        if isinstance(response, dict) and isinstance(response.get("output"), str):
            responses.append(response)
        else:
            num_bad += 1
    return responses, num_bad


def groups_of(responses: Sequence[Response]) -> list[list[Response]]:
    """Return the responses by prompt, in the order of the file.

    Runs from before the column `group` have the group's name in `uid`, and those of others the text of the prompt.

    >>> groups_of([{"uid": "a_0_0"}, {"uid": "b_0_0"}, {"uid": "a_1_0"}])
    [[{'uid': 'a_0_0'}, {'uid': 'a_1_0'}], [{'uid': 'b_0_0'}]]
    """
    groups: dict[Any, list[Response]] = {}
    for response in responses:
        group, uid = response.get("group"), response.get("uid")
        key = group if group is not None else str(uid).rsplit("_", 2)[0] if uid else response.get("input")
        groups.setdefault(str(key), []).append(response)
    return list(groups.values())


def number_in(response: Response, *columns: str) -> float | None:
    """Return the first of the columns that holds a number; None if none does.

    >>> number_in({"accuracy": None, "score": 1}, "accuracy", "score")
    1.0
    """
    for column in columns:
        value = response.get(column)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None


def with_entropy_by_strategy(metrics: RunMetrics, rollouts: Rollouts) -> RunMetrics:
    """Return the metrics of a run with the mean entropy of each strategy at the steps whose rollouts were read."""
    values_by_step = dict(metrics.values_by_step)
    for step in rollouts.groups_by_step:
        entropies: dict[str, list[float]] = {}
        for response in rollouts.responses(step):
            entropy = number_in(response, "entropy")
            if entropy is not None:
                entropies.setdefault(str(response.get("strategy") or "not corrected"), []).append(entropy)
        means = {f"rollouts/entropy/{name}": fmean(values) for name, values in entropies.items()}
        values_by_step[step] = {**values_by_step.get(step, {}), **means}
    return RunMetrics(metrics.name, dict(sorted(values_by_step.items())), metrics.complaints)

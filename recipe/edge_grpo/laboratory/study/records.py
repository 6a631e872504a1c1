"""What a study keeps of each run: its curves, thinned to the steps of validation, and where they come from.

One line of JSON a run, in one file, `runs.jsonl`. A curve has a value for each validation: the accuracy there, the
tokens sampled until there, and for a metric of training its mean over the steps since the validation before; null
where the run does not have it. Numbers have six digits.
"""

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from recipe.edge_grpo.laboratory.study.plan import Job
from recipe.edge_grpo.laboratory.training import validation_accuracy

RECORDS_FILE = "runs.jsonl"

PRETRAINED_FILE, FIRST_STUDY_FILE, OTHER_POLICIES_FILE = (
    "pretrained.jsonl",
    "first_study.jsonl",
    "other_policies.jsonl",
)
"""The records of runs beside the plan: with a pretrained model, of an earlier study, from policies tried after it."""

ACCURACY, TOKENS = "accuracy", "tokens_sampled"
ENTROPY, EQUAL_BEFORE, EQUAL_AFTER = "entropy", "equal_rewards_before", "equal_rewards_after"
METRICS_OF_TRAINING = {
    ENTROPY: "edge_grpo/entropy/mean",
    EQUAL_BEFORE: "edge_grpo/groups/zero_variance_before_gec",
    EQUAL_AFTER: "edge_grpo/groups/zero_variance_after_gec",
}
"""{curve: the metric whose means it has}; equal rewards: the share of groups without contrast, around correction."""

HIGHEST = {ENTROPY: math.inf}
"""{curve: the highest value that it can have}, where that is not 1; no curve has one below 0."""

FIRST_PASS = "accuracy_first_pass"
METRICS_OF_PRETRAINED = {FIRST_PASS: "edge_grpo/accuracy/first_pass", **METRICS_OF_TRAINING}
"""The same for `PRETRAINED_FILE`, with the share of sampled responses that were right before any correction."""

TOKENS_OF_A_STEP = "laboratory/tokens_sampled"

Entry = tuple[int, Mapping[str, float]]
"""A step and its metrics."""


@dataclass(frozen=True)
class Origin:
    """Where a run was made: commit, date of its end, machine, and how long it took."""

    commit: str
    date: str
    machine: str
    seconds: float


@dataclass(frozen=True)
class RunRecord:
    """One finished run."""

    job: Job
    steps: Sequence[int]
    """The steps of its validations, the first of them 0: before training."""
    curves: Mapping[str, Sequence[float | None]]
    """{name: a value for each of these steps}."""
    origin: Origin

    @property
    def accuracy(self) -> float:
        """The last validation."""
        return self.values(ACCURACY)[-1]

    def values(self, curve: str) -> list[float]:
        """Return the values that a curve has, without the nulls."""
        return [value for value in self.curves[curve] if value is not None]


def read_entries(metrics_file: Path) -> list[Entry]:
    """Read a `metrics.jsonl`; lines of the same step are one entry."""
    entries: dict[int, dict[str, float]] = {}
    for line in metrics_file.read_text(encoding="utf-8").splitlines():
        entry: Any = json.loads(line)
        entries.setdefault(entry["step"], {}).update(entry["data"])
    return sorted(entries.items())


def thin(
    entries: Sequence[Entry], metrics_of_training: Mapping[str, str] = METRICS_OF_TRAINING
) -> tuple[list[int], dict[str, list[float | None]]]:
    """Return the steps of validation and the curves there: accuracy, tokens, and those of `metrics_of_training`.

    >>> metric = METRICS_OF_TRAINING[ENTROPY]
    >>> training = [(1, {metric: 0.25}), (2, {metric: 0.75, "val-core/a/acc/mean@1": 1})]
    >>> steps, curves = thin([(0, {"val-core/a/acc/mean@1": 0.5}), *training])
    >>> steps, curves["accuracy"], curves["entropy"], curves["tokens_sampled"]
    ([0, 2], [0.5, 1.0], [None, 0.5], [0.0, None])
    """
    steps: list[int] = []
    curves: dict[str, list[float | None]] = {name: [] for name in (ACCURACY, TOKENS, *metrics_of_training)}
    since: list[Mapping[str, float]] = []
    num_tokens: float | None = 0.0
    for step, metrics in entries:
        if step > 0:
            since.append(metrics)
            tokens_of_step = metrics.get(TOKENS_OF_A_STEP)  # runs of verl do not count them
            num_tokens = None if num_tokens is None or tokens_of_step is None else num_tokens + tokens_of_step
        if any(name.startswith("val-core/") for name in metrics):
            steps.append(step)
            curves[ACCURACY].append(_six_digits(validation_accuracy(metrics)))
            curves[TOKENS].append(num_tokens)
            for curve, name in metrics_of_training.items():
                values = [each[name] for each in since if each.get(name) is not None]
                curves[curve].append(_six_digits(fmean(values)) if values else None)
            since = []
    return steps, curves


def write_records(path: Path, records: Iterable[RunRecord]) -> None:
    """Write the file anew, in the order of the jobs; a reader sees the old file or the new one, whole."""
    lines = [json.dumps(asdict(record)) + "\n" for record in sorted(records, key=lambda record: record.job)]
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text("".join(lines), encoding="utf-8")
    os.replace(half, path)


def read_records(path: Path) -> dict[Job, RunRecord]:
    """Read the file, {} if there is none; raises ValueError, naming the line, for one that is no record."""
    records = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            fields = json.loads(line)
            job, origin = Job(**fields.pop("job")), Origin(**fields.pop("origin"))
            records[job] = RunRecord(job=job, origin=origin, **fields)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(f"{path}, line {number}: no record of a run ({error})") from error
    return records


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")

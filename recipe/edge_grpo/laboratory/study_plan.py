"""What a study runs: its plan, the runs that follow from it, and the choice of learning rates. Pure."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from recipe.edge_grpo.laboratory.supervised import SUPERVISED

RECIPES = Path(__file__).parents[1] / "config" / "recipe"


@dataclass(frozen=True)
class Study:
    """Methods x tasks x seeds.

    tasks: {task: steps of training}
    methods: recipes, or `sft`
    learning_rates: the grid of all methods
    tuning_seeds: on which the rate is chosen; none of them is one of `seeds`
    """

    tasks: Mapping[str, int]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    tuning_seeds: tuple[int, ...]


@dataclass(frozen=True)
class Job:
    """One run of the laboratory."""

    task: str
    method: str
    learning_rate: float
    seed: int
    num_steps: int


def read_study(path: Path) -> Study:
    """Read a plan.

    Raises ValueError, naming the file and the key, for one that is missing, unknown or empty, a method that is no
    recipe, a number that is not positive, and seeds that serve both purposes; OSError for a file that is not there.
    """
    plan: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = {field.name for field in fields(Study)}
    if not isinstance(plan, dict) or set(plan) != names:
        has = ", ".join(map(str, plan)) if isinstance(plan, dict) else type(plan).__name__
        raise ValueError(f"{path}: expected the keys {', '.join(sorted(names))}; it has {has}")
    empty = [name for name in sorted(names) if not plan[name]]
    if empty:
        raise ValueError(f"{path}: {empty[0]} is empty")
    study = Study(plan["tasks"], *(tuple(plan[field.name]) for field in fields(Study)[1:]))
    _check(study, path)
    return study


def tuning_jobs(study: Study) -> Iterator[Job]:
    """Yield the runs by which learning rates are chosen: every rate of the grid for every method on every task."""
    for task, num_steps in study.tasks.items():
        for method in study.methods:
            for rate in study.learning_rates:
                for seed in study.tuning_seeds:
                    yield Job(task, method, rate, seed, num_steps)


def final_jobs(study: Study, chosen: Mapping[tuple[str, str], float]) -> Iterator[Job]:
    """Yield the runs of the study, with the learning rate that was chosen for each (task, method).

    >>> study = Study({"carry": 60}, ("grpo",), (0, 1), (1e-4, 3e-4), (100,))
    >>> [(job.learning_rate, job.seed) for job in final_jobs(study, {("carry", "grpo"): 3e-4})]
    [(0.0003, 0), (0.0003, 1)]
    """
    for seed in study.seeds:  # A study that is stopped has all methods on some seeds, and not some on all.
        for task, num_steps in study.tasks.items():
            for method in study.methods:
                yield Job(task, method, chosen[task, method], seed, num_steps)


def choose_learning_rates(accuracy_by_job: Mapping[Job, float | None]) -> dict[tuple[str, str], float]:
    """Return the learning rate of the best mean accuracy for each (task, method), of equal ones the smaller.

    >>> jobs = {Job("carry", "grpo", rate, 100, 60): accuracy for rate, accuracy in ((1e-3, 0.8), (3e-4, 0.8))}
    >>> choose_learning_rates(jobs)
    {('carry', 'grpo'): 0.0003}
    """
    values: dict[tuple[str, str], dict[float, list[float]]] = {}
    for job, accuracy in accuracy_by_job.items():
        if accuracy is not None:
            values.setdefault((job.task, job.method), {}).setdefault(job.learning_rate, []).append(accuracy)
    return {
        key: max(of_rates, key=lambda rate: (statistics.fmean(of_rates[rate]), -rate))
        for key, of_rates in values.items()
    }


def _check(study: Study, path: Path) -> None:
    recipes = {recipe.stem for recipe in RECIPES.glob("*.yaml")} | {SUPERVISED}
    unknown = [method for method in study.methods if method not in recipes]
    if unknown:
        raise ValueError(f"{path}: methods: {unknown[0]} is no recipe; there are {', '.join(sorted(recipes))}")
    numbers = {"tasks": tuple(study.tasks.values()), "learning_rates": study.learning_rates}
    for name, values in numbers.items():
        if not all(isinstance(value, int | float) and value > 0 for value in values):
            raise ValueError(f"{path}: {name} must be numbers above 0, got {values}")
    shared = sorted(set(study.seeds) & set(study.tuning_seeds))
    if shared:
        raise ValueError(f"{path}: seed {shared[0]} is in seeds and in tuning_seeds; learning rates need their own")

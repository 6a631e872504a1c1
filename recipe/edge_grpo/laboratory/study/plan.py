"""What a study runs: its plan, the runs that follow from it, and the choice of learning rates. Pure."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from recipe.edge_grpo.laboratory.supervised import SUPERVISED

RECIPES = Path(__file__).parents[2] / "config" / "recipe"

PLAN = Path(__file__).with_name("study.yaml")

LABORATORY, VERL = "laboratory", "verl"
"""Where a run is made."""

STUDYS_POLICY = 0
"""The seed with which the policy was taught from which all runs start but those of `OtherPolicies`."""


@dataclass(frozen=True)
class Confirmation:
    """Runs of verl that confirm those of the laboratory; fields as those of `Study`."""

    tasks: Mapping[str, int]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    learning_rate: float


@dataclass(frozen=True)
class OtherPolicies:
    """Runs of the laboratory from other policies than the one of the study, on all of its tasks.

    methods: recipes, or `sft`, of those of the study, whose learning rates they have
    seeds: of the policies, each of which is taught with one of them, and of the runs from it; never 0
    """

    methods: tuple[str, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Study:
    """Methods x tasks x seeds.

    tasks: {task: steps of training}
    methods: recipes, or `sft`
    learning_rates: the grid of all methods
    tuning_seeds: on which the rate is chosen; none of them is one of `seeds`
    other_policies: the same from other policies
    confirmation: the runs of verl: tasks, methods and seeds of their own, one learning rate
    """

    tasks: Mapping[str, int]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    tuning_seeds: tuple[int, ...]
    other_policies: OtherPolicies
    confirmation: Confirmation


@dataclass(frozen=True, order=True)
class Job:
    """One run."""

    task: str
    method: str
    learning_rate: float
    seed: int
    num_steps: int
    engine: str = LABORATORY
    policy: int = STUDYS_POLICY
    """The seed with which the policy was taught from which it starts."""


def read_study(path: Path) -> Study:
    """Read a plan.

    Raises ValueError, naming the file and the key, for one that is missing, unknown or empty, a method that is no
    recipe, a number that is not positive, and seeds that serve two purposes; OSError for a file that is not there.
    """
    plan: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        _check_keys(plan, Study, "")
        blocks = {"other_policies": OtherPolicies, "confirmation": Confirmation}
        for name, kind in blocks.items():
            _check_keys(plan[name], kind, f"{name}.")
        study = Study(**_with_tuples(plan) | {name: kind(**_with_tuples(plan[name])) for name, kind in blocks.items()})
        _check(study)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
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

    >>> confirmation = Confirmation({"carry": 20}, ("grpo",), (0, 1, 2), 3e-4)
    >>> others = OtherPolicies(("grpo",), (3, 4))
    >>> study = Study({"carry": 60}, ("grpo",), (0, 1), (1e-4, 3e-4), (100,), others, confirmation)
    >>> [(job.learning_rate, job.seed) for job in final_jobs(study, {("carry", "grpo"): 3e-4})]
    [(0.0003, 0), (0.0003, 1)]
    """
    for seed in study.seeds:  # A study that is stopped has all methods on some seeds, and not some on all.
        for task, num_steps in study.tasks.items():
            for method in study.methods:
                yield Job(task, method, chosen[task, method], seed, num_steps)


def jobs_from_other_policies(study: Study, chosen: Mapping[tuple[str, str], float]) -> Iterator[Job]:
    """Yield the runs from other policies, all of one policy before the next."""
    for seed in study.other_policies.seeds:
        for task, num_steps in study.tasks.items():
            for method in study.other_policies.methods:
                yield Job(task, method, chosen[task, method], seed, num_steps, policy=seed)


def confirming_jobs(study: Study) -> Iterator[Job]:
    """Yield the runs of verl, all methods on one seed before the next."""
    plan = study.confirmation
    for task, num_steps in plan.tasks.items():
        for seed in plan.seeds:
            for method in plan.methods:
                yield Job(task, method, plan.learning_rate, seed, num_steps, VERL)


def choose_learning_rates(accuracy_by_job: Mapping[Job, float]) -> dict[tuple[str, str], float]:
    """Return the learning rate of the best mean accuracy for each (task, method), of equal ones the smaller.

    >>> jobs = {Job("carry", "grpo", rate, 100, 60): accuracy for rate, accuracy in ((1e-3, 0.8), (3e-4, 0.8))}
    >>> choose_learning_rates(jobs)
    {('carry', 'grpo'): 0.0003}
    """
    values: dict[tuple[str, str], dict[float, list[float]]] = {}
    for job, accuracy in accuracy_by_job.items():
        values.setdefault((job.task, job.method), {}).setdefault(job.learning_rate, []).append(accuracy)
    return {
        key: max(of_rates, key=lambda rate: (statistics.fmean(of_rates[rate]), -rate))
        for key, of_rates in values.items()
    }


def _check_keys(block: Any, kind: type, prefix: str) -> None:
    names = {field.name for field in fields(kind)}
    if not isinstance(block, dict) or set(block) != names:
        has = ", ".join(map(str, block)) if isinstance(block, dict) else type(block).__name__
        raise ValueError(f"{prefix.removesuffix('.') or 'it'} needs the keys {', '.join(sorted(names))}; it has {has}")
    empty = [name for name in sorted(names) if not block[name]]
    if empty:
        raise ValueError(f"{prefix}{empty[0]} is empty")


def _with_tuples(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in block.items()}


def _check(study: Study) -> None:
    recipes = {recipe.stem for recipe in RECIPES.glob("*.yaml")}
    for place, methods, known in (
        ("methods", study.methods, recipes | {SUPERVISED}),
        ("confirmation.methods", study.confirmation.methods, recipes),
    ):
        unknown = [method for method in methods if method not in known]
        if unknown:
            raise ValueError(f"{place}: {unknown[0]} is no recipe; there are {', '.join(sorted(known))}")
    without_rate = [method for method in study.other_policies.methods if method not in study.methods]
    if without_rate:
        raise ValueError(f"other_policies.methods: {without_rate[0]} is none of methods, so no rate is chosen for it")
    if STUDYS_POLICY in study.other_policies.seeds:
        raise ValueError(f"other_policies.seeds: {STUDYS_POLICY} is the policy of the study")
    numbers = {
        "tasks": study.tasks.values(),
        "learning_rates": study.learning_rates,
        "confirmation.tasks": study.confirmation.tasks.values(),
        "confirmation.learning_rate": [study.confirmation.learning_rate],
    }
    for name, values in numbers.items():
        if not all(isinstance(value, int | float) and value > 0 for value in values):
            raise ValueError(f"{name} must be numbers above 0, got {list(values)}")
    shared = sorted(set(study.seeds) & set(study.tuning_seeds))
    if shared:
        raise ValueError(f"seed {shared[0]} is in seeds and in tuning_seeds; learning rates need their own")

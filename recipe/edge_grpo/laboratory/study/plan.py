"""What a study runs: its plan, the runs that follow from it, and the choice of learning rates. Pure."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LABORATORY, VERL = "laboratory", "verl"
"""Where a run is made."""


@dataclass(frozen=True)
class Confirmation:
    """Runs of verl that confirm those of the laboratory; fields as those of `Study`."""

    tasks: Mapping[str, int]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    learning_rate: float


@dataclass(frozen=True)
class Study:
    """Methods x tasks x seeds; a seed is of a policy, of the order of the prompts, and of what is sampled.

    tasks: {task: steps of training}
    methods: recipes, or `sft`
    learning_rates: the grid of all methods
    tuning_seeds: on which the rate is chosen; none of them is one of `seeds`
    confirmation: the runs of verl: tasks, methods and seeds of their own, one learning rate
    """

    tasks: Mapping[str, int]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    tuning_seeds: tuple[int, ...]
    confirmation: Confirmation


@dataclass(frozen=True, order=True)
class Job:
    """One run, from the policy that was taught with its seed."""

    task: str
    method: str
    learning_rate: float
    seed: int
    num_steps: int
    engine: str = LABORATORY


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
    >>> study = Study({"carry": 60}, ("grpo",), (0, 1), (1e-4, 3e-4), (100,), confirmation)
    >>> [(job.learning_rate, job.seed) for job in final_jobs(study, {("carry", "grpo"): 3e-4})]
    [(0.0003, 0), (0.0003, 1)]
    """
    for seed in study.seeds:  # A study that is stopped has all methods on some seeds, and not some on all.
        for task, num_steps in study.tasks.items():
            for method in study.methods:
                yield Job(task, method, chosen[task, method], seed, num_steps)


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

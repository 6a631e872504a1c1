"""The runs of a study, found by task, seed or policy, and method. Pure."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from recipe.edge_grpo.laboratory.study.plan import (
    LABORATORY,
    STUDYS_POLICY,
    VERL,
    Study,
    choose_learning_rates,
)
from recipe.edge_grpo.laboratory.study.records import RunRecord


class Results:
    """The runs of a study, found by task, seed and method; `beside` has runs that no plan has, by their file."""

    def __init__(
        self,
        study: Study,
        records: Iterable[RunRecord],
        beside: Mapping[str, Collection[RunRecord]] = MappingProxyType({}),
    ) -> None:
        self.study, self.records, self.beside = study, list(records), beside
        self.tuning = {
            run.job: run
            for run in self.records
            if (run.job.engine, run.job.policy) == (LABORATORY, STUDYS_POLICY) and run.job.seed in study.tuning_seeds
        }
        self.chosen = choose_learning_rates({job: run.accuracy for job, run in self.tuning.items()})

    def seeds(self, engine: str = LABORATORY) -> dict[str, list[dict[str, RunRecord]]]:
        """Return the runs of each seed of the study, or of its confirmation, by task and method."""
        if engine == VERL:
            plan = self.study.confirmation
            return {
                task: [self._runs(VERL, task, seed, STUDYS_POLICY, plan.learning_rate) for seed in plan.seeds[task]]
                for task in plan.tasks
            }
        return {
            task: [self._runs(LABORATORY, task, seed, STUDYS_POLICY) for seed in self.study.seeds]
            for task in self.study.tasks
        }

    def policies(self, engine: str = LABORATORY) -> dict[str, list[dict[str, RunRecord]]]:
        """Return the runs of each other policy, by task and method."""
        others = self.study.other_policies
        tasks, seeds = (
            (self.study.tasks, others.seeds) if engine == LABORATORY else (others.verl_tasks, others.verl_seeds)
        )
        return {task: [self._runs(engine, task, seed, policy=seed) for seed in seeds] for task in tasks}

    def _runs(
        self, engine: str, task: str, seed: int, policy: int, learning_rate: float | None = None
    ) -> dict[str, RunRecord]:
        """Return the runs by method, with one learning rate, or that which was chosen for each method."""
        wanted = (engine, task, seed, policy)
        return {
            run.job.method: run
            for run in self.records
            if (run.job.engine, run.job.task, run.job.seed, run.job.policy) == wanted
            and run.job.learning_rate == (learning_rate or self.chosen.get((task, run.job.method)))
        }

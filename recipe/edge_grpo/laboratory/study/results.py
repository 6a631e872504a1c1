"""The runs of a study, found by task, seed or policy, and method. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from recipe.edge_grpo.laboratory.study.plan import (
    LABORATORY,
    STUDYS_POLICY,
    Job,
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
            run.job: run for run in self.records if run.job.engine == LABORATORY and run.job.seed in study.tuning_seeds
        }
        self.chosen = choose_learning_rates({job: run.accuracy for job, run in self.tuning.items()})

    def seeds(self, engine: str = LABORATORY) -> dict[str, list[dict[str, RunRecord]]]:
        """Return the runs of each seed of the study, or of its confirmation, by task and method."""
        wanted = self.study.seeds if engine == LABORATORY else self.study.confirmation.seeds
        return self._by_task(engine, [(seed, STUDYS_POLICY) for seed in wanted])

    def policies(self) -> dict[str, list[dict[str, RunRecord]]]:
        """Return the runs of each other policy, by task and method."""
        return self._by_task(LABORATORY, [(seed, seed) for seed in self.study.other_policies.seeds])

    def _by_task(
        self, engine: str, seeds_and_policies: Sequence[tuple[int, int]]
    ) -> dict[str, list[dict[str, RunRecord]]]:
        return {
            task: [
                {run.job.method: run for run in self.records if self._is_of(run.job, engine, task, seed, policy)}
                for seed, policy in seeds_and_policies
            ]
            for task in self.study.tasks
        }

    def _is_of(self, job: Job, engine: str, task: str, seed: int, policy: int) -> bool:
        rate = self.chosen.get((task, job.method)) if engine == LABORATORY else self.study.confirmation.learning_rate
        wanted = (engine, task, seed, policy, rate)
        return (job.engine, job.task, job.seed, job.policy, job.learning_rate) == wanted

"""The runs of a study, found by task, seed and method. Pure."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from recipe.edge_grpo.laboratory.study.plan import LABORATORY, Job, Study, choose_learning_rates
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
        runs: dict[str, list[dict[str, RunRecord]]] = {}
        for task in self.study.tasks:
            runs[task] = [
                {run.job.method: run for run in self.records if self._is_of(run.job, engine, task, seed)}
                for seed in wanted
            ]
        return runs

    def _is_of(self, job: Job, engine: str, task: str, seed: int) -> bool:
        rate = self.chosen.get((task, job.method)) if engine == LABORATORY else self.study.confirmation.learning_rate
        return (job.engine, job.task, job.seed, job.learning_rate) == (engine, task, seed, rate)

"""Takes the steps of an evaluation, each of which does only what its store lacks."""

from collections.abc import Iterable, Mapping, Sequence

from tqdm import tqdm

from data_prep.sampling.engine import LazySampler
from data_prep.sampling.grading import Grade, Job, grade_with_own_reward, run_jobs
from recipe.edge_grpo.correction.failure import is_failed
from recipe.edge_grpo.evaluate.jobs import (
    ProblemKey,
    PromptedProblem,
    SamplingPlan,
    continuation_job,
    first_pass_job,
    stored_response,
)
from recipe.edge_grpo.evaluate.responses import GradedResponse, ResponseKey
from recipe.edge_grpo.evaluate.store import ResponseStore

EXACT, SAMPLED, NOT_MEASURED = "exact", "sampled", "none"
ENTROPIES = (EXACT, SAMPLED, NOT_MEASURED)

_ENTROPIES_AT_ONCE = 64  # Written to the store together; a kill loses no more.


class Evaluation:
    """The steps of an evaluation; each returns what was there before together with what it adds."""

    def __init__(
        self,
        items: Mapping[ProblemKey, PromptedProblem],
        plan: SamplingPlan,
        store: ResponseStore,
        sampler: LazySampler,
        chunk_size: int,
        grade: Grade = grade_with_own_reward,
    ) -> None:
        self._items = items
        self._plan = plan
        self._store = store
        self._sampler = sampler
        self._chunk_size = chunk_size
        self._grade = grade

    def sample_first_passes(self, temperatures: Iterable[float], num_samples: int) -> list[GradedResponse]:
        """Return so many responses to every problem at every temperature, wrong ones among them."""
        keys = [
            ResponseKey(*problem, sample, temperature, None)
            for temperature in temperatures
            for problem in self._items
            for sample in range(num_samples)
        ]
        jobs = (first_pass_job(self._item(key), key, self._plan) for key in self._store.missing(keys))
        self._run(list(jobs), "sampling", len(keys))
        return [self._store.responses[key].graded for key in keys]

    def sample_continuations(
        self, first_passes: Iterable[GradedResponse], text_ids: Mapping[str, Sequence[int]]
    ) -> list[GradedResponse]:
        """Continue the wrong first passes after every text; those that leave no room are left out."""
        keys = [
            response.key._replace(reflection_text=text)
            for response in first_passes
            if is_failed(response.accuracy)
            for text in text_ids
        ]
        jobs = []
        for key in self._store.missing(keys):
            first_pass = self._store.responses[key._replace(reflection_text=None)]
            job = continuation_job(self._item(key), key, first_pass, text_ids[str(key.reflection_text)], self._plan)
            if job is not None:
                jobs.append(job)
        if keys:
            self._run(jobs, "reflecting", len(keys))
        return [self._store.responses[key].graded for key in keys if key in self._store.responses]

    def close_sampler(self) -> None:
        """Give back the memory of vLLM, if it was started."""
        self._sampler.close()

    def entropies(self, first_passes: Iterable[GradedResponse], kind: str, model: str) -> dict[ResponseKey, float]:
        """Return the mean policy entropy of each first pass by one of `ENTROPIES`; greedy responses have none."""
        keys = [response.key for response in first_passes if response.temperature > 0]
        if kind == SAMPLED:
            surprisals = {key: self._store.responses[key].surprisal for key in keys}
            return {key: surprisal for key, surprisal in surprisals.items() if surprisal is not None}
        if kind == EXACT:
            self._measure_entropies([key for key in keys if key not in self._store.entropies], model, len(keys))
            return {key: self._store.entropies[key] for key in keys}
        return {}

    def _item(self, key: ResponseKey) -> PromptedProblem:
        return self._items[key.benchmark, key.problem_index]

    def _run(self, jobs: list[Job[ResponseKey]], title: str, num_wanted: int) -> None:
        with tqdm(desc=title, total=num_wanted, initial=num_wanted - len(jobs), unit="response") as progress:
            for outcomes in run_jobs(self._sampler, jobs, self._chunk_size, self._grade):
                self._store.add_responses([stored_response(each, self._item(each.job.key)) for each in outcomes])
                progress.update(len(outcomes))

    def _measure_entropies(self, keys: list[ResponseKey], model: str, num_wanted: int) -> None:
        if not keys:
            return
        from recipe.edge_grpo.evaluate.policy_entropy import EntropyMeter  # imports torch

        meter = EntropyMeter(model)
        with tqdm(desc="entropies", total=num_wanted, initial=num_wanted - len(keys), unit="response") as progress:
            for start in range(0, len(keys), _ENTROPIES_AT_ONCE):
                part = keys[start : start + _ENTROPIES_AT_ONCE]
                entropies = {}
                for key in part:
                    token_ids = self._store.responses[key].token_ids
                    entropies[key] = meter.mean_entropy(self._item(key).prompt.token_ids, token_ids, key.temperature)
                self._store.add_entropies(entropies)
                progress.update(len(part))

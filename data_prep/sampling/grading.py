"""Samples responses and grades them, chunk by chunk: what a kill can lose is one chunk."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from data_prep.sampling.engine import Request, Sample, Sampler
from reward_fns.math_reward import compute_score

Key = TypeVar("Key")


@dataclass(frozen=True)
class Job(Generic[Key]):
    """One response that is wanted, and how it is graded.

    Attributes:
        key: what tells the response from all others; it is handed through.
        request: for the model.
        ground_truth: see `reward_fns.math_reward.compute_score`.
        text_before: what the response begins with and the model only continues; it is graded as well.
    """

    key: Key
    request: Request
    ground_truth: Any
    text_before: str = ""


@dataclass(frozen=True)
class Outcome(Generic[Key]):
    """What became of a job; `text` is the whole response."""

    job: Job[Key]
    sample: Sample
    text: str
    accuracy: float
    has_box: bool
    verify_status: str


Grade = Callable[[Job[Any], str], Awaitable[Mapping[str, Any]]]
"""Grades the whole response to a job: `acc`, `format` and `verify_status`, as `compute_score` has them."""


async def grade_with_own_reward(job: Job[Any], text: str) -> Mapping[str, Any]:
    """Grade by `reward_fns.math_reward`."""
    return await compute_score("", text, job.ground_truth)


def run_jobs(
    sampler: Sampler, jobs: Sequence[Job[Key]], chunk_size: int, grade: Grade = grade_with_own_reward
) -> Iterator[list[Outcome[Key]]]:
    """Sample and grade `jobs` in their order, `chunk_size` at a time; yields each chunk when it is graded."""
    for start in range(0, len(jobs), chunk_size):
        chunk = jobs[start : start + chunk_size]
        samples = sampler.sample([job.request for job in chunk])
        texts = [job.text_before + sample.text for job, sample in zip(chunk, samples, strict=True)]
        scores = asyncio.run(_grade_all(chunk, texts, grade))
        yield [
            Outcome(job, sample, text, float(score["acc"]), bool(score["format"]), str(score["verify_status"]))
            for job, sample, text, score in zip(chunk, samples, texts, scores, strict=True)
        ]


async def _grade_all(jobs: Sequence[Job[Key]], texts: Sequence[str], grade: Grade) -> list[Mapping[str, Any]]:
    return await asyncio.gather(*(grade(job, text) for job, text in zip(jobs, texts, strict=True)))

"""Samples responses and grades them, chunk by chunk: what a kill can lose is one chunk."""

import asyncio
from collections.abc import Iterator, Sequence
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


def run_jobs(sampler: Sampler, jobs: Sequence[Job[Key]], chunk_size: int) -> Iterator[list[Outcome[Key]]]:
    """Sample and grade `jobs` in their order, `chunk_size` at a time; yields each chunk when it is graded."""
    for start in range(0, len(jobs), chunk_size):
        chunk = jobs[start : start + chunk_size]
        samples = sampler.sample([job.request for job in chunk])
        texts = [job.text_before + sample.text for job, sample in zip(chunk, samples, strict=True)]
        scores = asyncio.run(_grade(chunk, texts))
        yield [
            Outcome(job, sample, text, float(score["acc"]), bool(score["format"]), str(score["verify_status"]))
            for job, sample, text, score in zip(chunk, samples, texts, scores, strict=True)
        ]


async def _grade(jobs: Sequence[Job[Key]], texts: Sequence[str]) -> list[dict[str, Any]]:
    scores = (compute_score("", text, job.ground_truth) for job, text in zip(jobs, texts, strict=True))
    return await asyncio.gather(*scores)

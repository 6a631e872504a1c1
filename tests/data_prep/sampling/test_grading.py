"""Sampling and grading in chunks, with the real verifier."""

import pytest

from data_prep.sampling.engine import Request
from data_prep.sampling.grading import Job, run_jobs


def job(key, ground_truth, text_before=""):
    return Job(key, Request((1,), 1.0, 1.0, 8, seed=key), ground_truth, text_before)


def test_every_response_is_graded_against_its_own_answer_and_keeps_its_key(scripted_sampler):
    texts = {0: r"\boxed{\frac{1}{2}}", 1: r"\boxed{3}", 2: "no box", 3: r"\boxed{4}"}
    sampler = scripted_sampler(lambda request: texts[request.seed])
    jobs = [job(0, "0.5"), job(1, "4"), job(2, "5"), job(3, ("3", "4"))]
    outcomes = [outcome for chunk in run_jobs(sampler, jobs, chunk_size=10) for outcome in chunk]
    assert [outcome.job for outcome in outcomes] == jobs
    assert [outcome.text for outcome in outcomes] == list(texts.values())
    assert [outcome.accuracy for outcome in outcomes] == [1, 0, 0, 1]
    assert [outcome.has_box for outcome in outcomes] == [True, True, False, True]
    assert [outcome.verify_status for outcome in outcomes] == ["ok", "ok", "no_box", "ok"]


def test_a_continuation_is_graded_with_what_it_continues(scripted_sampler):
    sampler = scripted_sampler(lambda request: "so it is." if request.seed else r"\boxed{2}")
    jobs = [job(0, "2", r"\boxed{1} Wait!"), job(1, "1", r"\boxed{1} Wait! ")]
    ((first, second),) = run_jobs(sampler, jobs, chunk_size=2)
    assert (first.text, first.accuracy) == (r"\boxed{1} Wait!\boxed{2}", 1)
    assert (second.text, second.accuracy) == (r"\boxed{1} Wait! so it is.", 1)


@pytest.mark.parametrize(("chunk_size", "sizes"), [(1, [1, 1, 1]), (2, [2, 1]), (5, [3])])
def test_a_chunk_is_handed_over_before_the_next_is_sampled(scripted_sampler, chunk_size, sizes):
    sampler = scripted_sampler()
    num_done = 0
    for chunk, size in zip(run_jobs(sampler, [job(key, "7") for key in range(3)], chunk_size), sizes, strict=True):
        num_done += size
        assert (len(chunk), len(sampler.requests)) == (size, num_done)


def test_nothing_to_do_samples_nothing(scripted_sampler):
    assert list(run_jobs(scripted_sampler(lambda request: pytest.fail("sampled")), [], 5)) == []

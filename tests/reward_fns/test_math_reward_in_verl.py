"""What verl asks of the reward function: a coroutine function, keywords, and children only in its reward workers."""

import asyncio
import functools
import inspect
import sys
from types import SimpleNamespace

import pytest

from reward_fns import math_reward
from reward_fns.math_reward import compute_score
from reward_fns.verifier.pool import WorkerPool


def test_verl_recognises_a_bound_compute_score_as_a_coroutine_function():
    # verl binds reward_kwargs with functools.partial and awaits only what inspect calls a coroutine function.
    assert inspect.iscoroutinefunction(functools.partial(compute_score, format_weight=1.0))


def test_verl_can_call_with_keywords_only():
    result = asyncio.run(
        compute_score(
            data_source="math",
            solution_str=r"\boxed{1}",
            ground_truth="1",
            extra_info=None,
            reward_router_address=None,
            reward_model_tokenizer=None,
        )
    )
    assert {key: type(value) for key, value in result.items()} == {
        "score": float,
        "acc": float,
        "format": float,
        "verify_status": str,
    }


@pytest.mark.parametrize(
    ("name", "num_starts"), [("reward_loop_worker_3", 1), ("TaskRunner", 0), (None, 0), ("not initialized", 0)]
)
def test_only_a_reward_worker_of_verl_starts_the_children_with_the_import(monkeypatch, name, num_starts):
    starts = []
    context = SimpleNamespace(get_actor_name=lambda: name)
    ray = SimpleNamespace(is_initialized=lambda: name != "not initialized", get_runtime_context=lambda: context)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(WorkerPool, "start", lambda pool: starts.append(pool))
    math_reward._start_verifier_in_reward_worker()
    assert len(starts) == num_starts

"""Runs of `verl.trainer.main_ppo` that several test files share: each takes a minute or two, most of it imports."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from support.disturbed_runs import DisturbedRun, start_and_hit
from support.processes import children_of, listening_hosts, title_of


@pytest.fixture(scope="session")
def resumable() -> list[str]:
    """What a run of six steps is given that is to be resumed, or compared with one that was."""
    return [
        *("+recipe=edge_grpo", "+profile=cpu", "trainer.total_training_steps=6", "data.shuffle=true"),
        *("edge_grpo.seed=11", "trainer.resume_mode=auto"),
    ]


@pytest.fixture(scope="session")
def undisturbed_run(
    start_run: Callable[..., Any], resumable: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """Six steps with everything on, validated at both ends, with a checkpoint; the one run of `make test`."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    run = start_run(folder, *resumable, "trainer.test_freq=6", "trainer.save_freq=6")
    run.wait_for_step(1)
    children = children_of(run.process.pid)
    run.listening_hosts = listening_hosts(process.pid for process in children)
    run.processes = [(title_of(process), title_of(process.parent())) for process in children]
    return run.finished()


@pytest.fixture(scope="session")
def start_and_hit_once(
    start_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], DisturbedRun]:
    """start_and_hit_once(name): a run of support/disturbed_runs.py, after its end."""

    @functools.cache
    def start_and_hit_once(name: str) -> DisturbedRun:
        return start_and_hit(start_run, tmp_path_factory.mktemp(name) / "run", name)

    return start_and_hit_once


@pytest.fixture
def disturbed_run(request: pytest.FixtureRequest, start_and_hit_once: Callable[[str], DisturbedRun]) -> DisturbedRun:
    """The run that the test is marked with (`disturbed`), after two steps and its end."""
    (name,) = request.node.get_closest_marker("disturbed").args
    return start_and_hit_once(name)

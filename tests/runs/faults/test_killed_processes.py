"""SIGKILL, or a hang, in each kind of process of a real run: it ends in time, says why, and leaves nothing behind.

Which process of which run is hit, and how, is in support/disturbed_runs.py.
"""

import signal
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]


def death(run: str, process: str, message: str) -> Any:
    return pytest.param(process, message, id=process, marks=pytest.mark.disturbed(run))


@pytest.mark.parametrize(
    ("process", "message"),
    [
        death("forced_reflection", "an agent-loop worker", "the agent-loop worker"),
        death("forced_reflection_eda", "vLLM's engine", "the vLLM server at"),
        death("edge_grpo_plus", "a reward worker", "the reward worker"),
        death("gec_only", "the vLLM server", "the vLLM server"),
        death("dapo_edge", "TransferQueue's storage", "the actor (SimpleStorageUnit"),
        death("edge_grpo", "one of two training processes", "the training process (WorkerDict"),
        death("grpo", "the trainer's process", "the trainer's process has ended without giving a reason"),
    ],
)
def test_the_death_of_a_process_ends_the_run_with_its_name(
    disturbed_run: Any, log_measurement: Callable[..., None], process: str, message: str
) -> None:
    log_measurement(f"SIGKILL to {process}", disturbed_run.last_line(), disturbed_run.seconds)
    assert disturbed_run.exit_code == 1
    assert disturbed_run.last_line().startswith(f"EDGE-GRPO: {message}"), disturbed_run.last_line()
    assert disturbed_run.still_alive == []
    disturbed_run.check_metrics()


@pytest.mark.disturbed("eda_only")
def test_the_death_of_the_driver_leaves_no_process_behind(
    disturbed_run: Any, log_measurement: Callable[..., None]
) -> None:
    log_measurement("SIGKILL to the driver", "(nothing; the shell says that it was killed)", disturbed_run.seconds)
    assert disturbed_run.exit_code == -signal.SIGKILL
    assert disturbed_run.still_alive == []
    disturbed_run.check_metrics()


@pytest.mark.disturbed("edge_grpo_paper")
def test_an_engine_that_hangs_ends_the_run_after_the_time_allowed(
    disturbed_run: Any, log_measurement: Callable[..., None]
) -> None:
    fault = "vLLM's engine hangs (`edge_grpo.stall_seconds=20`)"
    log_measurement(fault, disturbed_run.last_line(), disturbed_run.seconds)
    assert disturbed_run.exit_code == 1
    assert "edge_grpo.stall_seconds" in disturbed_run.last_line()
    assert disturbed_run.still_alive == []
    disturbed_run.check_metrics()

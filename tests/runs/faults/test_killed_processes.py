"""SIGKILL, or a hang, in each kind of process of a real run: it ends in time, says why, and leaves nothing behind."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("fault", "name", "message"),
    [
        ("SIGKILL to an agent-loop worker", "forced_reflection", "the agent-loop worker"),
        ("SIGKILL to vLLM's engine", "forced_reflection_eda", "the vLLM server at"),
        ("SIGKILL to a reward worker", "edge_grpo_contrast", "the reward worker"),
        ("SIGKILL to the vLLM server", "gec_only", "the vLLM server"),
        ("SIGKILL to TransferQueue's storage", "dapo_edge", "the actor (SimpleStorageUnit"),
        ("SIGKILL to one of two training processes", "edge_grpo", "the training process (WorkerDict"),
        ("SIGKILL to the trainer's process", "grpo", "the trainer's process has ended without giving a reason"),
    ],
)
def test_the_death_of_a_process_ends_the_run_with_its_name(
    disturbed_run: Callable[..., Any], log_measurement: Callable[..., None], fault: str, name: str, message: str
) -> None:
    run = disturbed_run(name)
    log_measurement(fault, run.last_line(), run.seconds)
    assert run.exit_code == 1
    assert run.last_line().startswith(f"EDGE-GRPO: {message}"), run.last_line()
    assert run.still_alive == []
    run.check_metrics()


def test_the_death_of_the_driver_leaves_no_process_behind(
    disturbed_run: Callable[..., Any], log_measurement: Callable[..., None]
) -> None:
    run = disturbed_run("eda_only")
    log_measurement("SIGKILL to the driver", "(nothing; the shell says that it was killed)", run.seconds)
    assert run.exit_code == -signal.SIGKILL
    assert run.still_alive == []
    run.check_metrics()


def test_an_engine_that_hangs_ends_the_run_after_the_time_allowed(
    disturbed_run: Callable[..., Any], log_measurement: Callable[..., None]
) -> None:
    run = disturbed_run("edge_grpo_paper")
    log_measurement("vLLM's engine hangs (`edge_grpo.stall_seconds=20`)", run.last_line(), run.seconds)
    assert run.exit_code == 1
    assert "edge_grpo.stall_seconds" in run.last_line()
    assert run.still_alive == []
    run.check_metrics()

"""SIGKILL, or a hang, in each kind of process of a real run: it ends in time, says why, and leaves nothing behind."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]


def same_way(*values: str) -> Any:
    """A fault that is noticed in the same way as another one of these."""
    return pytest.param(*values, marks=pytest.mark.exhaustive)


@pytest.mark.parametrize(
    ("fault", "title", "message"),
    [
        ("SIGKILL to an agent-loop worker", "ray::EdgeGRPOAgentLoopWorker", "the agent-loop worker"),
        ("SIGKILL to vLLM's engine", "VLLM::EngineCore", "the vLLM server at"),
        same_way("SIGKILL to a reward worker", "ray::RewardLoopWorker", "the reward worker"),
        same_way("SIGKILL to the vLLM server", "ray::vLLMHttpServer", "the vLLM server"),
        same_way("SIGKILL to TransferQueue's storage", "ray::SimpleStorageUnit", "the actor (SimpleStorageUnit"),
    ],
)
def test_the_death_of_a_process_ends_the_run_with_its_name(
    disturbed_run: Callable[..., Any], fault: str, title: str, message: str
) -> None:
    run = disturbed_run()
    run.hit(title)
    assert run.ends(fault) == 1
    assert run.last_line().startswith(f"EDGE-GRPO: {message}"), run.last_line()
    run.check_metrics()


@pytest.mark.exhaustive
def test_the_death_of_one_of_two_training_processes_ends_the_run_with_its_name(
    disturbed_run: Callable[..., Any],
) -> None:
    run = disturbed_run("trainer.n_gpus_per_node=2")
    run.hit("ray::WorkerDict")
    assert run.ends("SIGKILL to one of two training processes") == 1
    assert run.last_line().startswith("EDGE-GRPO: the training process (WorkerDict"), run.last_line()
    run.check_metrics()


@pytest.mark.exhaustive
def test_the_death_of_the_trainer_ends_the_run(disturbed_run: Callable[..., Any]) -> None:
    run = disturbed_run()
    run.hit("ray::TaskRunnerV1")
    assert run.ends("SIGKILL to the trainer's process") == 1
    assert run.last_line().startswith("EDGE-GRPO: the trainer's process has ended without giving a reason")
    run.check_metrics()


@pytest.mark.exhaustive
def test_the_death_of_the_driver_leaves_no_process_behind(disturbed_run: Callable[..., Any]) -> None:
    run = disturbed_run()
    run.hit("driver")
    assert run.ends("SIGKILL to the driver") == -signal.SIGKILL
    run.check_metrics()


def test_an_engine_that_hangs_ends_the_run_after_the_time_allowed(disturbed_run: Callable[..., Any]) -> None:
    run = disturbed_run("edge_grpo.stall_seconds=20")
    run.hit("VLLM::EngineCore", signal.SIGSTOP)
    assert run.ends("vLLM's engine hangs (`edge_grpo.stall_seconds=20`)") == 1
    assert "edge_grpo.stall_seconds" in run.last_line()
    run.check_metrics()

"""A run of six steps, and one that is stopped by SIGTERM and resumed: the same steps, prompts and corrections.

The resumed run also has two agent-loop workers instead of one. The other one is that of test_end_to_end.py, which is
validated besides.
"""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from recipe.edge_grpo.run.checkpoints import find_fault
from recipe.edge_grpo.run.stop_request import STOP_FILE

# The baseline, `grpo`, is compared with this run as well, so all of them belong into one process.
pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]

STEPS = [1, 2, 3, 4, 5, 6]


@pytest.fixture(scope="module")
def stopped(
    start_run: Callable[..., Any], resumable: list[str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """A run stopped in step 3 and then resumed in its folder; `left` is what was there in between."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    overrides = [*resumable, "trainer.val_before_train=false", "trainer.save_freq=-1"]
    first = start_run(folder, *overrides)
    first.ask_to_stop_in_step(3)
    first.finished()
    left = {"steps": list(first.metrics()), "log": first.log(), "stop_file": (folder / STOP_FILE).exists()}
    left["checkpoints"] = sorted(path.name for path in folder.glob("global_step_*"))
    resumed = start_run(folder, *overrides, "actor_rollout_ref.rollout.agent.num_workers=2").finished()
    return {"left": left, "run": resumed}


@pytest.fixture(scope="module")
def runs(undisturbed_run: Any, stopped: dict[str, Any]) -> tuple[Any, Any]:
    return undisturbed_run, stopped["run"]


@pytest.fixture(scope="module")
def resumed_steps(stopped: dict[str, Any]) -> list[int]:
    """The steps that were taken after the stop."""
    return STEPS[len(stopped["left"]["steps"]) :]


def test_a_run_that_is_asked_to_stop_ends_after_its_step_with_a_whole_checkpoint(stopped: dict[str, Any]) -> None:
    left = stopped["left"]
    last_step = left["steps"][-1]
    assert left["steps"] == list(range(1, last_step + 1))
    assert 3 <= last_step < 6
    assert left["checkpoints"] == [f"global_step_{last_step}"]
    assert find_fault(stopped["run"].folder / f"global_step_{last_step}") is None
    assert f"stopping after step {last_step}, as asked" in left["log"]


def test_the_request_stays_until_the_next_start(stopped: dict[str, Any]) -> None:
    assert stopped["left"]["stop_file"]
    assert not (stopped["run"].folder / STOP_FILE).exists()


def test_no_step_is_lost_or_repeated_in_the_metrics_file(runs: tuple[Any, Any]) -> None:
    undisturbed, resumed = (
        [json.loads(line)["step"] for line in (run.folder / "metrics.jsonl").read_text().splitlines()] for run in runs
    )
    assert undisturbed == [0, *STEPS]  # 0: the validation before training
    assert resumed == STEPS


def prompts(run: Any, step: int) -> list[tuple[int, str]]:
    return sorted((rollout["dataset_index"], rollout["input"]) for rollout in run.rollouts(step))


def strategies(run: Any, step: int) -> dict[tuple[int, int], str]:
    """{(prompt, session): strategy} of the corrected responses; the arithmetic data has a solution for each row."""
    return {
        (rollout["dataset_index"], int(rollout["uid"].split("_")[1])): rollout["strategy"]
        for rollout in run.rollouts(step)
        if rollout["strategy"] is not None
    }


def test_the_resumed_run_sees_the_same_prompts_in_each_step(runs: tuple[Any, Any]) -> None:
    undisturbed, resumed = runs
    for step in STEPS:
        assert prompts(resumed, step) == prompts(undisturbed, step)
    assert prompts(undisturbed, 4) != prompts(undisturbed, 5)


def first_passes(run: Any, step: int) -> dict[tuple[int, int], str]:
    """{(prompt, session): what the policy wrote by itself}."""
    return {
        (rollout["dataset_index"], int(rollout["uid"].split("_")[1])): (
            rollout["output"] if rollout["first_pass_text"] is None else rollout["first_pass_text"]
        )
        for rollout in run.rollouts(step)
    }


def test_both_runs_sample_the_same_first_passes_and_continuations_until_the_weights_differ(
    runs: tuple[Any, Any],
) -> None:
    """In step 1 both have the weights of the model folder."""
    undisturbed, resumed = runs
    one, other = first_passes(undisturbed, 1), first_passes(resumed, 1)
    assert len(set(one.values())) > 8  # not one response for all sessions of a prompt
    # vLLM's logits depend in their last digits on what it batches, so a token can fall otherwise once in a while.
    assert one.keys() == other.keys()
    assert sum(one[place] != other[place] for place in one) <= 2
    names = ["edge_grpo/accuracy/first_pass", "edge_grpo/accuracy/after_gec", "edge_grpo/entropy/mean"]
    reported = [{name: run.metrics()[1][name] for name in names} for run in runs]
    assert reported[1] == pytest.approx(reported[0], abs=0.05)


def test_what_failed_in_both_runs_got_the_same_correction(runs: tuple[Any, Any], resumed_steps: list[int]) -> None:
    num_compared = 0
    for step in resumed_steps:
        one, other = (strategies(run, step) for run in runs)
        both = one.keys() & other.keys()
        assert {place: one[place] for place in both} == {place: other[place] for place in both}
        num_compared += len(both)
    assert num_compared > 15 * len(resumed_steps)


def test_corrections_are_those_of_the_documented_draw(runs: tuple[Any, Any]) -> None:
    for run in runs:
        for step in STEPS:
            for (index, session), strategy in strategies(run, step).items():
                generator = random.Random(f"11/{step}/{index}/{session}")
                (drawn,) = generator.choices(["reflection", "answer", "solution"], weights=[0.5, 0.25, 0.25])
                assert strategy == drawn

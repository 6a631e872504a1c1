"""Every preset trains on the CPU, each with an option switched on, so that it is seen at work in its first two steps.

`edge_grpo` is trained in test_end_to_end.py, the asynchronous trainers in test_async_trainers.py. What happens to the
runs afterwards is the matter of faults/test_killed_processes.py.
"""

import itertools
import statistics
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]

TWO_STEPS = ["+profile=cpu", "trainer.total_training_steps=2", "trainer.val_before_train=false", "trainer.save_freq=-1"]


@pytest.fixture
def trained(disturbed_run: Any) -> Any:
    """A run that has taken two steps, in both of which the weights have changed."""
    assert all(metrics["actor/grad_norm"] > 0 for metrics in disturbed_run.first_two_steps().values())
    return disturbed_run


def ours(run: Any) -> list[dict[str, float]]:
    """The metrics of the two steps, without their prefix."""
    return [
        {name.removeprefix("edge_grpo/"): value for name, value in metrics.items()}
        for metrics in run.first_two_steps().values()
    ]


@pytest.mark.disturbed("grpo")
def test_the_baseline_corrects_nothing_and_scales_nothing(trained: Any) -> None:
    metrics = trained.run.metrics()[1]
    assert metrics["edge_grpo/accuracy/first_pass"] == metrics["edge_grpo/accuracy/after_gec"]
    assert metrics["edge_grpo/gec/tokens_injected"] == 0
    assert metrics["edge_grpo/entropy_ratio/min"] == metrics["edge_grpo/entropy_ratio/max"] == 1
    assert metrics["edge_grpo/advantage_variance/before_eda"] == metrics["edge_grpo/advantage_variance/after_eda"]


@pytest.mark.disturbed("grpo")
def test_validation_scores_of_one_checkpoint_are_equal_with_and_without_correction(
    undisturbed_run: Any, trained: Any
) -> None:
    with_correction, without = undisturbed_run.metrics()[0], trained.run.metrics()[0]
    scores = {name: value for name, value in with_correction.items() if name.startswith("val-core/")}
    assert scores
    assert {name: without[name] for name in scores} == scores


@pytest.mark.disturbed("eda_only")
def test_eda_only_with_the_sampled_entropy_in_bypass_mode(trained: Any) -> None:
    for metrics in ours(trained):
        assert metrics["accuracy/first_pass"] == metrics["accuracy/after_gec"]
        assert metrics["entropy/mean"] > 0
        assert metrics["entropy_ratio/min"] < 1 < metrics["entropy_ratio/max"]
        assert "actor/entropy" not in metrics  # verl measures it in the pass that was skipped


@pytest.mark.disturbed("gec_only")
def test_gec_only_with_half_the_weight_on_injected_text(trained: Any) -> None:
    for metrics in ours(trained):
        assert metrics["accuracy/first_pass"] < metrics["accuracy/after_gec"]
        assert metrics["entropy_ratio/min"] == metrics["entropy_ratio/max"] == 1


@pytest.mark.disturbed("forced_reflection")
def test_forced_reflection_in_two_rounds_with_two_texts(trained: Any) -> None:
    for metrics in ours(trained):
        assert metrics["gec/answer"] == metrics["gec/solution"] == 0
        assert metrics["gec/reflection"] < metrics["gec/reflection_rounds"] <= 2 * metrics["gec/reflection"]
    reflected = [rollout for rollout in trained.run.rollouts(2) if rollout["strategy"] == "reflection"]
    assert reflected
    assert all(rollout["tokens_regenerated"] <= 2 * 24 for rollout in reflected)
    assert all(rollout["output"].startswith(rollout["first_pass_text"].rstrip()) for rollout in reflected)


@pytest.mark.disturbed("forced_reflection_eda")
def test_forced_reflection_with_eda_to_the_mean_of_the_batch(trained: Any) -> None:
    for metrics in ours(trained):
        assert metrics["gec/reflection"] > 0
        assert metrics["entropy_ratio/min"] < 1 < metrics["entropy_ratio/max"]


@pytest.mark.disturbed("edge_grpo_paper")
def test_the_paper_with_one_prompt_a_step(trained: Any) -> None:
    assert all(len(trained.run.rollouts(step)) == 8 for step in (1, 2))
    for metrics in ours(trained):
        assert metrics["entropy_ratio/clipped_fraction"] == 0


@pytest.mark.disturbed("edge_grpo_plus")
def test_the_contrast_guard_leaves_no_group_without_contrast_that_was_not_all_correct(
    trained: Any,
) -> None:
    """With policy shaping of injected text, through verl's registry of policy losses."""
    for metrics in ours(trained):
        assert metrics["groups/zero_variance_after_gec"] == metrics["groups/all_correct_before_gec"]
        assert metrics["groups/all_wrong_before_gec"] > 0
        assert metrics["gec/guard_sure"] == 8 * metrics["groups/all_wrong_before_gec"]
        assert metrics["gec/guard_without_sure_correction"] == 0


@pytest.mark.disturbed("edge_grpo_plus")
def test_the_failed_first_pass_is_out_of_the_loss(trained: Any) -> None:
    for metrics in ours(trained):
        assert metrics["gec/reflection"] + metrics["gec/answer"] > 0
        assert metrics["gec/tokens_failed_prefix"] > 0


@pytest.mark.disturbed("dapo_edge")
def test_dynamic_sampling_drops_groups_by_their_corrected_rewards(trained: Any) -> None:
    for metrics in ours(trained):
        assert metrics["groups/zero_variance_after_gec"] == 0
    # all-wrong groups were revived before the filter saw them
    assert sum(metrics["groups/all_wrong_before_gec"] for metrics in ours(trained)) > 0


@pytest.mark.disturbed("edge_grpo")
def test_hints_give_all_wrong_groups_another_prompt(trained: Any) -> None:
    """What no hint could help is corrected otherwise, on the prompt that it was sampled from first."""
    for metrics in ours(trained):
        assert not any(value for name, value in metrics.items() if name.startswith("gec/hint_skipped"))
        assert metrics["gec/tokens_resampled"] >= metrics["gec/hints_tried"] * 8  # of 8 responses each
    assert sum(metrics["gec/hints_tried"] for metrics in ours(trained)) > 0
    rollouts = [rollout for step in (1, 2) for rollout in trained.run.rollouts(step)]
    assert any(rollout["strategy"] == "hint" for rollout in rollouts)
    assert all((rollout["strategy"] == "hint") == ("Hint: a solution" in rollout["input"]) for rollout in rollouts)
    assert all((rollout["strategy"] == "hint") == (rollout["hint_number"] is not None) for rollout in rollouts)


@pytest.mark.disturbed("edge_grpo")
def test_two_training_processes_and_two_vllm_replicas_train_two_steps(trained: Any) -> None:
    assert (trained.num_training_processes, trained.num_servers) == (2, 2)
    for step in (1, 2):
        assert len(trained.run.rollouts(step)) == 8 * 8


def test_luffy_has_a_solution_in_every_group(start_run: Callable[..., Any], tmp_path: Path) -> None:
    run = start_run(tmp_path / "run", "+recipe=luffy", *TWO_STEPS).finished()
    replaced_accuracies = []
    for step in (1, 2):
        rollouts, metrics = run.rollouts(step), run.metrics()[step]
        for _, group in itertools.groupby(sorted(rollouts, key=itemgetter("group")), key=itemgetter("group")):
            responses = list(group)
            (solution,) = [response for response in responses if response["strategy"] is not None]
            assert len(responses) == 8
            assert solution["strategy"] == "solution" and solution["score"] == 1
            assert solution["injected_texts"] == [solution["output"]]
            replaced_accuracies.append(solution["first_pass_accuracy"])
            # the advantage is over all eight, centred and not divided
            mean = statistics.fmean(response["score"] for response in responses)
            for response in responses:
                assert response["advantage"] == pytest.approx(response["score"] - mean, abs=1e-6)
        first_passes = [response["first_pass_accuracy"] for response in rollouts]
        assert metrics["edge_grpo/accuracy/first_pass"] == pytest.approx(statistics.fmean(first_passes))
        assert metrics["edge_grpo/gec/failed_fraction"] == pytest.approx(first_passes.count(0.0) / 64)
        assert metrics["edge_grpo/gec/solution"] == 8
        assert metrics["edge_grpo/gec/solution_success_rate"] == 1
        assert metrics["edge_grpo/groups/all_wrong_after_gec"] == 0
        assert metrics["actor/grad_norm"] > 0
    assert set(replaced_accuracies) == {0.0, 1.0}  # right ones make place as well

"""Every preset trains two steps on the CPU; each run also switches on an option, so that it is seen at work.

Real runs of verl. `edge_grpo` and `grpo` are trained in test_end_to_end.py, the asynchronous trainers in
test_async_trainers.py.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]

LOG_PROBS = "actor_rollout_ref.rollout.calculate_log_probs=true"


@pytest.fixture
def trained(start_run: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """trained(recipe, *overrides): a finished run of two steps."""

    def trained(recipe: str, *overrides: str) -> Any:
        common = [f"+recipe={recipe}", "+profile=cpu", "trainer.total_training_steps=2"]
        common += ["trainer.val_before_train=false", "trainer.save_freq=-1"]
        run = start_run(tmp_path / "run", *common, *overrides).finished()
        assert set(run.metrics()) == {1, 2}
        assert all(metrics["actor/grad_norm"] > 0 for metrics in run.metrics().values())
        return run

    return trained


def ours(run: Any) -> list[dict[str, float]]:
    """The metrics of each step, without their prefix."""
    return [
        {name.removeprefix("edge_grpo/"): value for name, value in metrics.items()}
        for metrics in run.metrics().values()
    ]


def test_eda_only_with_the_sampled_entropy_in_bypass_mode(trained: Callable[..., Any]) -> None:
    bypass = "algorithm.rollout_correction.bypass_mode=true"
    run = trained("eda_only", "edge_grpo.eda.entropy=sampled", LOG_PROBS, bypass)
    for metrics in ours(run):
        assert metrics["accuracy/first_pass"] == metrics["accuracy/after_gec"]
        assert metrics["entropy/mean"] > 0
        assert metrics["entropy_ratio/min"] < 1 < metrics["entropy_ratio/max"]
        assert "actor/entropy" not in metrics  # verl measures it in the pass that was skipped


@pytest.mark.exhaustive
def test_gec_only_with_half_the_weight_on_injected_text(trained: Callable[..., Any]) -> None:
    run = trained("gec_only", "edge_grpo.gec.injected_loss=weight", "edge_grpo.gec.injected_weight=0.5")
    for metrics in ours(run):
        assert metrics["accuracy/first_pass"] < metrics["accuracy/after_gec"]
        assert metrics["entropy_ratio/min"] == metrics["entropy_ratio/max"] == 1


@pytest.mark.exhaustive
def test_forced_reflection_in_two_rounds_with_two_texts(trained: Callable[..., Any]) -> None:
    texts = ' Wait! Something is wrong here.", " Wait! Something is wrong'
    run = trained(
        "forced_reflection",
        f'edge_grpo.gec.reflection_texts=["{texts}"]',
        "edge_grpo.gec.reflection_rounds=2",
        "edge_grpo.gec.max_new_tokens=24",
    )
    for metrics in ours(run):
        assert metrics["gec/answer"] == metrics["gec/solution"] == 0
        assert metrics["gec/reflection"] < metrics["gec/reflection_rounds"] <= 2 * metrics["gec/reflection"]
    reflected = [rollout for rollout in run.rollouts(2) if rollout["strategy"] == "reflection"]
    assert all(rollout["tokens_regenerated"] <= 2 * 24 for rollout in reflected)
    assert all(rollout["output"].startswith(rollout["first_pass_text"].rstrip()) for rollout in reflected)


@pytest.mark.exhaustive
def test_forced_reflection_with_eda_to_the_mean_of_the_batch(trained: Callable[..., Any]) -> None:
    run = trained("forced_reflection_eda", "edge_grpo.eda.mean=batch", "edge_grpo.gec.injected_loss=mask")
    for metrics in ours(run):
        assert metrics["gec/reflection"] > 0
        assert metrics["entropy_ratio/min"] < 1 < metrics["entropy_ratio/max"]


def test_the_paper_with_one_prompt_a_step(trained: Callable[..., Any]) -> None:
    # what the profile sets for its own batch of eight
    run = trained("edge_grpo_paper", "data.train_batch_size=1", "actor_rollout_ref.actor.optim.lr=1e-6")
    assert all(len(run.rollouts(step)) == 8 for step in (1, 2))
    for metrics in ours(run):
        assert metrics["entropy_ratio/clipped_fraction"] == 0


def test_the_contrast_guard_leaves_no_group_without_contrast_that_was_not_all_correct(
    trained: Callable[..., Any],
) -> None:
    """With policy shaping of injected text, through verl's registry of policy losses."""
    loss_mode = "actor_rollout_ref.actor.policy_loss.loss_mode=edge_grpo_shaped"
    run = trained("edge_grpo_contrast", "edge_grpo.gec.injected_loss=shaped", loss_mode)
    for metrics in ours(run):
        assert metrics["groups/zero_variance_after_gec"] == metrics["groups/all_correct_before_gec"]
        assert metrics["groups/all_wrong_before_gec"] > 0
        assert metrics["gec/guard_sure"] == 8 * metrics["groups/all_wrong_before_gec"]
        assert metrics["gec/guard_without_sure_correction"] == 0


def test_dynamic_sampling_drops_groups_by_their_corrected_rewards(trained: Callable[..., Any]) -> None:
    run = trained("dapo_edge")
    for metrics in ours(run):
        assert metrics["groups/zero_variance_after_gec"] == 0
    # all-wrong groups were revived before the filter saw them
    assert sum(metrics["groups/all_wrong_before_gec"] for metrics in ours(run)) > 0

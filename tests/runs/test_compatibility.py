"""Options of verl that many use, seen at work in shared runs; docs/compatibility.md names these tests."""

from typing import Any

import pytest

pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]


@pytest.mark.disturbed("gec_only")
def test_a_reference_policy_penalises_loss_and_reward_on_the_cpu(disturbed_run: Any) -> None:
    first, second = disturbed_run.first_two_steps().values()
    for metrics in (first, second):
        assert {"actor/kl_loss", "actor/reward_kl_penalty"} <= set(metrics)
    # the policy is the reference until its first update
    assert first["actor/reward_kl_penalty"] == pytest.approx(0, abs=1e-6)
    assert second["actor/reward_kl_penalty"] != pytest.approx(0, abs=1e-6)


@pytest.mark.disturbed("gec_only")
def test_rloo_trains_with_importance_weights_and_offloaded_parameters(disturbed_run: Any) -> None:
    for metrics in disturbed_run.first_two_steps().values():
        assert metrics["actor/grad_norm"] > 0
        # sampled tokens: rollout and training agree on this machine
        assert metrics["rollout_corr/rollout_is_mean"] == pytest.approx(1, abs=0.01)


@pytest.mark.disturbed("forced_reflection_eda")
def test_lora_trains_two_epochs_of_two_mini_batches(disturbed_run: Any) -> None:
    for metrics in disturbed_run.first_two_steps().values():
        assert metrics["actor/grad_norm"] > 0
        # after the first of the four updates the policy is no longer the one that sampled
        assert metrics["actor/ppo_kl"] != 0


@pytest.mark.disturbed("forced_reflection_eda")
def test_metrics_go_to_tensorboard_beside_the_metrics_file(disturbed_run: Any) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (events,) = disturbed_run.run.folder.rglob("events.out.tfevents.*")
    shown = EventAccumulator(str(events)).Reload()
    logged = {event.step: event.value for event in shown.Scalars("edge_grpo/accuracy/after_gec")}
    for step, metrics in disturbed_run.first_two_steps().items():
        assert logged[step] == pytest.approx(metrics["edge_grpo/accuracy/after_gec"])

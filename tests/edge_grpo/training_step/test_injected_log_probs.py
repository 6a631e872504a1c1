"""Injected tokens get the old log-probability, so that verl's comparison with the rollout counts them as equal."""

import numpy as np
import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


def test_injected_tokens_get_the_old_log_probability_and_no_other_token_changes(store, build, field_of, monkeypatch):
    from verl.trainer.ppo.v1 import PPOTrainerSync

    # verl's own pass has stored the old log-probabilities already
    monkeypatch.setattr(PPOTrainerSync, "_compute_old_log_prob", lambda self, batch, metrics: batch)
    batch, metrics = store(batch_multiple=5, rollout_log_prob=-1.5, old_log_prob=-1.0), {}
    before = field_of(batch, "rollout_log_probs")
    trainer = build("edge_grpo", "actor_rollout_ref.rollout.calculate_log_probs=true")
    assert trainer._compute_old_log_prob(batch, metrics) is batch
    after = field_of(batch, "rollout_log_probs")
    injected = {"a_2_0": [1], "b_0_0": [0, 1], "d_1_0": [0, 1, 2]}
    for key, values in after.items():
        expected = [-1.0 if place in injected.get(key, []) else old for place, old in enumerate(before[key])]
        assert values == expected, key
    assert field_of(batch, "old_log_probs")["a_2_0"] == [-1.0] * 4
    # verl's comparison: 19 tokens, of which 6 are injected and equal now; the others differ by e^-1 - e^-1.5
    difference = np.exp(-1.0) - np.exp(-1.5)
    assert metrics["training/rollout_probs_diff_max"] == pytest.approx(difference, rel=1e-5)
    assert metrics["training/rollout_probs_diff_mean"] == pytest.approx(difference * 13 / 19, rel=1e-5)


def test_filling_twice_is_filling_once(store, fill, field_of):
    batch = store(rollout_log_prob=-1.5)
    results = []
    for _ in range(2):
        fill(batch)
        results.append(field_of(batch, "rollout_log_probs"))
    assert results[0] == results[1]


def test_verls_rollout_correction_gives_injected_tokens_the_weight_1(store, build, fill, field_of):
    trainer = build(
        "edge_grpo",
        "algorithm.rollout_correction.rollout_is=token",
        "algorithm.rollout_correction.rollout_is_threshold=10.0",
    )
    batch = store(rollout_log_prob=-1.5, old_log_prob=-1.0)
    fill(batch)
    trainer._compute_advantage(batch, {})
    weights = field_of(batch, "rollout_is_weights")
    sampled = float(np.exp(-1.0 + 1.5))
    assert weights["a_2_0"] == pytest.approx([sampled, 1.0, sampled, sampled], rel=1e-5)
    assert weights["d_1_0"] == [1.0, 1.0, 1.0]
    assert weights["a_0_0"] == pytest.approx([sampled] * 3, rel=1e-5)

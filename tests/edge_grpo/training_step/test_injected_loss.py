"""What each choice of `edge_grpo.gec.injected_loss` leaves in TransferQueue, by the table in conftest.py.

choice   response_mask   rollout_log_probs            advantages           rollout_is_weights
train    1               the old log-probability      A                    1 (if rollout correction is on)
mask     0               the old log-probability      0                    as verl's: does not count
weight   1               the old log-probability      w * A                1 (if rollout correction is on)
shaped   1               the old log-probability      A                    -1: the mark of an injected token
"""

import dataclasses

import numpy as np
import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

INJECTED = {"a_2_0": [1], "b_0_0": [0, 1], "d_1_0": [0, 1, 2]}
TIS = ["algorithm.rollout_correction.rollout_is=token", "algorithm.rollout_correction.rollout_is_threshold=10.0"]
WEIGHT = ["edge_grpo.gec.injected_loss=weight", "edge_grpo.gec.injected_weight=0.25"]
SHAPED = ["edge_grpo.gec.injected_loss=shaped", "actor_rollout_ref.actor.policy_loss.loss_mode=edge_grpo_shaped"]


def masked(row):
    """The row as the worker stores it with injected_loss=mask."""
    spans = () if row.record is None else row.record.injected_spans
    injected = {place for start, end in spans for place in range(start, end)}
    return dataclasses.replace(row, response_mask=[int(place not in injected) for place in range(len(row.entropy))])


@pytest.fixture
def after_step(store, build, fill, field_of):
    """after_step(*overrides): the padded batch after old log-probabilities and advantage, {field: {key: values}}."""

    def after_step(*overrides, rows=None, fields=("advantages", "response_mask", "rollout_log_probs")):
        trainer = build("edge_grpo", *overrides)
        arguments = {} if rows is None else {"rows": rows}
        batch = store(**arguments, batch_multiple=5, rollout_log_prob=-1.5, old_log_prob=-1.0)
        fill(batch)
        trainer._compute_advantage(batch, {})
        return {
            name: {key: values for key, values in field_of(batch, name).items() if not key.startswith("pad")}
            for name in fields
        }

    return after_step


def test_a_weight_scales_the_advantage_of_injected_tokens_and_of_no_other(after_step):
    trained, weighted = after_step(), after_step(*WEIGHT)
    for key, advantages in trained["advantages"].items():
        places = INJECTED.get(key, [])
        expected = [value * (0.25 if place in places else 1) for place, value in enumerate(advantages)]
        assert weighted["advantages"][key] == pytest.approx(expected), key
    assert trained["advantages"]["d_1_0"][0] != 0  # something was scaled
    assert weighted["response_mask"] == trained["response_mask"]
    assert weighted["rollout_log_probs"] == trained["rollout_log_probs"]


def test_a_weight_scales_the_advantage_of_the_failed_first_pass_and_of_no_other(after_step, table):
    # of a2 the token before the reflection text; places 2 and 3 are its continuation
    rows = [
        dataclasses.replace(row, record=dataclasses.replace(row.record, failed_prefix_spans=((0, 1),)))
        if row.key == "a_2_0"
        else row
        for row in table
    ]
    trained = after_step(rows=rows)["advantages"]
    choice = ["edge_grpo.gec.failed_prefix_loss.reflection=weight", "edge_grpo.gec.failed_prefix_weight=0.25"]
    weighted = after_step(*choice, rows=rows)["advantages"]
    assert weighted["a_2_0"] == pytest.approx([0.25 * trained["a_2_0"][0], *trained["a_2_0"][1:]])
    assert trained["a_2_0"][0] != 0
    assert {key: values for key, values in weighted.items() if key != "a_2_0"} == {
        key: values for key, values in trained.items() if key != "a_2_0"
    }
    both = after_step(*choice, *WEIGHT, rows=rows)["advantages"]["a_2_0"]
    assert both == pytest.approx([0.25 * trained["a_2_0"][0], 0.25 * trained["a_2_0"][1], *trained["a_2_0"][2:]])


def test_a_weight_of_1_is_train(after_step):
    assert after_step(WEIGHT[0], "edge_grpo.gec.injected_weight=1") == after_step()


def test_marks_of_injected_tokens_stand_where_verls_importance_weights_stand(after_step):
    result = after_step(*SHAPED, fields=("advantages", "rollout_is_weights"))
    for key, weights in result["rollout_is_weights"].items():
        places = INJECTED.get(key, [])
        assert weights == [-1.0 if place in places else 1.0 for place in range(len(weights))], key
    assert result["advantages"] == after_step()["advantages"]


def test_verls_workers_are_told_of_the_marks(store, build):
    """They fetch the fields that the returned batch names."""
    batch = store(batch_multiple=5)
    result = build("edge_grpo", *SHAPED)._compute_advantage(batch, {})
    assert {"rollout_is_weights", "advantages", "old_log_probs", "response_mask"} <= set(result.fields)
    assert result.keys == batch.keys


def test_importance_weights_of_verls_rollout_correction_stay_beside_the_marks(after_step):
    weights = after_step(*SHAPED, *TIS, fields=("rollout_is_weights",))["rollout_is_weights"]
    sampled = float(np.exp(-1.0 + 1.5))
    assert weights["a_2_0"] == pytest.approx([sampled, -1.0, sampled, sampled], rel=1e-5)
    assert weights["d_1_0"] == [-1.0, -1.0, -1.0]
    assert weights["a_0_0"] == pytest.approx([sampled] * 3, rel=1e-5)


def test_masked_text_has_no_advantage_and_leaves_that_of_all_other_tokens_alone(after_step, table):
    trained = after_step()
    result = after_step("edge_grpo.gec.injected_loss=mask", rows=[masked(row) for row in table])
    for key, advantages in trained["advantages"].items():
        places = INJECTED.get(key, [])
        expected = [0.0 if place in places else value for place, value in enumerate(advantages)]
        assert result["advantages"][key] == pytest.approx(expected), key
    assert result["rollout_log_probs"] == trained["rollout_log_probs"]


def test_masked_text_does_not_count_in_verls_rollout_correction(store, build, fill, table):
    metrics = {}
    trainer = build("edge_grpo", "edge_grpo.gec.injected_loss=mask", *TIS)
    batch = store([masked(row) for row in table], rollout_log_prob=-1.5, old_log_prob=-1.0)
    fill(batch)
    trainer._compute_advantage(batch, metrics)
    # every token that counts was sampled: all weights are the same, where injected ones of weight 1 would show
    assert metrics["rollout_corr/rollout_is_mean"] == pytest.approx(float(np.exp(0.5)), rel=1e-5)
    assert metrics["rollout_corr/rollout_is_min"] == pytest.approx(float(np.exp(0.5)), rel=1e-5)


def test_a_solution_that_the_loss_does_not_see_still_gives_its_group_contrast(store, build, table):
    metrics = {}
    trainer = build("edge_grpo", "edge_grpo.gec.injected_loss=mask")
    trainer._compute_advantage(store([masked(row) for row in table]), metrics)
    assert metrics["edge_grpo/groups/zero_variance_after_gec"] == 2 / 4
    # as in test_metrics.py: a and d have variance 1, b has 0
    assert metrics["edge_grpo/advantage_variance/before_eda"] == pytest.approx(2 / 3, rel=1e-5)

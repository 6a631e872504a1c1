"""The advantages that `_compute_advantage` stores, by the table in conftest.py and by verl's own."""

import dataclasses
import types

import numpy as np
import pytest
import torch

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

EPSILON = 1e-6
RATIOS = {"a0": 0.5, "a2": 1.5, "b0": 0.5, "b1": 1.5}


def advantage_by_hand(row, ratios):
    """A / ratio, from the table in conftest.py."""
    third, half = 3**-0.5 + EPSILON, 2**-0.5 + EPSILON
    raw = {
        "a0": (1 / 3) / third,
        "a1": (-2 / 3) / third,
        "a2": (1 / 3) / third,
        "b0": 0.0,
        "b1": 0.0,
        "c0": 1 / (1 + EPSILON),
        "d0": -0.5 / half,
        "d1": 0.5 / half,
    }
    name = f"{row.uid}{row.session}"
    return raw[name] / ratios.get(name, 1.0)


def test_advantages_are_those_of_the_table(store, build, field_of, table):
    batch = store(batch_multiple=5)
    assert len(batch) == 10  # two padding rows
    build("edge_grpo")._compute_advantage(batch, {})
    advantages = field_of(batch, "advantages")
    for row in table:
        assert advantages[row.key] == pytest.approx([advantage_by_hand(row, RATIOS)] * len(row.entropy), rel=1e-5)
    assert [advantages[key] for key in batch.keys[len(table) :]] == [[0.0], [0.0]]
    assert field_of(batch, "returns") == advantages


def test_bounds_on_the_ratio_reach_the_advantage_and_are_counted(store, build, field_of, table):
    metrics, batch = {}, store(batch_multiple=5)
    build("edge_grpo", "edge_grpo.eda.clip=[0.8,1.2]")._compute_advantage(batch, metrics)
    advantages = field_of(batch, "advantages")
    bounded = {"a0": 0.8, "a2": 1.2, "b0": 0.8, "b1": 1.2}
    for row in table:
        assert advantages[row.key][0] == pytest.approx(advantage_by_hand(row, bounded), rel=1e-5)
    assert metrics["edge_grpo/entropy_ratio/clipped_fraction"] == 4 / 8
    assert metrics["edge_grpo/entropy_ratio/min"] == pytest.approx(0.8)
    assert metrics["edge_grpo/entropy_ratio/max"] == pytest.approx(1.2)


@pytest.mark.parametrize("entropy", [0.0, 0.7])
def test_with_neutral_entropies_the_advantages_are_verls_grpo(store, build, field_of, table, entropy):
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    rows = [dataclasses.replace(row, entropy=[entropy] * len(row.entropy)) for row in table]
    batch = store(rows, batch_multiple=5)
    build("edge_grpo")._compute_advantage(batch, {})
    advantages = field_of(batch, "advantages")
    verls, _ = compute_grpo_outcome_advantage(
        torch.tensor([[row.reward] for row in rows]),
        torch.ones(len(rows), 1),
        np.array([row.uid for row in rows], dtype=object),
    )
    for row, (expected,) in zip(rows, verls.tolist(), strict=True):
        assert advantages[row.key] == pytest.approx([expected] * len(row.entropy), abs=1e-6)


def test_recipe_grpo_leaves_verls_advantages_bit_identical(store, build, field_of, table):
    from verl.trainer.ppo.v1 import PPOTrainerSync

    batch, stock_batch = store(batch_multiple=5), store(batch_multiple=5)
    trainer, metrics = build("grpo"), {}
    trainer._compute_advantage(batch, metrics)
    PPOTrainerSync._compute_advantage(types.SimpleNamespace(config=trainer.config), stock_batch, {})
    with_plugin, stock = field_of(batch, "advantages"), field_of(stock_batch, "advantages")
    assert [with_plugin[row.key] for row in table] == [stock[row.key] for row in table]
    # no entropy ratio was used
    assert metrics["edge_grpo/entropy_ratio/min"] == metrics["edge_grpo/entropy_ratio/max"] == 1.0
    assert metrics["edge_grpo/entropy_ratio/clipped_fraction"] == 0.0
    assert metrics["edge_grpo/advantage_variance/before_eda"] == metrics["edge_grpo/advantage_variance/after_eda"]
    assert metrics["edge_grpo/entropy/mean"] == pytest.approx(10.9 / 8)


def test_several_outputs_of_a_session_are_refused_with_the_key(store, build):
    batch = store()
    batch.keys[3] = "a_1_1"
    with pytest.raises(ValueError, match="agent-loop output a_1_1.*several outputs a session"):
        build("edge_grpo")._compute_advantage(batch, {})

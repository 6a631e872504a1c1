"""Where the entropy of a response comes from and what it is compared with, by the table in conftest.py."""

import dataclasses

import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

LOG_PROBS = "actor_rollout_ref.rollout.calculate_log_probs=True"
SAMPLED = ["edge_grpo.eda.entropy=sampled", "edge_grpo.eda.tokens=sampled", LOG_PROBS]
BYPASS = ["algorithm.rollout_correction.bypass_mode=True", "edge_grpo.gec.injected_loss=mask"]


@pytest.fixture
def first_advantages(store, build, field_of):
    """first_advantages(rows, *overrides, **stored): {key: advantage of the response}, and the metrics."""

    def first_advantages(rows, *overrides, **stored):
        batch, metrics = store(rows, batch_multiple=5, **stored), {}
        build("edge_grpo", *overrides)._compute_advantage(batch, metrics)
        advantages = {key: values[0] for key, values in field_of(batch, "advantages").items()}
        return advantages, metrics

    return first_advantages


def test_with_only_sampled_tokens_injected_ones_leave_the_mean(first_advantages, table):
    # a2 has entropies 1.2 at all four places; let its injected token (place 1) have 8, and nothing must change
    rows = [dataclasses.replace(row, entropy=[1.2, 8.0, 1.2, 1.2]) if row.key == "a_2_0" else row for row in table]
    plain, _ = first_advantages(table, "edge_grpo.eda.tokens=sampled")
    changed, _ = first_advantages(rows, "edge_grpo.eda.tokens=sampled")
    assert {key: changed[key] for key in ("a_0_0", "a_1_0", "a_2_0")} == {
        key: plain[key] for key in ("a_0_0", "a_1_0", "a_2_0")
    }
    all_tokens, _ = first_advantages(rows)
    assert all_tokens["a_2_0"] != pytest.approx(changed["a_2_0"])


def test_a_response_without_a_sampled_token_is_neutral_and_does_not_count_in_its_group(first_advantages, table):
    # d1 is a reference solution of entropy 2 all over: with all tokens it counts, with sampled ones d0 is alone
    rows = [dataclasses.replace(row, entropy=[9.0, 9.0, 9.0]) if row.key == "d_1_0" else row for row in table]
    advantages, metrics = first_advantages(rows, "edge_grpo.eda.tokens=sampled")
    half = 2**-0.5 + 1e-6
    assert advantages["d_1_0"] == pytest.approx(0.5 / half, rel=1e-5)
    assert advantages["d_0_0"] == pytest.approx(-0.5 / half, rel=1e-5)  # its ratio is 2 / 2
    # b0 is injected all over too; of the wrong ones a1, b1 and d0 have an entropy: (0.8 + 3 + 2) / 3
    assert metrics["edge_grpo/entropy/wrong"] == pytest.approx(5.8 / 3, rel=1e-5)


def test_the_mean_of_the_batch_leaves_padding_out(first_advantages, table):
    advantages, metrics = first_advantages(table, "edge_grpo.eda.mean=batch")
    mean = 10.9 / 8  # as in test_metrics.py
    third = 3**-0.5 + 1e-6
    assert advantages["a_0_0"] == pytest.approx((1 / 3) / third / (0.4 / mean), rel=1e-5)
    assert metrics["edge_grpo/entropy_ratio/max"] == pytest.approx(3 / mean, rel=1e-5)


def test_the_sampled_entropy_is_the_mean_negative_log_probability_of_the_rollout(first_advantages, table):
    # every sampled token has log-probability -1.5: all ratios are 1, and the stored exact entropies do not matter
    advantages, metrics = first_advantages(table, *SAMPLED, rollout_log_prob=-1.5)
    assert metrics["edge_grpo/entropy/mean"] == 1.5
    assert metrics["edge_grpo/entropy_ratio/max"] == metrics["edge_grpo/entropy_ratio/min"] == 1.0
    assert advantages["a_0_0"] == pytest.approx((1 / 3) / (3**-0.5 + 1e-6), rel=1e-5)


def test_in_bypass_mode_the_sampled_entropy_needs_no_pass_of_the_policy(store, build, field_of, queue, table):
    """verl's own bypass: no `entropy` is ever stored."""
    trainer = build("edge_grpo", *SAMPLED, *BYPASS)
    batch = store(table, rollout_log_prob=-1.5, has_old_log_probs=False)
    metrics = {}
    trainer._compute_old_log_prob(batch, metrics)
    trainer._compute_advantage(batch, metrics)
    assert metrics["edge_grpo/entropy/mean"] == 1.5
    assert field_of(batch, "old_log_probs") == field_of(batch, "rollout_log_probs")
    assert set(field_of(batch, "advantages")) == {row.key for row in table}

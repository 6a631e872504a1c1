"""The metrics of a step, by the table in conftest.py, and what of a batch's make-up changes nothing in them."""

import dataclasses

import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

METRICS = {
    # before: b, c and d of 4 groups have no contrast; b and d are all wrong; c is all correct. After: d has contrast.
    "edge_grpo/groups/zero_variance_before_gec": 3 / 4,
    "edge_grpo/groups/all_wrong_before_gec": 2 / 4,
    "edge_grpo/groups/all_correct_before_gec": 1 / 4,
    "edge_grpo/groups/zero_variance_after_gec": 2 / 4,
    "edge_grpo/groups/all_wrong_after_gec": 1 / 4,
    "edge_grpo/groups/all_correct_after_gec": 1 / 4,
    "edge_grpo/accuracy/first_pass": 2 / 8,  # a0, c0
    "edge_grpo/accuracy/after_gec": 4 / 8,  # and a2, d1
    # a and d have variance 1, b has 0; c has one row
    "edge_grpo/advantage_variance/before_eda": 2 / 3,
    # a: (2, -2, 2/3) / sqrt(3): mean 2/9; squares (16/9)^2 + (20/9)^2 + (4/9)^2 = 672/81; / 3 / 2 = 112/81
    "edge_grpo/advantage_variance/after_eda": (112 / 81 + 0 + 1) / 3,
    "edge_grpo/entropy/mean": 10.9 / 8,
    "edge_grpo/entropy/correct": (0.4 + 1.2 + 0.5 + 2) / 4,
    "edge_grpo/entropy/wrong": (0.8 + 1 + 3 + 2) / 4,
    "edge_grpo/entropy_ratio/min": 0.5,
    "edge_grpo/entropy_ratio/max": 1.5,
    "edge_grpo/entropy_ratio/clipped_fraction": 0.0,
    "edge_grpo/gec/failed_fraction": 6 / 8,
    "edge_grpo/gec/reflection": 1,
    "edge_grpo/gec/reflection_success_rate": 1.0,
    "edge_grpo/gec/answer": 1,
    "edge_grpo/gec/answer_success_rate": 0.0,
    "edge_grpo/gec/solution": 1,
    "edge_grpo/gec/solution_success_rate": 1.0,
    "edge_grpo/gec/skipped_prompt_too_long": 1,
    "edge_grpo/gec/skipped_no_room": 1,
    "edge_grpo/gec/skipped_generation_failed": 1,
    "edge_grpo/gec/skipped_generation_timed_out": 0,
    "edge_grpo/gec/skipped_truncated": 0,
    "edge_grpo/gec/skipped_solution_too_long": 0,
    "edge_grpo/gec/skipped_scored_by_agent_loop": 0,
    "edge_grpo/gec/skipped_not_sampled_by_policy_client": 0,
    "edge_grpo/gec/skipped_media_in_response": 0,
    "edge_grpo/gec/answer_for_missing_solution": 0,
    "edge_grpo/gec/solution_cut": 0,
    "edge_grpo/gec/guard_sure": 0,
    "edge_grpo/gec/guard_kept": 0,
    "edge_grpo/gec/guard_without_sure_correction": 0,
    "edge_grpo/gec/reflection_rounds": 1,
    "edge_grpo/gec/tokens_injected": 3 + 2 + 1,
    "edge_grpo/gec/tokens_regenerated": 2,
    "edge_grpo/verify/no_box": 2,  # b0 at first, a1
    "edge_grpo/verify/no_gold": 1,  # b1
    "edge_grpo/verify/limit": 1,  # b0 after correction
    "edge_grpo/verify/timeout": 1,  # d1 at first
    "edge_grpo/verify/crash": 1,  # d0
    "edge_grpo/verify/parse_error": 1,  # a2 at first
}


def ours(metrics):
    return {name: value for name, value in metrics.items() if name.startswith("edge_grpo/")}


def test_metrics_are_those_of_the_table(store, build):
    metrics = {}
    build("edge_grpo")._compute_advantage(store(batch_multiple=5), metrics)
    assert ours(metrics) == pytest.approx(METRICS, rel=1e-5)


def with_format_reward(row, format_reward=1.0):
    """The row with its accuracy as it was, and a reward that is more than that before and after correction."""
    record = row.record
    if record is not None:
        record = dataclasses.replace(record, first_pass_reward=record.first_pass_reward + format_reward)
    return dataclasses.replace(row, reward=row.reward + format_reward, accuracy=row.reward, record=record)


def test_a_format_reward_that_all_get_changes_no_metric_and_no_advantage(store, build, field_of, table):
    metrics, advantages = {}, []
    for rows in (table, [with_format_reward(row) for row in table]):
        batch = store(rows)
        build("edge_grpo_paper")._compute_advantage(batch, metrics)
        advantages.append(field_of(batch, "advantages"))
    assert ours(metrics) == pytest.approx(METRICS, rel=1e-5)
    group_of_one = "c_0_0"  # its advantage is its reward
    for key in advantages[0].keys() - {group_of_one}:
        assert advantages[0][key] == pytest.approx(advantages[1][key], abs=1e-6)


def test_a_format_reward_that_some_get_makes_contrast_and_nothing_correct(store, build, table):
    metrics = {}
    rows = [with_format_reward(row, format_reward=float(row.key != "b_1_0")) for row in table]
    build("edge_grpo_paper")._compute_advantage(store(rows), metrics)
    of_accuracy = [
        name for name in METRICS if not name.startswith(("edge_grpo/groups/zero", "edge_grpo/advantage_variance"))
    ]
    assert {name: metrics[name] for name in of_accuracy} == pytest.approx({name: METRICS[name] for name in of_accuracy})
    # b has contrast now, before and after correction; c is left, and d before correction
    assert metrics["edge_grpo/groups/zero_variance_before_gec"] == 2 / 4
    assert metrics["edge_grpo/groups/zero_variance_after_gec"] == 1 / 4
    assert metrics["edge_grpo/advantage_variance/before_eda"] == pytest.approx(1.0, rel=1e-5)


def verify_counts(metrics):
    prefix = "edge_grpo/verify/"
    return {name.removeprefix(prefix): value for name, value in metrics.items() if name.startswith(prefix)}


def test_without_error_correction_each_response_is_graded_once(store, build, table):
    metrics = {}
    rows = [dataclasses.replace(row, record=None) for row in table]
    build("grpo")._compute_advantage(store(rows, batch_multiple=5), metrics)
    assert verify_counts(metrics) == dict(no_box=1, no_gold=1, limit=1, timeout=0, crash=1, parse_error=0)


def test_a_reward_function_without_a_verify_status_leaves_no_verify_metrics(store, build, table):
    metrics = {}
    rows = [dataclasses.replace(row, record=None, verify_status=None) for row in table]
    build("grpo")._compute_advantage(store(rows), metrics)
    assert verify_counts(metrics) == {}


def test_padding_rows_change_neither_metrics_nor_the_advantages_of_other_rows(store, build, field_of, table):
    results = []
    for batch_multiple in (1, 5, 16):
        metrics, batch = {}, store(batch_multiple=batch_multiple)
        build("edge_grpo")._compute_advantage(batch, metrics)
        advantages = field_of(batch, "advantages")
        results.append((ours(metrics), [advantages[row.key] for row in table]))
    assert results[0] == results[1] == results[2]


def test_the_order_of_rows_does_not_matter(store, build, field_of, table):
    results = []
    for rows in (table, table[::-1]):
        metrics, batch = {}, store(rows)
        build("edge_grpo")._compute_advantage(batch, metrics)
        results.append((ours(metrics), field_of(batch, "advantages")))
    assert results[0][0] == pytest.approx(results[1][0])
    assert results[0][1] == results[1][1]


def test_a_batch_of_one_row_and_one_of_equal_lengths_are_no_special_cases(store, build, field_of, table):
    for rows in (table[:1], [table[2], table[3], table[5]]):
        metrics, batch = {}, store(rows)
        build("edge_grpo")._compute_advantage(batch, metrics)
        assert set(field_of(batch, "advantages")) == {row.key for row in rows}
        assert ours(metrics)["edge_grpo/gec/failed_fraction"] == 1.0

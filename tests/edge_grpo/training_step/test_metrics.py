"""The metrics under `edge_grpo/`: hand-worked values, what is absent where undefined, and a slow readable version."""

import json
import statistics

import pytest
import torch

from recipe.edge_grpo.correction.record import CorrectionRecord, GuardRole, Skipped, read_record, write_record
from recipe.edge_grpo.settings.choices import Strategy
from recipe.edge_grpo.training_step.correction_metrics import correction_metrics, verify_metrics
from recipe.edge_grpo.training_step.metrics import (
    accuracy_metrics,
    advantage_metrics,
    entropy_metrics,
    group_metrics,
    mean_group_variance,
    ratio_metrics,
)

# One batch of three groups, worked by hand below; rows of different groups are interleaved.
GROUPS = torch.tensor([0, 1, 0, 1, 2])


def test_group_shares_tell_contrast_from_collapse():
    # group 0: rewards 1, 1 (all correct); group 1: 0, 1 (contrast); group 2: a single wrong response
    rewards = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0])
    assert group_metrics(rewards, rewards, GROUPS, "before_gec") == {
        "edge_grpo/groups/zero_variance_before_gec": pytest.approx(2 / 3),
        "edge_grpo/groups/all_correct_before_gec": pytest.approx(1 / 3),
        "edge_grpo/groups/all_wrong_before_gec": pytest.approx(1 / 3),
    }


def test_equal_rewards_of_partly_right_responses_are_neither_all_correct_nor_all_wrong():
    rewards, accuracies = torch.full((2,), 0.3), torch.tensor([0.3, 0.3])
    assert list(group_metrics(rewards, accuracies, torch.tensor([0, 0]), "after_gec").values()) == [1.0, 0.0, 0.0]


def test_a_format_reward_makes_contrast_in_a_group_that_is_all_wrong():
    rewards, accuracies = torch.tensor([0.1, 0.0]), torch.tensor([0.0, 0.0])
    assert list(group_metrics(rewards, accuracies, torch.tensor([0, 0]), "after_gec").values()) == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("reward", [0.1, 1 / 3, 0.7])
def test_rounding_of_the_mean_does_not_hide_a_collapsed_group(reward):
    for group_size in range(1, 12):
        rewards, group = torch.full((group_size,), reward), torch.zeros(group_size, dtype=torch.int64)
        metrics = group_metrics(rewards, torch.zeros(group_size), group, "after_gec")
        assert metrics["edge_grpo/groups/zero_variance_after_gec"] == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_group_shares_agree_with_a_slow_version(seed):
    generator = torch.Generator().manual_seed(seed)
    accuracies = torch.randint(0, 2, (40,), generator=generator).float()
    groups = torch.unique(torch.randint(0, 15, (40,), generator=generator), return_inverse=True)[1]
    members = [accuracies[groups == group].tolist() for group in range(int(groups.max()) + 1)]
    assert group_metrics(accuracies, accuracies, groups, "after_gec") == {
        "edge_grpo/groups/zero_variance_after_gec": pytest.approx(statistics.fmean(len(set(m)) == 1 for m in members)),
        "edge_grpo/groups/all_correct_after_gec": pytest.approx(statistics.fmean(min(m) == 1 for m in members)),
        "edge_grpo/groups/all_wrong_after_gec": pytest.approx(statistics.fmean(max(m) == 0 for m in members)),
    }


def test_advantage_variance_is_the_sample_variance_within_groups_before_and_after():
    # before: group 0: (1, -1): ((1-0)^2 + (-1-0)^2) / (2-1) = 2; group 1: (0, 0): 0; mean 1. Group 2 has one row.
    # after:  group 0: (2, -0.5): mean 0.75, 2 * 1.25^2 / 1 = 3.125; group 1: 0; mean 1.5625
    raw = torch.tensor([1.0, 0.0, -1.0, 0.0, 5.0])
    scaled = torch.tensor([2.0, 0.0, -0.5, 0.0, 5.0])
    assert advantage_metrics(raw, scaled, GROUPS) == {
        "edge_grpo/advantage_variance/before_eda": pytest.approx(1.0),
        "edge_grpo/advantage_variance/after_eda": pytest.approx(1.5625),
    }


def test_advantage_variance_of_groups_of_one_is_absent():
    groups = torch.tensor([0, 1])
    assert mean_group_variance(torch.tensor([1.0, 2.0]), groups) is None
    assert advantage_metrics(torch.ones(2), torch.ones(2), groups) == {}


@pytest.mark.parametrize("seed", range(4))
def test_advantage_variance_agrees_with_a_slow_version(seed):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(50, generator=generator)
    groups = torch.unique(torch.randint(0, 20, (50,), generator=generator), return_inverse=True)[1]
    members = [values[groups == group].tolist() for group in range(int(groups.max()) + 1)]
    expected = statistics.fmean(statistics.variance(m) for m in members if len(m) > 1)
    assert mean_group_variance(values, groups) == pytest.approx(expected, rel=1e-5)


def test_entropy_is_reported_for_all_for_correct_and_for_wrong_responses():
    # all: (1 + 2 + 6) / 3 = 3; correct (accuracy above 0): (1 + 2) / 2 = 1.5; wrong: 6
    assert entropy_metrics(torch.tensor([1.0, 2.0, 6.0]), torch.tensor([1.0, 0.5, 0.0])) == {
        "edge_grpo/entropy/mean": 3.0,
        "edge_grpo/entropy/correct": 1.5,
        "edge_grpo/entropy/wrong": 6.0,
    }


@pytest.mark.parametrize(("accuracy", "absent"), [(0.0, "correct"), (1.0, "wrong")])
def test_the_entropy_of_an_empty_selection_is_absent_and_not_0_or_nan(accuracy, absent):
    metrics = entropy_metrics(torch.tensor([1.0, 2.0]), torch.full((2,), accuracy))
    assert f"edge_grpo/entropy/{absent}" not in metrics
    assert set(metrics.values()) == {1.5}


def test_ratio_metrics_are_of_the_ratio_that_was_used():
    # two of four met a bound
    unbounded, used = torch.tensor([0.05, 0.5, 1.5, 20.0]), torch.tensor([0.1, 0.5, 1.5, 10.0])
    assert ratio_metrics(unbounded, used) == {
        "edge_grpo/entropy_ratio/min": pytest.approx(0.1),
        "edge_grpo/entropy_ratio/max": 10.0,
        "edge_grpo/entropy_ratio/clipped_fraction": 0.5,
    }


def right(**fields):
    return CorrectionRecord(1.0, 1.0, False, **fields)


def failed(strategy=None, reward=0.0, **fields):
    return CorrectionRecord(reward, 0.0, True, strategy, **fields)


RECORDS = [
    right(),
    failed(Strategy.REFLECTION, injected_spans=((4, 10),), tokens_regenerated=7, reflection_rounds=1),
    failed(Strategy.REFLECTION, injected_spans=((1, 7), (9, 12)), tokens_regenerated=5, reflection_rounds=2),
    failed(Strategy.ANSWER, answer_for_missing_solution=True, injected_spans=((2, 22),), guard_role=GuardRole.SURE),
    failed(reward=0.1, skipped=Skipped.NO_ROOM),
    failed(skipped=Skipped.GENERATION_TIMED_OUT),
]
ACCURACIES_AFTER = torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
IS_RIGHT_AFTER = [True, True, False, True, False, False]


def test_accuracy_is_reported_for_what_the_policy_wrote_and_after_correction():
    # first pass: 1 of 6; after: 3 of 6
    assert accuracy_metrics(RECORDS, ACCURACIES_AFTER) == {
        "edge_grpo/accuracy/first_pass": pytest.approx(1 / 6),
        "edge_grpo/accuracy/after_gec": pytest.approx(0.5),
    }


def test_correction_metrics_count_strategies_successes_skips_and_tokens():
    assert correction_metrics(RECORDS, IS_RIGHT_AFTER) == {
        "edge_grpo/gec/failed_fraction": pytest.approx(5 / 6),
        "edge_grpo/gec/reflection": 2,
        "edge_grpo/gec/reflection_success_rate": 0.5,  # rows 1 and 2, of which row 1
        "edge_grpo/gec/answer": 1,
        "edge_grpo/gec/answer_success_rate": 1.0,
        "edge_grpo/gec/solution": 0,  # not used: its success rate is absent
        "edge_grpo/gec/skipped_prompt_too_long": 0,
        "edge_grpo/gec/skipped_truncated": 0,
        "edge_grpo/gec/skipped_no_room": 1,
        "edge_grpo/gec/skipped_solution_too_long": 0,
        "edge_grpo/gec/skipped_generation_failed": 0,
        "edge_grpo/gec/skipped_generation_timed_out": 1,
        "edge_grpo/gec/answer_for_missing_solution": 1,
        "edge_grpo/gec/solution_cut": 0,
        "edge_grpo/gec/guard_sure": 1,
        "edge_grpo/gec/guard_kept": 0,
        "edge_grpo/gec/guard_without_sure_correction": 0,
        "edge_grpo/gec/reflection_rounds": 3,  # 1 + 2
        "edge_grpo/gec/tokens_injected": 35,  # 6 + 6 + 3 + 20
        "edge_grpo/gec/tokens_regenerated": 12,  # 7 + 5
    }


def test_what_the_guard_did_and_cut_solutions_are_counted():
    records = [
        failed(guard_role=GuardRole.KEPT, is_without_sure_correction=True),
        failed(Strategy.SOLUTION, is_solution_cut=True),
        failed(guard_role=GuardRole.KEPT),
    ]
    metrics = correction_metrics(records, [False] * 3)
    names = ("guard_sure", "guard_kept", "guard_without_sure_correction", "solution_cut")
    assert [metrics[f"edge_grpo/gec/{name}"] for name in names] == [0, 2, 1, 1]


def test_every_failed_response_is_either_corrected_or_skipped_for_one_reason():
    metrics = correction_metrics(RECORDS, IS_RIGHT_AFTER)
    handled = sum(metrics[f"edge_grpo/gec/{strategy}"] for strategy in Strategy)
    skipped = sum(metrics[f"edge_grpo/gec/skipped_{reason}"] for reason in Skipped)
    assert handled + skipped == metrics["edge_grpo/gec/failed_fraction"] * len(RECORDS)


def test_the_order_of_responses_does_not_matter():
    order = [3, 0, 4, 5, 2, 1]
    shuffled = [RECORDS[row] for row in order]
    assert correction_metrics(shuffled, [IS_RIGHT_AFTER[row] for row in order]) == correction_metrics(
        RECORDS, IS_RIGHT_AFTER
    )


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_travels_as_a_dictionary_even_through_json(record):
    extra_fields = {}
    write_record(extra_fields, record)
    assert read_record(extra_fields) == record
    assert read_record(json.loads(json.dumps(extra_fields))) == record


def test_a_response_that_error_correction_did_not_look_at_has_no_record():
    assert read_record({"turn_scores": []}) is None


def test_each_grading_is_counted_once_by_how_it_ended():
    records = [
        right(first_pass_verify_status="ok"),
        failed(Strategy.REFLECTION, first_pass_verify_status="no_box"),  # then a timeout
        failed(Strategy.REFLECTION, first_pass_verify_status="no_box"),  # then without a box again
        failed(Strategy.ANSWER, first_pass_verify_status="ok"),  # compared, wrong; then no gold
        failed(skipped=Skipped.NO_ROOM, first_pass_verify_status="no_box"),  # graded once
    ]
    assert verify_metrics(records, ["ok", "timeout", "no_box", "no_gold", "no_box"]) == {
        "edge_grpo/verify/no_box": 4,
        "edge_grpo/verify/no_gold": 1,
        "edge_grpo/verify/limit": 0,
        "edge_grpo/verify/timeout": 1,
        "edge_grpo/verify/crash": 0,
        "edge_grpo/verify/parse_error": 0,
    }


def test_without_a_verify_status_there_are_no_verify_metrics():
    assert verify_metrics(RECORDS, [None] * len(RECORDS)) == {}


def test_a_status_after_correction_alone_is_counted():
    """An agent loop that scores its responses itself leaves the first pass without one."""
    record = failed(Strategy.ANSWER)
    assert verify_metrics([record, right()], ["limit", None])["edge_grpo/verify/limit"] == 1


def test_statuses_of_another_reward_function_are_not_reported_and_do_no_harm():
    records = [failed(first_pass_verify_status=status) for status in ("../odd name", {}, "crash")]
    metrics = verify_metrics(records, ["../odd name", {}, "crash"])
    assert len(metrics) == 6
    assert sum(metrics.values()) == metrics["edge_grpo/verify/crash"] == 1

"""The metrics of collapse, entropy and advantage: hand-worked values, slow versions, what is absent where undefined."""

import statistics

import pytest
import torch

from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped
from recipe.edge_grpo.settings.choices import Strategy
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch
from recipe.edge_grpo.training_step.metrics import (
    accuracy_metrics,
    advantage_metrics,
    entropy_metrics,
    group_metrics,
    mean_group_variance,
    ratio_metrics,
    step_metrics,
)
from recipe.edge_grpo.training_step.outcomes import ResponseOutcomes

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


def test_equal_penalties_are_no_contrast_either():
    rewards, accuracies = torch.tensor([-1.0, -1.0]), torch.tensor([0.0, 0.0])
    assert list(group_metrics(rewards, accuracies, torch.tensor([0, 0]), "after_gec").values()) == [1.0, 0.0, 1.0]


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


def advantage_collapse_rate(groups, tau=1e-6):
    """As it is defined: the share of groups whose rewards have a std below tau; a group of one has none at all."""
    return statistics.fmean(len(rewards) == 1 or statistics.stdev(rewards) < tau for rewards in groups)


@pytest.mark.parametrize(
    ("groups", "rate"),
    [
        (["1000", "0000", "1111", "1100"], 0.5),  # the second and the third
        (["0000", "0000"], 1.0),
        (["1000", "1110"], 0.0),
        (["1", "0"], 1.0),
    ],
)
def test_groups_without_variance_are_the_advantage_collapse_rate(groups, rate):
    rewards = [[float(reward) for reward in group] for group in groups]
    assert advantage_collapse_rate(rewards) == rate
    index = torch.tensor([number for number, group in enumerate(rewards) for _ in group])
    flat = torch.tensor(sum(rewards, []))
    assert group_metrics(flat, flat, index, "before_gec")["edge_grpo/groups/zero_variance_before_gec"] == rate


@pytest.mark.parametrize(("difference", "rate"), [(1.2e-6, 1.0), (1.6e-6, 0.0)])
def test_rewards_that_hardly_differ_have_collapsed_by_the_threshold_of_that_rate(difference, rate):
    rewards = torch.tensor([0.0, difference], dtype=torch.float64)  # the std is difference / sqrt(2): 0.85e-6, 1.13e-6
    metrics = group_metrics(rewards, rewards, torch.tensor([0, 0]), "before_gec")
    assert metrics["edge_grpo/groups/zero_variance_before_gec"] == rate == advantage_collapse_rate([rewards.tolist()])


@pytest.mark.parametrize("seed", range(4))
def test_the_collapse_rate_of_any_rewards_agrees_with_its_slow_version(seed):
    generator = torch.Generator().manual_seed(seed)
    rewards = torch.randint(0, 3, (60,), generator=generator) / 10
    index = torch.unique(torch.randint(0, 25, (60,), generator=generator), return_inverse=True)[1]
    members = [rewards[index == group].tolist() for group in range(int(index.max()) + 1)]
    metrics = group_metrics(rewards, rewards, index, "before_gec")
    assert metrics["edge_grpo/groups/zero_variance_before_gec"] == pytest.approx(advantage_collapse_rate(members))


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
    # two of five met a bound
    unbounded, used = torch.tensor([0.05, 0.5, 0.8, 1.5, 20.0]), torch.tensor([0.1, 0.5, 0.8, 1.5, 10.0])
    assert ratio_metrics(unbounded, used) == {
        "edge_grpo/entropy_ratio/min": pytest.approx(0.1),
        "edge_grpo/entropy_ratio/max": 10.0,
        "edge_grpo/entropy_ratio/clipped_fraction": pytest.approx(0.4),
    }


def test_accuracy_is_reported_for_what_the_policy_wrote_and_after_correction():
    # first pass: (1 + 0 + 0.5) / 3; after: (1 + 1 + 0.5) / 3
    records = [CorrectionRecord(9.0, 1.0, False), CorrectionRecord(9.0, 0.0, True), CorrectionRecord(9.0, 0.5, False)]
    assert accuracy_metrics(records, torch.tensor([1.0, 1.0, 0.5])) == {
        "edge_grpo/accuracy/first_pass": pytest.approx(1.5 / 3),
        "edge_grpo/accuracy/after_gec": pytest.approx(2.5 / 3),
    }


@pytest.fixture
def stored():
    """A group that was all wrong, of which one response was corrected, a padding row, and a group that is all right."""
    return StoredBatch(
        keys=["a_0_0", "padding", "a_1_0", "b_0_0", "b_1_0"],
        is_padding=torch.tensor([False, True, False, False, False]),
        group_index=torch.tensor([0, 1, 0, 2, 2]),
        rewards=torch.tensor([1.0, 9.0, 0.0, 1.0, 1.0]),
        token_entropy=torch.zeros(5, 2),
        response_mask=torch.ones(5, 2),
        is_injected=torch.zeros(5, 2, dtype=torch.bool),
        is_failed_prefix=torch.zeros(5, 2, dtype=torch.bool),
        extra_fields=[{}] * 5,
        records=[None] * 5,
        dataset_index=[None] * 5,
    )


ENTROPY = BatchEntropy(
    response_entropy=torch.tensor([1.0, 100.0, 3.0, 50.0, 4.0]),
    has_entropy=torch.tensor([True, False, True, False, True]),
    unbounded_ratio=torch.tensor([0.5, 30.0, 2.0, 1.0, 1.0]),
    ratio=torch.tensor([0.5, 20.0, 1.5, 1.0, 1.0]),
)
OUTCOMES = ResponseOutcomes(
    records=[
        CorrectionRecord(0.0, 0.0, True, Strategy.ANSWER, first_pass_verify_status="no_box"),
        CorrectionRecord(0.0, 0.0, True, skipped=Skipped.NO_ROOM, first_pass_verify_status="limit"),
        CorrectionRecord(1.0, 1.0, False, first_pass_verify_status="ok"),
        CorrectionRecord(1.0, 1.0, False, first_pass_verify_status="ok"),
    ],
    accuracies=torch.tensor([1.0, 0.0, 1.0, 1.0]),
    is_right=[True, False, True, True],
    verify_statuses=["timeout", "limit", "ok", "ok"],
)


def of_families(metrics, *names):
    """The metrics of these families, by what their names have behind the prefix."""
    return {name.removeprefix("edge_grpo/"): value for name, value in metrics.items() if name.split("/")[1] in names}


def test_the_metrics_of_a_batch_are_those_of_its_responses_without_padding(stored):
    metrics = step_metrics(stored, ENTROPY, OUTCOMES, token_level_rewards=None, scale_by_std=False)
    assert of_families(metrics, "groups", "accuracy") == {
        # before: a all wrong, b all correct; after: a has contrast
        "groups/zero_variance_before_gec": 1.0,
        "groups/all_correct_before_gec": 0.5,
        "groups/all_wrong_before_gec": 0.5,
        "groups/zero_variance_after_gec": 0.5,
        "groups/all_correct_after_gec": 0.5,
        "groups/all_wrong_after_gec": 0.0,
        "accuracy/first_pass": 0.5,
        "accuracy/after_gec": 0.75,
    }
    assert of_families(metrics, "advantage_variance") == {
        # a: 0.5, -0.5: (0.25 + 0.25) / (2 - 1) = 0.5; b: 0; mean 0.25
        "advantage_variance/before_eda": pytest.approx(0.25),
        # a: 0.5 / 0.5 = 1, -0.5 / 1.5 = -1/3: mean 1/3, 2 * (2/3)^2 / 1 = 8/9; b: 0; mean 4/9
        "advantage_variance/after_eda": pytest.approx(4 / 9),
    }
    assert of_families(metrics, "entropy", "entropy_ratio") == {
        "entropy/mean": pytest.approx(8 / 3),  # (1 + 3 + 4) / 3
        "entropy/correct": 2.5,  # (1 + 4) / 2: the response of entropy 50 has none
        "entropy/wrong": 3.0,
        "entropy_ratio/min": 0.5,
        "entropy_ratio/max": 1.5,
        "entropy_ratio/clipped_fraction": 0.25,  # one of four
    }
    assert {name: value for name, value in of_families(metrics, "gec", "verify").items() if value} == {
        "gec/failed_fraction": 0.5,
        "gec/answer": 1,
        "gec/answer_success_rate": 1.0,
        "gec/skipped_no_room": 1,
        "verify/no_box": 1,
        "verify/limit": 1,
        "verify/timeout": 1,
    }


def test_the_advantages_of_the_metrics_are_scaled_by_the_std_where_the_training_scales_them(stored):
    metrics = step_metrics(stored, ENTROPY, OUTCOMES, token_level_rewards=None, scale_by_std=True)
    # a: 0.5 / sqrt(0.5): variance 1; b: 0; mean 0.5
    assert metrics["edge_grpo/advantage_variance/before_eda"] == pytest.approx(0.5, rel=1e-5)


def test_the_advantages_of_the_metrics_are_of_the_penalised_rewards_and_nothing_else_is(stored):
    unpenalised = step_metrics(stored, ENTROPY, OUTCOMES, token_level_rewards=None, scale_by_std=False)
    # sums of the tokens: a 0.5 and -0.5, b 1 and 0; padding 7
    penalised_rewards = torch.tensor([[-0.5, 1.0], [-2.0, 9.0], [-0.5, 0.0], [0.0, 1.0], [-1.0, 1.0]])
    metrics = step_metrics(stored, ENTROPY, OUTCOMES, penalised_rewards, scale_by_std=False)
    changed = {name: value for name, value in metrics.items() if value != unpenalised[name]}
    assert changed == {
        "edge_grpo/advantage_variance/before_eda": pytest.approx(0.5),  # 0.5, -0.5 in both groups
        # a as before, 8/9; b: 0.5 and -0.5, whose ratios are 1: 0.5; mean (8/9 + 1/2) / 2 = 25/36
        "edge_grpo/advantage_variance/after_eda": pytest.approx(25 / 36),
    }

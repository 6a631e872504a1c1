"""Several updates in a step: counts are summed, shares weighted by what they are of; every metric has its rule."""

import pytest
import torch

from recipe.edge_grpo.correction.record import CorrectionRecord
from recipe.edge_grpo.settings.choices import Strategy
from recipe.edge_grpo.training_step.batch import BatchEntropy, StoredBatch
from recipe.edge_grpo.training_step.metrics import step_metrics
from recipe.edge_grpo.training_step.outcomes import ResponseOutcomes
from recipe.edge_grpo.training_step.sub_steps import COMBINING_RULES, SubStep, combine_sub_steps, sizes_of

SIZES = {
    "groups": 4,
    "groups of two or more": 4,
    "responses": 8,
    "entropies": 8,
    "entropies of right": 6,
    "entropies of wrong": 2,
}


def combine(*updates, **sizes):
    """Metrics without their prefix, of updates that are {metric: value}, each with sizes of its own."""
    steps = [
        SubStep(
            {f"edge_grpo/{name}": value for name, value in update.items()},
            SIZES | {name: numbers[place] for name, numbers in sizes.items()},
        )
        for place, update in enumerate(updates)
    ]
    return {name.removeprefix("edge_grpo/"): value for name, value in combine_sub_steps(steps).items()}


def test_counts_are_summed_and_extremes_are_those_of_all_updates():
    updates = [
        {
            "gec/answer": 3,
            "gec/tokens_injected": 30,
            "verify/no_box": 1,
            "entropy_ratio/min": 0.5,
            "entropy_ratio/max": 2,
        },
        {
            "gec/answer": 4,
            "gec/tokens_injected": 0,
            "verify/no_box": 0,
            "entropy_ratio/min": 0.7,
            "entropy_ratio/max": 3,
        },
    ]
    assert combine(*updates) == {
        "gec/answer": 7,
        "gec/tokens_injected": 30,
        "verify/no_box": 1,
        "entropy_ratio/min": 0.5,
        "entropy_ratio/max": 3,
    }


@pytest.mark.parametrize(
    ("metric", "size"),
    [
        ("groups/all_wrong_before_gec", "groups"),
        ("advantage_variance/after_eda", "groups of two or more"),
        ("accuracy/first_pass", "responses"),
        ("gec/failed_fraction", "responses"),
        ("entropy/mean", "entropies"),
        ("entropy/correct", "entropies of right"),
        ("entropy/wrong", "entropies of wrong"),
    ],
)
def test_a_share_is_weighted_by_what_it_is_a_share_of(metric, size):
    # (1 x 0.5 + 3 x 0.1) / 4; verl's mean over responses would be 0.3
    assert combine({metric: 0.5}, {metric: 0.1}, **{size: (1, 3)}) == pytest.approx({metric: 0.2})


def test_a_success_rate_is_weighted_by_the_corrections_that_it_is_of():
    updates = [
        {"gec/reflection": 2, "gec/reflection_success_rate": 1.0},
        {"gec/reflection": 8, "gec/reflection_success_rate": 0.25},
        {"gec/reflection": 0},  # none in this update, so no rate
    ]
    # (2 x 1 + 8 x 0.25) / 10
    assert combine(*updates) == {"gec/reflection": 10, "gec/reflection_success_rate": pytest.approx(0.4)}


def test_what_no_update_has_is_absent_and_a_single_update_is_the_step():
    assert combine() == {}
    assert combine({"entropy/mean": 0.3}, {}) == {"entropy/mean": pytest.approx(0.3)}


def test_a_metric_without_a_rule_is_refused_with_its_name():
    with pytest.raises(KeyError, match=r"edge_grpo/gec/new_rate has no rule in training_step/sub_steps\.py"):
        combine({"gec/new_rate": 0.5})


NUM_RESPONSES = len(Strategy) + 2


def batch():
    """All but the last two responses are right; these are a group of their own, and the last has no entropy.

    Each strategy was used once. Then there is a row of padding in a group of its own.
    """
    records = [CorrectionRecord(1.0, 1.0, False, first_pass_verify_status="ok")]
    records += [CorrectionRecord(0.0, 0.0, True, strategy, first_pass_verify_status="ok") for strategy in Strategy]
    records += [CorrectionRecord(0.0, 0.0, True)]
    num_right = NUM_RESPONSES - 2
    num_rows = NUM_RESPONSES + 1
    stored = StoredBatch(
        keys=[],
        is_padding=torch.tensor([False] * NUM_RESPONSES + [True]),
        group_index=torch.tensor([0] * num_right + [1, 1, 2]),
        rewards=torch.tensor([1.0] * num_right + [0.0, 0.0, 0.0]),
        token_entropy=torch.zeros(num_rows, 1),
        response_mask=torch.ones(num_rows, 1),
        is_injected=torch.zeros(num_rows, 1, dtype=torch.bool),
        is_failed_prefix=torch.zeros(num_rows, 1, dtype=torch.bool),
        extra_fields=[],
        records=[*records, None],
        dataset_index=[],
    )
    has_entropy = torch.tensor([True] * (NUM_RESPONSES - 1) + [False, False])
    ones = torch.ones(num_rows)
    is_right = [True] * num_right + [False, False]
    accuracies = stored.rewards[:NUM_RESPONSES]
    outcomes = ResponseOutcomes(records, accuracies, is_right, ["ok"] * NUM_RESPONSES)
    return stored, BatchEntropy(ones, has_entropy, ones, ones), outcomes


def test_every_metric_that_a_step_reports_has_a_rule_and_every_rule_has_a_metric():
    metrics = step_metrics(*batch(), None, True)
    assert {name.removeprefix("edge_grpo/") for name in metrics} == set(COMBINING_RULES)


def test_every_rule_of_a_share_finds_its_weight():
    stored, entropy, outcomes = batch()
    sub_step = SubStep(step_metrics(stored, entropy, outcomes, None, True), sizes_of(stored, entropy, outcomes))
    assert combine_sub_steps([sub_step]) == pytest.approx(dict(sub_step.metrics))
    assert combine_sub_steps([sub_step, sub_step])["edge_grpo/entropy/mean"] == 1.0


def test_sizes_leave_padding_out():
    assert sizes_of(*batch()) == {
        "groups": 2,
        "groups of two or more": 2,
        "responses": NUM_RESPONSES,
        "entropies": NUM_RESPONSES - 1,
        "entropies of right": NUM_RESPONSES - 2,
        "entropies of wrong": 1,  # of the last two
    }

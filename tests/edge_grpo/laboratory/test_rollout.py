"""Groups of responses in the laboratory: corrected as a run of verl corrects them."""

from itertools import count
from types import SimpleNamespace

import pytest
import torch

from recipe.edge_grpo.correction.draws import DrawPlace, draw_order, draw_strategy
from recipe.edge_grpo.laboratory import rollout
from recipe.edge_grpo.laboratory.rollout import (
    MAX_BATCHES,
    NoContrastError,
    Sizes,
    has_contrast,
    sample_groups,
    sample_groups_of_step,
)
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy

pytestmark = pytest.mark.process

SIZES = Sizes(num_prompts=4, group_size=4, max_response_length=128)


@pytest.fixture
def sample(policy, rows, config):
    """sample(recipe, *overrides): the groups of step 3."""

    def sample(name, *overrides):
        torch.manual_seed(0)
        return sample_groups(config(name, *overrides), policy, SIZES, rows[:4], step=3)

    return sample


def test_corrections_are_drawn_by_seed_step_index_and_session(sample, config):
    settings = config("edge_grpo", "edge_grpo.seed=5").settings
    strategies = set()
    for group in sample("edge_grpo", "edge_grpo.seed=5"):
        for session, candidate in enumerate(group):
            place = DrawPlace(5, 3, candidate.row["extra_info"]["index"])
            drawn = draw_strategy(settings.gec.probabilities, place, session)
            assert candidate.record.is_failed  # an untrained policy is never right
            assert candidate.record.strategy is drawn
            strategies.add(drawn)
    assert strategies == set(RESPONSE_STRATEGIES)


def test_a_corrected_response_is_graded_again(sample):
    for group in sample("edge_grpo"):
        for candidate in group:
            is_sure = candidate.record.strategy in (Strategy.ANSWER, Strategy.SOLUTION)
            assert candidate.output.reward_score == float(is_sure)
            assert candidate.record.first_pass_text is not None


def test_the_first_pass_leaves_room_for_a_correction(sample):
    for group in sample("grpo"):
        assert all(len(candidate.output.response_ids) <= 64 for candidate in group)
    for group in sample("edge_grpo"):
        assert all(len(candidate.output.response_ids) <= 128 for candidate in group)


def test_without_correction_responses_stay_as_they_were_sampled(sample):
    for group in sample("grpo"):
        for candidate in group:
            assert candidate.record.strategy is None
            assert set(candidate.output.response_mask) == {1}


def test_under_the_guard_every_group_has_contrast(sample):
    for group in sample("edge_grpo_contrast"):
        rewards = {candidate.output.reward_score for candidate in group}
        assert rewards == {0.0, 1.0}


def test_what_had_failed_is_context_only_where_the_recipe_says_so(sample):
    for group in sample("edge_grpo_plus"):
        for candidate in group:
            has_prefix = candidate.record.strategy in (Strategy.ANSWER, Strategy.REFLECTION)
            assert (0 in candidate.output.response_mask) == has_prefix


def test_a_solution_is_in_every_group_and_the_other_responses_are_as_they_were_sampled(sample):
    for group, uncorrected in zip(sample("luffy"), sample("grpo"), strict=True):
        place = DrawPlace(0, 3, group[0].row["extra_info"]["index"])
        drawn = draw_order(SIZES.group_size, place)[0]
        for number, (candidate, sampled) in enumerate(zip(group, uncorrected, strict=True)):
            if number == drawn:
                assert candidate.record.strategy is Strategy.SOLUTION and candidate.output.reward_score == 1
            else:
                assert candidate.record.strategy is None
                assert candidate.output.response_ids == sampled.output.response_ids


def test_hints_are_given_as_in_a_run_of_verl(sample):
    """An untrained policy is never right: the hint is tried, and the groups are as they were first sampled.

    The solutions are an equation and the box, so that a half of what may be shown is nothing, and no hint.
    """
    hinted = sample("hint_only", "edge_grpo.gec.hint_shares=[0.5,1]")
    for group, uncorrected in zip(hinted, sample("grpo"), strict=True):
        account = group[0].record
        assert account.hint_skipped is None
        assert account.hints_tried == 1 and account.is_without_right_hint
        assert account.tokens_resampled >= len(group)
        assert [each.output.prompt_ids for each in group] == [each.output.prompt_ids for each in uncorrected]
        assert [each.output.response_ids for each in group] == [each.output.response_ids for each in uncorrected]


def group_of(*rewards):
    return [SimpleNamespace(output=SimpleNamespace(reward_score=reward)) for reward in rewards]


def test_only_equal_rewards_are_no_contrast_and_a_group_of_one_has_nothing_to_compare_with():
    assert has_contrast(group_of(0.0, 1.0)) and has_contrast(group_of(0.0))
    assert not has_contrast(group_of(0.0, 0.0)) and not has_contrast(group_of(1.0, 1.0, 1.0))


@pytest.fixture
def imagined(monkeypatch, config):
    """imagined(recipe, is_mixed): groups of a step, of which `is_mixed(number)` says who has contrast; how many were
    sampled at a time."""

    def imagined(name, is_mixed):
        sampled = []

        def sample_rows(config, policy, sizes, rows, step):
            sampled.append(len(rows))
            return [group_of(0.0, float(is_mixed(row))) for row in rows]

        monkeypatch.setattr(rollout, "sample_groups", sample_rows)
        groups = sample_groups_of_step(config(name), None, SIZES, count(), step=3)
        return [group[1].output.reward_score for group in groups], sampled

    return imagined


def test_groups_without_contrast_make_place_for_others_two_prompts_for_each(imagined):
    # Numbers 0 to 3: 1 and 3 have contrast, 2 are dropped; 4 more, 4 to 7: 5 and 7 have it. So 4 of 8 do.
    assert imagined("dapo", lambda number: number % 2) == ([1.0] * 4, [4, 4])
    # 0 to 2 have it, 3 has not; 2 more, 4 and 5, both do: one is more than a batch.
    assert imagined("dapo_edge", lambda number: number != 3) == ([1.0] * 4, [4, 2])
    # All but one are dropped each time: never more than a batch of prompts at a time.
    assert imagined("dapo", lambda number: number % 4 == 0) == ([1.0] * 4, [4, 4, 4, 4])


def test_other_recipes_train_on_groups_without_contrast(imagined):
    assert imagined("grpo", lambda number: number == 0) == ([1.0, 0.0, 0.0, 0.0], [4])


def test_a_policy_that_is_never_right_ends_the_search_with_the_reason(imagined):
    with pytest.raises(NoContrastError, match=f"step 3: 0 of {4 * MAX_BATCHES} groups have contrast, 4 are needed"):
        imagined("dapo", lambda number: False)

"""The contrast guard for any group, order and outcome: contrast wherever there can be any, and no more than that."""

import itertools
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.guarded_groups import PAPER, RIGHT, STUCK, A, R, S, failed

from recipe.edge_grpo.correction.contrast_guard import (
    GroupMember,
    kept_failure,
    sure_attempts,
    to_correct,
)
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy


@dataclass
class Case:
    """A group, what is drawn for it, and which corrections would be graded as correct."""

    members: list[GroupMember]
    order: list[int]
    probabilities: dict[Strategy, float]
    corrects_mixed_groups: bool
    succeeds: dict[tuple[int, Strategy], bool]

    @property
    def is_mixed(self):
        return len({member.is_failed for member in self.members}) == 2

    @property
    def can_have_contrast(self):
        """Written down without the guard: two responses or more, and mixed, or all wrong with one that can be helped.

        All others of an all-wrong group can stay failed, so that a second response is all that is needed besides.
        """
        if len(self.members) < 2:
            return False
        return self.is_mixed or any(
            member.is_failed
            and member.is_correctable
            and any(self.probabilities[sure] > 0 and self.succeeds[number, sure] for sure in (A, S))
            for number, member in enumerate(self.members)
        )


@dataclass
class Outcome:
    """What a group is after correction, and what was done to it, in order."""

    is_failed: list[bool]
    sure: list[int]
    drawn: list[int]

    @property
    def has_contrast(self):
        return len(set(self.is_failed)) == 2


def correct(case):
    """Correct a group as the glue does: sure attempts until one is graded as correct, then as drawn."""
    is_failed = [member.is_failed for member in case.members]
    sure = []
    for number, strategy in sure_attempts(case.members, case.order, case.probabilities):
        if case.succeeds[number, strategy]:
            sure = [number]
            is_failed[number] = False
            break
    drawn = to_correct(case.members, case.order, sure, case.corrects_mixed_groups)
    for number in drawn:
        is_failed[number] = not case.succeeds[number, case.members[number].strategy]
    return Outcome(is_failed, sure, drawn)


MEMBERS = st.sampled_from([RIGHT, STUCK, failed(R), failed(A), failed(S)])
PROBABILITIES = st.sampled_from([PAPER, {R: 1.0, A: 0.0, S: 0.0}, {R: 0.5, A: 0.5, S: 0.0}, {R: 0.0, A: 0.0, S: 1.0}])


@st.composite
def cases(draw, members=MEMBERS, min_size=0, corrects_mixed_groups=None):
    group = draw(st.lists(members, min_size=min_size, max_size=7))
    attempts = list(itertools.product(range(len(group)), RESPONSE_STRATEGIES))
    outcomes = draw(st.lists(st.booleans(), min_size=len(attempts), max_size=len(attempts)))
    return Case(
        group,
        draw(st.permutations(range(len(group)))),
        draw(PROBABILITIES),
        draw(st.booleans()) if corrects_mixed_groups is None else corrects_mixed_groups,
        dict(zip(attempts, outcomes, strict=True)),
    )


@given(cases())
def test_no_group_is_without_contrast_that_could_have_it(case):
    if case.can_have_contrast:
        assert correct(case).has_contrast


@pytest.mark.slow
@given(cases(members=st.sampled_from([STUCK, failed(R), failed(A), failed(S)]), min_size=2))
def test_an_all_wrong_group_has_contrast_if_any_sure_correction_can_be_made(case):
    outcome = correct(case)
    assert bool(outcome.sure) == case.can_have_contrast
    if outcome.sure:
        assert outcome.has_contrast


@given(cases(min_size=2))
def test_a_mixed_group_never_becomes_all_correct_and_its_right_responses_stay(case):
    outcome = correct(case)
    if case.is_mixed:
        assert outcome.has_contrast
        assert outcome.sure == []
    assert all(case.members[number].is_failed for number in outcome.sure + outcome.drawn)


@given(cases())
def test_at_least_one_failure_stays_whatever_succeeds(case):
    all_succeed = replace(case, succeeds=dict.fromkeys(case.succeeds, True))
    for outcome in (correct(case), correct(all_succeed)):
        assert any(outcome.is_failed) == any(member.is_failed for member in case.members)


@given(cases(members=st.just(RIGHT)))
def test_an_all_correct_group_is_left_alone(case):
    assert correct(case) == Outcome([False] * len(case.members), sure=[], drawn=[])


@given(MEMBERS, PROBABILITIES, st.booleans())
def test_a_group_of_one_is_left_alone(member, probabilities, corrects_mixed_groups):
    always = dict.fromkeys(itertools.product([0], RESPONSE_STRATEGIES), True)
    case = Case([member], [0], probabilities, corrects_mixed_groups, always)
    assert correct(case) == Outcome([member.is_failed], sure=[], drawn=[])


@given(cases())
def test_only_correctable_responses_are_corrected_each_once_and_in_order(case):
    outcome = correct(case)
    touched = outcome.sure + outcome.drawn
    assert all(case.members[number].is_correctable for number in touched)
    assert len(set(touched)) == len(touched)
    assert outcome.drawn == [number for number in case.order if number in outcome.drawn]


@given(cases(min_size=2, corrects_mixed_groups=True))
def test_no_more_is_left_uncorrected_than_contrast_needs(case):
    outcome = correct(case)
    num_correctable = sum(member.is_correctable for member in case.members)
    stays_failed_anyway = STUCK in case.members
    num_left = num_correctable - len(outcome.sure) - len(outcome.drawn)
    # one is kept, unless another failure stays anyway or nothing else is left that could be corrected
    assert num_left == int(num_correctable > len(outcome.sure) and not stays_failed_anyway)


@given(cases(min_size=2, corrects_mixed_groups=False))
def test_with_mixed_groups_left_alone_their_failures_all_stay(case):
    outcome = correct(case)
    if case.is_mixed:
        assert outcome.is_failed == [member.is_failed for member in case.members]


@given(cases(), st.data())
def test_numbering_the_responses_otherwise_changes_nothing_but_the_numbers(case, data):
    new_number = data.draw(st.permutations(range(len(case.members))))
    members = [None] * len(case.members)
    for number, member in enumerate(case.members):
        members[new_number[number]] = member
    renumbered = Case(
        members,
        [new_number[number] for number in case.order],
        case.probabilities,
        case.corrects_mixed_groups,
        {(new_number[number], strategy): succeeds for (number, strategy), succeeds in case.succeeds.items()},
    )
    outcome, other = correct(case), correct(renumbered)
    assert other.sure == [new_number[number] for number in outcome.sure]
    assert other.drawn == [new_number[number] for number in outcome.drawn]


@given(cases(), st.data())
def test_the_strategies_drawn_do_not_decide_who_is_kept_and_who_is_corrected(case, data):
    other = [replace(member, strategy=data.draw(st.sampled_from(RESPONSE_STRATEGIES))) for member in case.members]
    sure = correct(case).sure
    assert kept_failure(other, case.order, sure) == kept_failure(case.members, case.order, sure)
    corrected = to_correct(case.members, case.order, sure, case.corrects_mixed_groups)
    assert to_correct(other, case.order, sure, case.corrects_mixed_groups) == corrected


def test_over_all_orders_each_failure_is_kept_and_surely_corrected_equally_often():
    orders = list(itertools.permutations(range(4)))  # 24
    mixed = [failed(), RIGHT, failed(S), failed(A)]
    assert Counter(kept_failure(mixed, order) for order in orders) == {0: 8, 2: 8, 3: 8}
    all_wrong = [failed(), failed(R), failed(S), failed(A)]
    first = Counter(next(sure_attempts(all_wrong, order, PAPER))[0] for order in orders)
    assert first == {0: 6, 1: 6, 2: 6, 3: 6}

"""maj@k: elections worked by hand, ties, what is no vote, and what it has in common with avg@n and pass@k."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.edge_grpo.evaluate.majority import Vote, equal_by_reward, majority_at_k, votes_of
from recipe.edge_grpo.evaluate.statistics import pass_at_k


def never(answer, earlier):
    raise AssertionError(f"{answer} was compared with {earlier}")


def right(answer="7"):
    return Vote(answer, True)


def wrong(answer):
    return Vote(answer, False)


NO_BOX = Vote(None, False)


@pytest.mark.parametrize(
    ("votes", "k", "expected"),
    [
        ([right(), right(), wrong("1")], 3, 1.0),  # 2 against 1
        ([wrong("1"), right(), wrong("1")], 3, 0.0),  # 1 against 2
        ([wrong("1"), wrong("2"), right(), right()], 4, 1.0),  # 2 against 1 and 1
        ([right(), wrong("1")], 2, 1.0),  # a tie: the right one came first
        ([wrong("1"), right()], 2, 0.0),  # a tie: the wrong one came first
        ([wrong("1"), right(), right("7.0"), wrong("1")], 4, 0.0),  # 2 against 2, the wrong one came first
        ([NO_BOX, NO_BOX, NO_BOX, right()], 4, 1.0),  # one vote, for the right answer
        ([NO_BOX, NO_BOX], 2, 0.0),  # nothing is elected
        ([right(), wrong("1"), wrong("1"), right()], 2, 1 / 2),  # elections {7, 1} and {1, 7}, each won by its first
        ([right(), right(), wrong("1"), wrong("1"), right()], 2, 1 / 2),  # {7, 7} and {1, 1}; the fifth is left over
        ([right(), wrong("1"), wrong("2")], 1, 1 / 3),  # one voter each
    ],
)
def test_an_election_has_the_result_worked_by_hand(votes, k, expected):
    assert majority_at_k(votes, k, are_equal=lambda answer, earlier: answer == earlier) == pytest.approx(expected)


def test_wrong_answers_in_other_forms_vote_together():
    votes = [right(), wrong("0.5"), right(), wrong(r"\frac{1}{2}"), wrong("1/2")]
    assert majority_at_k(votes, 5) == 0.0  # three of one half, two of the right answer
    assert majority_at_k(votes, 5, are_equal=lambda answer, earlier: False) == 1.0


def test_the_reward_decides_what_is_equal_and_what_is_too_long_is_equal_to_itself_alone():
    assert equal_by_reward("1,000", "1000")
    assert not equal_by_reward("1", "2")
    long = "x" * 600
    assert majority_at_k([right(), wrong(long), wrong(long)], 3) == 0.0


def test_right_answers_and_equal_texts_are_not_compared_again():
    assert majority_at_k([right("7"), wrong("1"), right("7.0"), wrong("1")], 4, are_equal=never) == 1.0


def test_votes_are_read_from_the_boxes_in_the_order_of_sampling(graded):
    responses = [
        graded(0.0, sample_index=2, response="no box"),
        graded(0.0, sample_index=1, response=r"\boxed{1}, no: \boxed{3}"),
        graded(1.0, sample_index=0, response=r"\boxed{2}"),
    ]
    assert votes_of(responses) == [right("2"), wrong("3"), NO_BOX]


VOTES = st.lists(st.sampled_from([right(), right("7.0"), wrong("1"), wrong("2"), NO_BOX]), min_size=1, max_size=12)


def by_text(answer, earlier):
    return answer == earlier


@given(VOTES)
def test_maj_at_one_is_the_accuracy(votes):
    expected = statistics.fmean(vote.is_correct for vote in votes)
    assert majority_at_k(votes, 1, by_text) == pytest.approx(expected)


@pytest.mark.slow
@given(VOTES, st.data())
def test_maj_at_n_needs_a_right_answer_and_all_right_ones_win(votes, data):
    num_right = sum(vote.is_correct for vote in votes)
    elected = majority_at_k(votes, len(votes), by_text)
    assert elected <= pass_at_k(len(votes), num_right, len(votes))
    assert elected == 1.0 or num_right <= len(votes) / 2
    k = data.draw(st.integers(1, len(votes)))
    assert 0 <= majority_at_k(votes, k, by_text) <= 1


@given(VOTES)
def test_a_response_without_a_box_changes_no_election(votes):
    with_a_mute = [*votes, NO_BOX]
    assert majority_at_k(with_a_mute, len(with_a_mute), by_text) == majority_at_k(votes, len(votes), by_text)


@pytest.mark.parametrize("k", [0, -1, 3])
def test_a_k_that_the_votes_cannot_answer_is_refused_with_k_and_n(k):
    with pytest.raises(ValueError, match=f"k = {k} with n = 2 samples"):
        majority_at_k([right(), NO_BOX], k)

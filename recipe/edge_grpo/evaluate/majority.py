"""Lets the responses to a problem vote on its answer: maj@k, the share of problems whose elected answer is right."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from recipe.edge_grpo.evaluate.responses import GradedResponse
from reward_fns.extraction import last_boxed
from reward_fns.math_reward import grade

AreEqual = Callable[[str, str], bool]
"""Says whether an answer is equal to an earlier one."""


@dataclass(frozen=True)
class Vote:
    """The boxed answer of one response, None without a box, and whether it is right."""

    answer: str | None
    is_correct: bool


def votes_of(responses: Sequence[GradedResponse]) -> list[Vote]:
    """Return the votes of the responses to one problem at one temperature, first sampled first."""
    ordered = sorted(responses, key=lambda response: response.sample_index)
    return [Vote(last_boxed(response.response), response.is_correct) for response in ordered]


@functools.lru_cache(maxsize=100_000)  # Every k of an evaluation asks for the same pairs.
def equal_by_reward(answer: str, earlier: str) -> bool:
    r"""Return True if the reward, to which `earlier` is the reference answer, grades `answer` as right.

    >>> equal_by_reward("0.5", r"\frac{1}{2}"), equal_by_reward("0.5", "5")
    (True, False)
    """
    return grade(rf"\boxed{{{answer}}}", earlier) == 1


def majority_at_k(votes: Sequence[Vote], k: int, are_equal: AreEqual = equal_by_reward) -> float:
    """Return the chance that k responses to one problem elect a right answer, from n >= k votes.

    The votes are taken k at a time in the order of sampling, and the share of these elections that a right answer wins
    is returned; what is left over, n mod k votes, is not used. The elections have no vote in common, so the mean is
    unbiased, and maj@1 is the accuracy. Of k votes

    - one without a box does not count; without any box nothing is elected, which is wrong;
    - right answers are equal, because the reward takes each for the reference answer; a right and a wrong one are not;
    - a wrong answer belongs to the first of the earlier ones that it is equal to;
    - of answers with equally many votes the one sampled first wins.

    Raises ValueError unless 1 <= k <= n.

    >>> votes = [Vote("1", False), Vote("2", True), Vote("0.5", False), Vote("2.0", True)]
    >>> majority_at_k(votes, k=4), majority_at_k(votes, k=2)
    (1.0, 0.0)
    """
    if not 1 <= k <= len(votes):
        raise ValueError(f"maj@k needs 1 <= k <= n, got k = {k} with n = {len(votes)} samples")
    elections = [votes[start : start + k] for start in range(0, len(votes) - k + 1, k)]
    return fmean(float(_elects_right_answer(election, are_equal)) for election in elections)


def _elects_right_answer(votes: Sequence[Vote], are_equal: AreEqual) -> bool:
    first_votes: list[Vote] = []
    counts: list[int] = []
    for vote in votes:
        if vote.answer is None:
            continue
        position = next((number for number, first in enumerate(first_votes) if _agree(vote, first, are_equal)), None)
        if position is None:
            first_votes.append(vote)
            counts.append(1)
        else:
            counts[position] += 1
    # `index` finds the first of the largest, whose answer was sampled before the others.
    return bool(counts) and first_votes[counts.index(max(counts))].is_correct


def _agree(vote: Vote, first: Vote, are_equal: AreEqual) -> bool:
    if vote.is_correct or first.is_correct:
        return vote.is_correct and first.is_correct
    return vote.answer == first.answer or are_equal(str(vote.answer), str(first.answer))

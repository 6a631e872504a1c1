"""The contrast guard: corrections that never take a group's contrast away, as pure functions.

Ours, not the paper's. The paper corrects each failed response by itself, so that a group with one or two failures
becomes all correct in about a half or a quarter of cases, and then teaches nothing. With the guard, the whole group is
looked at before anything is corrected:

    all correct   nothing to do, as in the paper
    mixed         corrected so far that at least one failure stays, or left alone
    all wrong     at least one correction that is sure (it states or is the answer, and has been graded as correct), and
                  at least one failure stays

A group of one has no contrast whatever is done, and is left alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from recipe.edge_grpo.settings.choices import Strategy

SURE_STRATEGIES = (Strategy.ANSWER, Strategy.SOLUTION)


@dataclass(frozen=True)
class GroupMember:
    """One response of a group, before correction."""

    is_failed: bool
    is_correctable: bool
    """It failed, and is neither beyond the prompt gate nor left out as truncated."""
    strategy: Strategy
    """The one drawn for it."""


def is_all_wrong(members: Sequence[GroupMember]) -> bool:
    """Return True if every response failed, in a group that could have contrast (two responses or more).

    >>> failed = GroupMember(is_failed=True, is_correctable=True, strategy=Strategy.SOLUTION)
    >>> is_all_wrong([failed, failed]), is_all_wrong([failed])
    (True, False)
    """
    return len(members) >= 2 and all(member.is_failed for member in members)


def sure_attempts(
    members: Sequence[GroupMember], order: Sequence[int], probabilities: Mapping[Strategy, float]
) -> Iterator[tuple[int, Strategy]]:
    """Yield what to try, one after the other, until one response of an all-wrong group is graded as correct.

    Args:
        members: the responses of one group.
        order: in which the responses are taken, a permutation of their numbers.
        probabilities: a strategy of probability 0 is not tried.

    Yields:
        Number of a response and the strategy to try on it: the one drawn for it first if it is a sure one.

    >>> failed = GroupMember(is_failed=True, is_correctable=True, strategy=Strategy.SOLUTION)
    >>> attempts = sure_attempts([failed, failed], [1, 0], {Strategy.ANSWER: 0.5, Strategy.SOLUTION: 0.5})
    >>> [(number, str(strategy)) for number, strategy in attempts]
    [(1, 'solution'), (1, 'answer'), (0, 'solution'), (0, 'answer')]
    """
    if not is_all_wrong(members):
        return
    allowed = [strategy for strategy in SURE_STRATEGIES if probabilities[strategy] > 0]
    for number in order:
        if members[number].is_correctable:
            drawn_first = sorted(allowed, key=lambda strategy: strategy is not members[number].strategy)
            yield from ((number, strategy) for strategy in drawn_first)


def kept_failure(members: Sequence[GroupMember], order: Sequence[int], corrected: Collection[int] = ()) -> int | None:
    """Return the response that stays failed so that the group keeps one: the last correctable one in `order`.

    Args:
        members: the responses of one group.
        order: a permutation of their numbers.
        corrected: numbers of responses that are already corrected.

    Returns:
        None if a failure that cannot be corrected stays anyway, or nothing can be corrected.

    >>> failed = GroupMember(is_failed=True, is_correctable=True, strategy=Strategy.SOLUTION)
    >>> kept_failure([failed, failed, failed], order=[2, 0, 1])
    1
    """
    failed = [number for number in order if members[number].is_failed and number not in corrected]
    if any(not members[number].is_correctable for number in failed):
        return None
    return failed[-1] if failed else None


def to_correct(
    members: Sequence[GroupMember], order: Sequence[int], corrected: Collection[int], corrects_mixed_groups: bool
) -> list[int]:
    """Return the responses that get the correction drawn for them, after the sure one of an all-wrong group.

    Args:
        members: the responses of one group.
        order: a permutation of their numbers.
        corrected: the sure correction, if one was made.
        corrects_mixed_groups: False leaves a group alone that has contrast without correction.

    Returns:
        Their numbers, in `order`; never all of the failures that are left.

    >>> failed = GroupMember(is_failed=True, is_correctable=True, strategy=Strategy.SOLUTION)
    >>> to_correct([failed, failed, failed], order=[2, 0, 1], corrected=[2], corrects_mixed_groups=True)
    [0]
    """
    if not corrects_mixed_groups and not is_all_wrong(members):
        return []
    kept = kept_failure(members, order, corrected)
    return [number for number in order if members[number].is_correctable and number not in corrected and number != kept]

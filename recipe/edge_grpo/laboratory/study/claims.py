"""The claims of a study and how each is answered: yes, no or undecided, by an interval over seeds. Pure.

They were written down before the runs (docs/study.md). A claim is about one number of each seed, such as the difference
of two methods that saw the same prompts; its interval is Student's over the seeds, which is the paired t-test.
"""

import contextlib
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from recipe.edge_grpo.intervals import mean_interval, t_test
from recipe.edge_grpo.laboratory.study.records import (
    ACCURACY,
    ENTROPY,
    EQUAL_AFTER,
    EQUAL_BEFORE,
    TOKENS,
    RunRecord,
)
from recipe.edge_grpo.laboratory.supervised import SUPERVISED

NUM_VALUES = 2
"""How many values of a curve "the first" and "the last" are: of validations every 10 steps, 20 steps."""

RunsOfSeed = Mapping[str, RunRecord]
"""{method: its run}, of one task and one seed."""

Number = Callable[[RunsOfSeed], float]
"""Takes a number from the runs of a seed; raises LookupError where they do not have it."""


class Answer(StrEnum):
    """What a study says of a claim."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"
    UNDER_WAY = "under way"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Claim:
    """A number of each seed, and on which side of a bound it is claimed to be; raises LookupError without its runs."""

    key: str
    text: str
    tasks: Sequence[str]
    number: Number
    bound: float = 0.0
    is_above: bool = True


@dataclass(frozen=True)
class Finding:
    """A claim on a task: its number on each seed that has the runs, their mean and interval, p-value and answer."""

    claim: Claim
    task: str
    numbers: Sequence[float]
    interval: tuple[float, float] | None
    p_value: float | None
    answer: Answer


def findings(claims: Sequence[Claim], runs: Mapping[str, Sequence[RunsOfSeed]]) -> list[Finding]:
    """Answer the claims on the tasks of a study; `runs` has their seeds. With fewer than two a claim is not run.

    A claim is not answered before all of its seeds are there: who looks after each seed finds a "yes" by chance.
    """
    return [find(claim, task, runs[task]) for claim in claims for task in claim.tasks if task in runs]


def find(claim: Claim, task: str, seeds: Sequence[RunsOfSeed]) -> Finding:
    """Answer one claim on one task."""
    numbers = numbers_of(seeds, claim.number)
    if len(numbers) < 2:
        return Finding(claim, task, numbers, None, None, Answer.NOT_RUN)
    interval = mean_interval(numbers)
    is_complete = len(numbers) == len(seeds)
    answer = answer_of(interval, claim.bound, claim.is_above) if is_complete else Answer.UNDER_WAY
    return Finding(claim, task, numbers, interval, t_test(numbers, claim.bound), answer)


def numbers_of(seeds: Sequence[RunsOfSeed], number: Number) -> list[float]:
    """Return a number of each seed; one that lacks a run for it, or whose run lacks the curve, says nothing."""
    numbers = []
    for runs in seeds:
        with contextlib.suppress(LookupError):
            numbers.append(number(runs))
    return numbers


def answer_of(interval: tuple[float, float], bound: float, is_above: bool) -> Answer:
    """Return yes if the whole interval is on the claimed side of the bound, no if on the other.

    >>> answer_of((0.1, 0.3), 0.0, True).value, answer_of((-0.1, 0.3), 0.0, True).value
    ('yes', 'undecided')
    """
    low, high = interval
    if low > bound:
        return Answer.YES if is_above else Answer.NO
    if high < bound:
        return Answer.NO if is_above else Answer.YES
    return Answer.UNDECIDED


def last_accuracy(method: str) -> Number:
    """Return the last validation of a method."""
    return lambda runs: runs[method].accuracy


def last_mean(method: str, curve: str) -> Number:
    """Return the mean of the last values of a curve."""
    return lambda runs: _mean(runs[method].values(curve)[-NUM_VALUES:])


def mean_accuracy(method: str) -> Number:
    """Return the mean of all validations of a method after the first, which is before training."""
    return lambda runs: _mean(runs[method].values(ACCURACY)[1:])


def first_mean(method: str, curve: str) -> Number:
    """Return the mean of the first values of a curve."""
    return lambda runs: _mean(runs[method].values(curve)[:NUM_VALUES])


def difference(first: Number, second: Number) -> Number:
    """Return the first number less the second."""
    return lambda runs: first(runs) - second(runs)


def at_equal_tokens(first: str, second: str) -> Number:
    """Return the accuracy of the first method less that of the second, where both have sampled equally much."""

    def number(runs: RunsOfSeed) -> float:
        budget = min(runs[method].values(TOKENS)[-1] for method in (first, second))
        return accuracy_within(runs[first], budget) - accuracy_within(runs[second], budget)

    return number


def accuracy_within(run: RunRecord, num_tokens: float) -> float:
    """Return the last validation before a run has sampled more than so many tokens."""
    pairs = zip(run.values(TOKENS), run.values(ACCURACY), strict=True)
    return [accuracy for tokens, accuracy in pairs if tokens <= num_tokens][-1]


NOT_IN_CLAIM_8 = ("dapo", "luffy")
"""The groups of dapo with equal rewards are dropped before they are counted; luffy joined when answers were known."""


def collapse_and_end(runs: RunsOfSeed) -> float:
    """Return the rank correlation, over the methods, of equal rewards at the beginning with the last validation."""
    methods = [method for method, run in runs.items() if run.values(EQUAL_AFTER) and method not in NOT_IN_CLAIM_8]
    early = [first_mean(method, EQUAL_AFTER)(runs) for method in methods]
    return rank_correlation(early, [runs[method].accuracy for method in methods])


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's correlation, equal values sharing their mean rank; LookupError where it is not defined.

    >>> rank_correlation([0.1, 0.2, 0.9], [3.0, 2.0, 1.0])
    -1.0
    """
    try:
        return statistics.correlation(_ranks(first), _ranks(second))
    except statistics.StatisticsError as error:  # fewer than two, or all the same
        raise LookupError(str(error)) from error


def _ranks(values: Sequence[float]) -> list[float]:
    return [sum(other < value for other in values) + sum(other == value for other in values) / 2 for value in values]


def _mean(values: Sequence[float]) -> float:
    if not values:
        raise LookupError("the curve has no values")
    return statistics.fmean(values)


EASY, HARD, RARE = "carry", "carry_hard", "carry_rare"
ALL = (EASY, HARD, RARE)


def _ahead(method: str, other: str) -> Number:
    return difference(last_accuracy(method), last_accuracy(other))


def _fewer_equal(runs: RunsOfSeed) -> float:
    """Return by how much the share of groups with contrast has risen under GRPO."""
    return first_mean("grpo", EQUAL_BEFORE)(runs) - last_mean("grpo", EQUAL_BEFORE)(runs)


CLAIMS = (
    Claim(
        "1",
        "Correction keeps groups informative",
        (HARD, RARE),
        lambda runs: 1 - last_mean("gec_only", EQUAL_AFTER)(runs),
        bound=0.94,
    ),
    Claim("1b", "Under GRPO informative groups become fewer", (HARD, RARE), _fewer_equal, is_above=False),
    Claim(
        "2",
        "EDGE-GRPO keeps entropy higher than forced reflection",
        ALL,
        difference(last_mean("edge_grpo", ENTROPY), last_mean("forced_reflection", ENTROPY)),
    ),
    Claim("3", "EDGE-GRPO beats GRPO at equal steps", ALL, _ahead("edge_grpo", "grpo")),
    Claim("3b", "EDGE-GRPO beats GRPO at equal tokens", ALL, at_equal_tokens("edge_grpo", "grpo")),
    Claim(
        "3c",
        "EDGE-GRPO learns sooner than GRPO",
        ALL,
        difference(mean_accuracy("edge_grpo"), mean_accuracy("grpo")),
    ),
    Claim("4", "EDA adds to correction", ALL, _ahead("edge_grpo", "gec_only")),
    Claim("5", "The contrast guard helps on easy problems", (EASY,), _ahead("edge_grpo_contrast", "edge_grpo")),
    Claim("6", "No credit for the failed first pass helps", ALL, _ahead("edge_grpo_plus", "edge_grpo_contrast")),
    Claim("7", "The solutions alone do not explain the gain", (HARD, RARE), _ahead("edge_grpo", SUPERVISED)),
    Claim("8", "Early collapse predicts the end", ALL, collapse_and_end, is_above=False),
    Claim(
        "9",
        "Under the contrast guard correction beats GRPO at equal tokens",
        (RARE,),
        at_equal_tokens("edge_grpo_plus", "grpo"),
    ),
    Claim(
        "9b",
        "Under the contrast guard correction beats the published recipe",
        (RARE,),
        _ahead("edge_grpo_plus", "edge_grpo"),
    ),
)

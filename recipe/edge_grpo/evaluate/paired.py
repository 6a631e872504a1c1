"""Compares two policies problem by problem: which problems both have, how far apart they are, and by chance or not.

Two intervals that overlap say little: both policies find the same problems hard. The difference on each problem does
not depend on how hard the problem is.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from recipe.edge_grpo.evaluate.responses import GradedResponse
from recipe.edge_grpo.evaluate.statistics import bootstrap_interval

ProblemName = tuple[str, int]
"""`data_source` and `extra_info.index` of a problem."""


class ProblemResult(NamedTuple):
    """What a run has of one problem at one temperature: the mean accuracy over its samples, prompt and answer."""

    accuracy: float
    prompt: str
    ground_truth: str


@dataclass(frozen=True)
class Matching:
    """The problems of two runs, all of them in one of four places, in the order of their names.

    pairs: by benchmark, the accuracies (of the first run, of the second) on each problem that both have.
    only_in_first, only_in_second: problems that the other run does not have.
    changed: problems whose name is that of another problem in the other run.
    """

    pairs: Mapping[str, Sequence[tuple[float, float]]]
    only_in_first: Sequence[ProblemName]
    only_in_second: Sequence[ProblemName]
    changed: Sequence[ProblemName]


class PairedDifference(NamedTuple):
    """How the second of two runs differs from the first on the same problems; accuracies from 0 to 1.

    `interval` is None where the difference is the same on every problem; see `paired_interval`.
    """

    num_problems: int
    difference: float
    interval: tuple[float, float] | None
    num_better: int
    num_worse: int
    p_value: float


def results_by_temperature(responses: Iterable[GradedResponse]) -> dict[float, dict[ProblemName, ProblemResult]]:
    """Return the result of each problem at each temperature, in rising order, of the first passes alone."""
    samples: dict[float, dict[ProblemName, list[GradedResponse]]] = defaultdict(lambda: defaultdict(list))
    for response in responses:
        if response.reflection_text is None:
            samples[response.temperature][response.benchmark, response.problem_index].append(response)
    return {
        temperature: {
            name: ProblemResult(fmean(each.accuracy for each in group), group[0].prompt, group[0].ground_truth)
            for name, group in sorted(samples[temperature].items())
        }
        for temperature in sorted(samples)
    }


def match_problems(first: Mapping[ProblemName, ProblemResult], second: Mapping[ProblemName, ProblemResult]) -> Matching:
    """Match the problems of two runs by `data_source` and index.

    Problems of the same name with different reference answers are `changed`. So are those with different prompts, if
    any prompt is that of both runs: if none is, the runs had different templates, and prompts say nothing.

    >>> one = {("amc", 0): ProblemResult(1.0, "1+1?", "2"), ("amc", 1): ProblemResult(0.5, "1+2?", "3")}
    >>> other = {("amc", 0): ProblemResult(0.0, "1+1?", "2"), ("amc", 2): ProblemResult(0.5, "1+3?", "4")}
    >>> matching = match_problems(one, other)
    >>> matching.pairs, matching.only_in_first, matching.only_in_second
    ({'amc': [(1.0, 0.0)]}, [('amc', 1)], [('amc', 2)])
    """
    common = sorted(first.keys() & second.keys())
    have_one_template = any(first[name].prompt == second[name].prompt for name in common)
    pairs: dict[str, list[tuple[float, float]]] = {}
    changed = []
    for name in common:
        is_same_prompt = first[name].prompt == second[name].prompt or not have_one_template
        if is_same_prompt and first[name].ground_truth == second[name].ground_truth:
            pairs.setdefault(name[0], []).append((first[name].accuracy, second[name].accuracy))
        else:
            changed.append(name)
    return Matching(pairs, sorted(first.keys() - second.keys()), sorted(second.keys() - first.keys()), changed)


def paired_difference(
    pairs: Sequence[tuple[float, float]], *, num_resamples: int, seed: int, confidence_level: float = 0.95
) -> PairedDifference:
    """Compare two runs on the pairs of their accuracies, of which there is at least one.

    >>> paired_difference([(0.0, 1.0), (0.0, 1.0), (1.0, 1.0)], num_resamples=100, seed=0)[3:]
    (2, 0, 0.5)
    """
    differences = [second - first for first, second in pairs]
    num_better, num_worse = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    return PairedDifference(
        len(pairs),
        fmean(differences),
        paired_interval(pairs, num_resamples=num_resamples, seed=seed, confidence_level=confidence_level),
        num_better,
        num_worse,
        sign_test(num_better, num_worse),
    )


def paired_interval(
    pairs: Sequence[tuple[float, float]], *, num_resamples: int, seed: int, confidence_level: float = 0.95
) -> tuple[float, float] | None:
    """Return the paired bootstrap interval of the mean of `second - first`; None if it is the same for all pairs.

    Problems are drawn with replacement, each with its accuracies in both runs: the bootstrap of the differences. Where
    these are all the same it would have width 0, as if other problems had to go the same way. Raises what
    `bootstrap_interval` does.

    >>> paired_interval([(0.0, 1.0), (1.0, 0.0)], num_resamples=100, seed=0)
    (-1.0, 1.0)
    """
    differences = [second - first for first, second in pairs]
    interval = bootstrap_interval(
        differences, num_resamples=num_resamples, seed=seed, confidence_level=confidence_level
    )
    return interval if len(set(differences)) > 1 else None


def sign_test(num_better: int, num_worse: int) -> float:
    """Return the exact two-sided p-value of the sign test: how likely so uneven a split is if both were as likely.

    min(1, 2 * sum of C(n, i) / 2^n for i from 0 to min(better, worse)), with n = better + worse: problems on which both
    runs are equally good do not count. Without any other the p-value is 1. Raises ValueError for a negative number.

    >>> sign_test(5, 0), sign_test(1, 1)
    (0.0625, 1.0)
    """
    if num_better < 0 or num_worse < 0:
        raise ValueError(f"numbers of problems must be at least 0, got {num_better} and {num_worse}")
    num_problems = num_better + num_worse
    tail = sum(math.comb(num_problems, count) for count in range(min(num_better, num_worse) + 1))
    return min(1.0, 2 * tail / (1 << num_problems))

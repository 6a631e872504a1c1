"""Computes the statistics of an evaluation: avg@n, unbiased pass@k, intervals and averages over benchmarks.

The two averages have their names everywhere, because they differ: the paper's tables weigh each benchmark with its
number of problems (`sample_weighted_average`), the authors' script prints the plain mean (`macro_average`).
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy

from recipe.edge_grpo.intervals import wilson_interval

WILSON, BOOTSTRAP = "wilson", "bootstrap"

FEWEST_FOR_BOOTSTRAP = 30
"""Of fewer problems the percentile bootstrap is too narrow. AIME, of 30, keeps the interval of the paper's protocol."""


def pass_at_k(num_samples: int, num_correct: int, k: int) -> float:
    """Return the probability that at least one of k responses, drawn without replacement from the samples, is correct.

    The unbiased estimator of Chen et al. 2021 (arXiv 2107.03374), 1 - C(n - c, k) / C(n, k), in exact integers. For
    k = 1 it is c / n, the accuracy over the samples.

    Raises ValueError unless 1 <= k <= n and 0 <= c <= n: from n samples nothing unbiased can be said of more.

    >>> pass_at_k(num_samples=4, num_correct=1, k=2)
    0.5
    """
    if not 0 <= num_correct <= num_samples:
        raise ValueError(f"num_correct must be from 0 to num_samples, got {num_correct} of {num_samples}")
    if not 1 <= k <= num_samples:
        raise ValueError(f"pass@k needs 1 <= k <= n, got k = {k} with n = {num_samples} samples")
    return 1 - math.comb(num_samples - num_correct, k) / math.comb(num_samples, k)


def avg_at_n(accuracies: Sequence[Sequence[float]]) -> float:
    """Return the mean over the problems of the mean accuracy over the samples of each.

    It equals the unbiased pass@1, also where problems have unequal numbers of samples. Neither problems nor samples may
    be empty (statistics.StatisticsError, a ValueError).

    >>> avg_at_n([[1.0], [0.0, 1.0]])
    0.75
    """
    return fmean(fmean(samples) for samples in accuracies)


def bootstrap_interval(
    values: Sequence[float], *, num_resamples: int, seed: int, confidence_level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of `values`, one value per problem.

    It says how far the mean would move with other problems of the same kind; samples of a problem are not redrawn. The
    same arguments, in any order of the values, give the same interval. A single value, or equal ones, give an interval
    of width 0: the bootstrap cannot see what is not in the sample.

    Raises ValueError for no values, no resamples, or a level outside (0, 1).

    >>> bootstrap_interval([0.0, 1.0], num_resamples=100, seed=0)
    (0.0, 1.0)
    """
    if not values:
        raise ValueError("a bootstrap interval needs at least one value")
    if num_resamples < 1:
        raise ValueError(f"num_resamples must be at least 1, got {num_resamples}")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level must be between 0 and 1, got {confidence_level}")
    # How often each distinct value is drawn is all that the mean depends on, and there are few distinct values.
    distinct, counts = numpy.unique(numpy.asarray(values, dtype=numpy.float64), return_counts=True)
    draws = numpy.random.default_rng(seed).multinomial(len(values), counts / len(values), size=num_resamples)
    tail = (1 - confidence_level) / 2
    means = (draws / len(values) * distinct).sum(axis=1)
    low, high = numpy.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def interval_method(values: Sequence[float]) -> str:
    """Return how the interval of the mean of `values` is found: `WILSON` or `BOOTSTRAP`.

    Wilson's formula where all problems are solved in all samples, or none in any, of which the bootstrap would say that
    other problems go the same way; and for fewer than `FEWEST_FOR_BOOTSTRAP` problems.

    >>> interval_method([1.0] * 83), interval_method([0.0, 1.0] * 50), interval_method([0.0, 1.0] * 5)
    ('wilson', 'bootstrap', 'wilson')
    """
    is_extreme = max(values) == 0 or min(values) == 1
    return WILSON if is_extreme or len(values) < FEWEST_FOR_BOOTSTRAP else BOOTSTRAP


def accuracy_interval(
    values: Sequence[float], *, num_resamples: int, seed: int, confidence_level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of the mean of accuracies, one value from 0 to 1 per problem, by their `interval_method`.

    Raises what `bootstrap_interval` does.

    >>> low, high = accuracy_interval([0.0] * 10, num_resamples=100, seed=0)
    >>> round(low, 4), round(high, 4)
    (0.0, 0.2775)
    """
    # Always drawn, because it also refuses what cannot be used.
    bootstrapped = bootstrap_interval(values, num_resamples=num_resamples, seed=seed, confidence_level=confidence_level)
    if interval_method(values) == BOOTSTRAP:
        return bootstrapped
    return wilson_interval(fmean(values), len(values), confidence_level)


def sample_weighted_average(value_by_benchmark: Mapping[str, float], num_problems: Mapping[str, int]) -> float:
    """Return the mean over the benchmarks, each weighted with its number of problems, as in the paper's tables.

    Raises KeyError for a benchmark without a number of problems, ValueError for no benchmarks.

    >>> sample_weighted_average({"amc": 50.0, "aime24": 20.0}, {"amc": 2, "aime24": 1})
    40.0
    """
    return fmean(value_by_benchmark.values(), [num_problems[benchmark] for benchmark in value_by_benchmark])


def macro_average(value_by_benchmark: Mapping[str, float]) -> float:
    """Return the unweighted mean over the benchmarks, as the authors' script prints it. Raises ValueError for none.

    >>> macro_average({"amc": 50.0, "aime24": 20.0})
    35.0
    """
    return fmean(value_by_benchmark.values())

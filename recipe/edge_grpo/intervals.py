"""Intervals of a share, as that of the problems that were solved, and of a mean, as that over seeds; pure.

Over a handful of seeds Student's distribution is the honest one: with five, 1.96 standard errors would be 2.78.
"""

import functools
import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, stdev

import mpmath


def wilson_interval(share: float, num_problems: int, confidence_level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share of right answers, by Wilson's formula (1927).

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), where the normal distribution has `confidence_level` of its mass
    within z standard deviations: z = 1.96 for 95 %. It says how far the share would move with other problems of the
    same kind; it does not say how far with another seed of training. It stays within [0, 1], and has a width where all
    or none are right. Of a mean of shares, such as avg@n, it is too wide rather than too narrow: numbers from 0 to 1
    with mean p have at most the variance p(1-p).

    Raises ValueError unless the share is from 0 to 1, there is a problem, and the level lies between 0 and 1.

    >>> low, high = wilson_interval(0.5, 256)
    >>> round(low, 3), round(high, 3)
    (0.439, 0.561)
    """
    if not 0 <= share <= 1 or num_problems < 1:
        raise ValueError(f"a share from 0 to 1 of at least one problem is needed, got {share} of {num_problems}")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level must be between 0 and 1, got {confidence_level}")
    z = NormalDist().inv_cdf((1 + confidence_level) / 2)
    per_problem = z**2 / num_problems
    middle = share + per_problem / 2
    half = z * math.sqrt(share * (1 - share) / num_problems + per_problem / (4 * num_problems))
    return cut_interval(((middle - half) / (1 + per_problem), (middle + half) / (1 + per_problem)))


def mean_interval(values: Sequence[float], confidence_level: float = 0.95) -> tuple[float, float]:
    """Return Student's interval of the mean of n values that are drawn alike: mean ± t s / √n, t with n - 1 degrees.

    Of differences taken pair by pair it is the paired t-test: 0 lies outside of the interval of level 1 - p exactly
    where the test's two-sided p-value is below p. Values that are all the same have an interval without width.

    Raises ValueError for fewer than two values.

    >>> low, high = mean_interval([0.4, 0.5, 0.6])  # 0.5 ± 4.303 * 0.1 / √3
    >>> round(low, 3), round(high, 3)
    (0.252, 0.748)
    """
    half = _half_width(values, confidence_level) / math.sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def next_value_interval(values: Sequence[float], confidence_level: float = 0.95) -> tuple[float, float]:
    """Return the interval for one value more, drawn as the n given ones: mean ± t s √(1 + 1/n).

    It is wider than that of the mean: one run more varies as the runs do. Raises ValueError for fewer than two values.

    >>> low, high = next_value_interval([0.4, 0.5, 0.6])  # 0.5 ± 4.303 * 0.1 * √(4/3)
    >>> round(low, 3), round(high, 3)
    (0.003, 0.997)
    """
    half = _half_width(values, confidence_level) * math.sqrt(1 + 1 / len(values))
    return fmean(values) - half, fmean(values) + half


def cut_interval(interval: tuple[float, float], highest: float = 1.0) -> tuple[float, float]:
    """Return the part of an interval in which a number from 0 to `highest` can be, as a share or an entropy is.

    Student's interval of few values knows no bounds. An interval without such a part becomes the bound next to it.

    >>> cut_interval((-0.1, 0.4)), cut_interval((0.6, 1.3)), cut_interval((0.6, 1.3), highest=math.inf)
    ((0.0, 0.4), (0.6, 1.0), (0.6, 1.3))
    """
    low, high = (min(max(0.0, bound), highest) for bound in interval)
    return low, high


def t_test(values: Sequence[float], expected: float = 0.0) -> float:
    """Return the two-sided p-value of Student's test that the mean is `expected`; paired, if given differences.

    I_x(ν/2, 1/2) with ν = n - 1, x = ν / (ν + t²), t = (mean - expected) √n / s, I the regularized incomplete beta
    function. Without deviation it is 1 where the mean is as expected, else 0. Raises ValueError for fewer than two
    values.

    >>> round(t_test([1.0, 2.0, 3.0]), 4)  # t = 2 √3 = 3.464 with two degrees
    0.0742
    """
    deviation = _deviation(values)
    distance = abs(fmean(values) - expected)
    if deviation == 0:
        return 1.0 if distance == 0 else 0.0
    return _two_sided(distance * math.sqrt(len(values)) / deviation, len(values) - 1)


def _half_width(values: Sequence[float], confidence_level: float) -> float:
    deviation = _deviation(values)
    return _t_quantile(len(values) - 1, confidence_level) * deviation


def _deviation(values: Sequence[float]) -> float:
    if len(values) < 2:
        raise ValueError(f"a deviation needs two values or more, got {len(values)}")
    return stdev(values)


def _two_sided(t: float, degrees: int) -> float:
    return _tails(degrees / (degrees + t * t), degrees)


def _tails(x: float, degrees: int) -> float:
    """Return the share of Student's distribution beyond ±t, for x = ν / (ν + t²)."""
    return float(mpmath.betainc(degrees / 2, 0.5, 0, x, regularized=True))


@functools.cache
def _t_quantile(degrees: int, confidence_level: float) -> float:
    """Return the t beyond which, on both sides together, 1 - confidence_level of the distribution lies."""
    outside = 1 - confidence_level
    # In x, which runs from 0 to 1, bisection finds it whatever the degrees; in t its place has no bound.
    x = mpmath.findroot(lambda x: _tails(x, degrees) - outside, (0, 1), solver="bisect", maxsteps=200, verify=False)
    return math.sqrt(degrees * (1 - float(x)) / float(x))

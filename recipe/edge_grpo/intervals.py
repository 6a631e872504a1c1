"""The interval of a share, such as that of the problems that were solved; imports nothing of ours, pure."""

import math
from statistics import NormalDist


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
    return max(0.0, (middle - half) / (1 + per_problem)), min(1.0, (middle + half) / (1 + per_problem))

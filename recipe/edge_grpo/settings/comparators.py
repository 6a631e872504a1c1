"""`edge_grpo.comparator`: the constants of a rival estimator, by the name that it has as `algorithm.adv_estimator`.

The defaults, and their meaning, are in the recipe of each name; every key has to be present.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recipe.edge_grpo.settings import validation as check

COMPARATOR_KEY = "edge_grpo.comparator"


@dataclass(frozen=True)
class NGRPOConstants:
    """NGRPO: a right response that each group is compared with."""

    max_reward: float
    """What a right response gets."""
    num_virtual: int
    """Right responses that each group is compared with."""

    def __post_init__(self) -> None:
        check.require_number(f"{COMPARATOR_KEY}.max_reward", self.max_reward)
        check.require_whole_number(f"{COMPARATOR_KEY}.num_virtual", self.num_virtual)


@dataclass(frozen=True)
class AVSPOConstants:
    """AVSPO: the opposite reward beside a group without contrast."""

    max_reward: float
    """What a right response gets."""
    min_reward: float
    """What a wrong one gets."""
    num_virtual: int
    """Opposite rewards beside a group without contrast."""

    def __post_init__(self) -> None:
        check.require_number(f"{COMPARATOR_KEY}.max_reward", self.max_reward)
        check.require_number(f"{COMPARATOR_KEY}.min_reward", self.min_reward, below=self.max_reward)
        check.require_whole_number(f"{COMPARATOR_KEY}.num_virtual", self.num_virtual)


@dataclass(frozen=True)
class EGPOConstants:
    """EGPO: bounds on the weight of an advantage, and the advantage of groups that are all wrong."""

    low: float
    """Least weight of a wrong response."""
    high: float
    """Largest weight of a right one."""
    all_wrong: float
    """Advantage where a whole group is wrong."""

    def __post_init__(self) -> None:
        check.bounds(f"{COMPARATOR_KEY}.low and {COMPARATOR_KEY}.high", [self.low, self.high])
        check.require_number(f"{COMPARATOR_KEY}.all_wrong", self.all_wrong, at_most=0)


@dataclass(frozen=True)
class RLZVPConstants:
    """RL-ZVP: the share of the entropy in the advantage of groups without contrast."""

    alpha: float
    """Factor on the entropy of a token."""

    def __post_init__(self) -> None:
        check.require_number(f"{COMPARATOR_KEY}.alpha", self.alpha, at_least=0)


@dataclass(frozen=True)
class EntropyShapedConstants:
    """Entropy-shaped advantage: the bonus of a token."""

    alpha: float
    """Factor on the entropy of a token."""
    kappa: float
    """The bonus is at most the advantage divided by it."""

    def __post_init__(self) -> None:
        check.require_number(f"{COMPARATOR_KEY}.alpha", self.alpha, at_least=0)
        check.require_number(f"{COMPARATOR_KEY}.kappa", self.kappa, above=1)


Constants = NGRPOConstants | AVSPOConstants | EGPOConstants | RLZVPConstants | EntropyShapedConstants

CONSTANTS: dict[str, type[Constants]] = {
    "ngrpo": NGRPOConstants,
    "avspo": AVSPOConstants,
    "egpo": EGPOConstants,
    "rl_zvp": RLZVPConstants,
    "entropy_shaped": EntropyShapedConstants,
}
"""{`algorithm.adv_estimator`: the constants that it has}."""


def read_constants(estimator: str, block: Mapping[str, Any] | None) -> Constants | None:
    """Return the constants of an estimator; None for one that is no comparator.

    Raises:
        ValueError: naming the key and the fix, if the block is missing, unknown, out of range or without effect.

    >>> read_constants("rl_zvp", {"alpha": 0.1})
    RLZVPConstants(alpha=0.1)
    >>> read_constants("grpo", None) is None
    True
    """
    if estimator not in CONSTANTS:
        if block is not None:
            raise ValueError(
                f"{COMPARATOR_KEY}={dict(block)} with algorithm.adv_estimator={estimator}, which has no constants; "
                f"set {COMPARATOR_KEY}=null, or algorithm.adv_estimator to one of {', '.join(CONSTANTS)}"
            )
        return None
    if block is None:
        raise ValueError(f"algorithm.adv_estimator={estimator} and no {COMPARATOR_KEY}: +recipe={estimator} sets both")
    constants = CONSTANTS[estimator]
    return constants(**check.known_keys(constants, COMPARATOR_KEY, block, recipe=estimator))

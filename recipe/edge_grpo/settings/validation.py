"""Checks of single values of the configuration; each refusal names the key, the value and what is right."""

import difflib
import math
import operator
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, TypeVar

from recipe.edge_grpo.settings.choices import FailedPrefixLoss, Strategy

Choice = TypeVar("Choice", bound=StrEnum)


def known_keys(settings_class: type, key: str, block: Any, recipe: str = "edge_grpo") -> dict[str, Any]:
    """Return the block as a dictionary that has exactly the fields of the class; `recipe` is the one that sets them.

    >>> from dataclasses import make_dataclass
    >>> known_keys(make_dataclass("Settings", ["seed"]), "edge_grpo", {"sed": 1})
    Traceback (most recent call last):
    ValueError: unknown key edge_grpo.sed: did you mean edge_grpo.seed?
    """
    if not isinstance(block, Mapping):
        raise ValueError(f"{key}={block!r} must be a block of keys")
    known = [field.name for field in fields(settings_class)]
    for name in block:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {key}.{close[0]}?" if close else f"known keys: {', '.join(known)}"
            raise ValueError(f"unknown key {key}.{name}: {hint}")
    for name in known:
        if name not in block:
            raise ValueError(f"missing key {key}.{name}: +recipe={recipe} sets it; do not remove it")
    return dict(block)


def require_type(key: str, value: Any, expected: type) -> None:
    """Refuse a value of another type; a truth value is no number.

    >>> require_type("edge_grpo.seed", True, int)
    Traceback (most recent call last):
    ValueError: edge_grpo.seed=True must be of type int
    """
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise ValueError(f"{key}={value!r} must be of type {expected.__name__}")


def require_positive(key: str, value: Any) -> None:
    """Refuse what is not a whole number of at least 1.

    >>> require_positive("edge_grpo.gec.reflection_rounds", 0)
    Traceback (most recent call last):
    ValueError: edge_grpo.gec.reflection_rounds=0 must be a whole number of at least 1
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key}={value!r} must be a whole number of at least 1")


def is_number(value: Any) -> bool:
    """Return True if the value is a finite number; a truth value is none.

    >>> is_number(0.5), is_number(True), is_number(math.inf)
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def require_number(
    key: str,
    value: Any,
    at_least: float | None = None,
    at_most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> None:
    """Refuse what is not a finite number within the bounds.

    >>> require_number("edge_grpo.comparator.alpha", -1, at_least=0)
    Traceback (most recent call last):
    ValueError: edge_grpo.comparator.alpha=-1 must be a number of at least 0
    """
    rules = (
        ("of at least", at_least, operator.ge),
        ("of at most", at_most, operator.le),
        ("above", above, operator.gt),
        ("below", below, operator.lt),
    )
    asked = [(words, bound, holds) for words, bound, holds in rules if bound is not None]
    if not is_number(value) or not all(holds(value, bound) for _, bound, holds in asked):
        limits = " and ".join(f"{words} {bound:g}" for words, bound, _ in asked)
        raise ValueError(f"{key}={value!r} must be a number" + (f" {limits}" if limits else ""))


def require_whole_number(key: str, value: Any) -> None:
    """Refuse what is not a whole number of at least 0.

    >>> require_whole_number("edge_grpo.comparator.num_virtual", 0.5)
    Traceback (most recent call last):
    ValueError: edge_grpo.comparator.num_virtual=0.5 must be a whole number of at least 0
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{key}={value!r} must be a whole number of at least 0")


def require_seconds(key: str, value: Any) -> None:
    """Refuse what is not a finite number above 0.

    >>> require_seconds("edge_grpo.replay_poll_seconds", None)
    Traceback (most recent call last):
    ValueError: edge_grpo.replay_poll_seconds=None must be a number of seconds above 0
    """
    if not is_number(value) or value <= 0:
        raise ValueError(f"{key}={value!r} must be a number of seconds above 0")


def require_seconds_or_null(key: str, value: Any) -> None:
    """Refuse what is neither a finite number above 0 nor null, which means no limit.

    >>> require_seconds_or_null("edge_grpo.stall_seconds", None)
    >>> require_seconds_or_null("edge_grpo.stall_seconds", 0)
    Traceback (most recent call last):
    ValueError: edge_grpo.stall_seconds=0 must be a number of seconds above 0, or null for no limit
    """
    if value is not None and (not is_number(value) or value <= 0):
        raise ValueError(f"{key}={value!r} must be a number of seconds above 0, or null for no limit")


def require_share_or_null(key: str, value: Any) -> None:
    """Refuse what is neither a number from 0 to 1 nor null, which means no limit.

    >>> require_share_or_null("edge_grpo.max_lost_fraction", 5)
    Traceback (most recent call last):
    ValueError: edge_grpo.max_lost_fraction=5 must be a number from 0 to 1, or null for no limit
    """
    if value is not None and (not is_number(value) or not 0 <= value <= 1):
        raise ValueError(f"{key}={value!r} must be a number from 0 to 1, or null for no limit")


def one_of(key: str, value: Any, choices: type[Choice]) -> Choice:
    """Return the member of the enumeration with this name.

    >>> one_of("strategy", "answer", Strategy)
    <Strategy.ANSWER: 'answer'>
    """
    if value not in [choice.value for choice in choices]:
        raise ValueError(f"{key}={value!r} must be one of {', '.join(choices)}")
    return choices(value)


def bounds(key: str, value: Any) -> tuple[float, float] | None:
    """Return bounds (low, high) around 1, or None.

    >>> bounds("edge_grpo.eda.clip", [0.5, 2])
    (0.5, 2.0)
    """
    if value is None:
        return None
    pair = tuple(value) if isinstance(value, list | tuple) else ()
    if len(pair) != 2 or not all(is_number(bound) for bound in pair) or not 0 < pair[0] <= 1 <= pair[1]:
        raise ValueError(f"{key}={value!r}: give two numbers [low, high] with 0 < low <= 1 <= high, or null")
    return float(pair[0]), float(pair[1])


def texts(key: str, value: Any) -> tuple[str, ...]:
    """Return a list of one text or more, none of them empty.

    >>> texts("edge_grpo.gec.reflection_texts", [" Wait!"])
    (' Wait!',)
    """
    if not isinstance(value, list | tuple) or not value or not all(isinstance(text, str) and text for text in value):
        raise ValueError(f"{key}={value!r} must be a list of at least one text, none of them empty")
    return tuple(value)


def growing_shares(key: str, value: Any) -> tuple[float, ...]:
    """Return a list of one share or more, each larger than the one before, above 0 and at most 1.

    >>> growing_shares("edge_grpo.gec.hint_shares", [0.5, 0.25])
    Traceback (most recent call last):
    ValueError: edge_grpo.gec.hint_shares=[0.5, 0.25] must be a list of growing numbers above 0, at most 1
    """
    shares = list(value) if isinstance(value, list | tuple) else []
    is_growing = all(is_number(share) for share in shares) and shares == sorted(set(shares))
    if not shares or not is_growing or not 0 < shares[0] <= shares[-1] <= 1:
        raise ValueError(f"{key}={value!r} must be a list of growing numbers above 0, at most 1")
    return tuple(float(share) for share in shares)


def failed_prefix_losses(key: str, value: Any) -> dict[Strategy, FailedPrefixLoss]:
    """Return the treatment of the failed first pass for each strategy that keeps it.

    >>> failed_prefix_losses("edge_grpo.gec.failed_prefix_loss", {"answer": "mask"})
    Traceback (most recent call last):
    ValueError: edge_grpo.gec.failed_prefix_loss={'answer': 'mask'} must have exactly the keys answer, reflection
    """
    names = (Strategy.ANSWER, Strategy.REFLECTION)
    if not isinstance(value, Mapping) or sorted(value) != sorted(names):
        raise ValueError(f"{key}={value!r} must have exactly the keys {', '.join(names)}")
    return {name: one_of(f"{key}.{name}", value[name.value], FailedPrefixLoss) for name in names}


def require_weight(key: str, value: Any, is_needed: bool, needed_by: str) -> None:
    """Refuse a weight of tokens that is missing, no number of at least 0, or without effect.

    Args:
        key: of the weight.
        value: the weight, None for none.
        is_needed: whether a setting asks for it.
        needed_by: that setting, as key=value.

    >>> require_weight("edge_grpo.gec.injected_weight", 0.5, False, "edge_grpo.gec.injected_loss=weight")
    Traceback (most recent call last):
    ValueError: edge_grpo.gec.injected_weight=0.5 has no effect without edge_grpo.gec.injected_loss=weight; set the \
weight to null
    """
    if is_needed and not (is_number(value) and value >= 0):
        raise ValueError(f"{key}={value!r} must be a number of at least 0 with {needed_by}")
    if not is_needed and value is not None:
        raise ValueError(f"{key}={value!r} has no effect without {needed_by}; set the weight to null")


def strategy_probabilities(key: str, value: Any) -> dict[Strategy, float]:
    """Return a probability for each strategy; they sum to 1.

    >>> strategy_probabilities("edge_grpo.gec.probabilities", {"reflection": 1, "answer": 1, "solution": 0, "hint": 0})
    Traceback (most recent call last):
    ValueError: edge_grpo.gec.probabilities sum to 2; they must sum to 1
    """
    names = [strategy.value for strategy in Strategy]
    if not isinstance(value, Mapping) or sorted(value) != sorted(names):
        raise ValueError(f"{key}={value!r} must have exactly the keys {', '.join(names)}")
    for name, probability in value.items():
        if not is_number(probability) or not 0 <= probability <= 1:
            raise ValueError(f"{key}.{name}={probability!r} must be a number between 0 and 1")
    total = math.fsum(value.values())
    if not math.isclose(total, 1.0, abs_tol=1e-6):
        raise ValueError(f"{key} sum to {total:g}; they must sum to 1")
    return {Strategy(name): float(probability) for name, probability in value.items()}

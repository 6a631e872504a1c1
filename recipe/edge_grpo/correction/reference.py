"""What a dataset row knows of the right response: the reference answer and the reference solution."""

from collections.abc import Mapping
from typing import Any


def ground_truth_of(row: Mapping[str, Any]) -> Any:
    """Return `reward_model.ground_truth` of a row, None where there is none.

    >>> ground_truth_of({"reward_model": {"ground_truth": "4"}}), ground_truth_of({"reward_model": None})
    ('4', None)
    """
    reward_model = row.get("reward_model")
    return reward_model.get("ground_truth") if isinstance(reward_model, Mapping) else None


def is_answer(ground_truth: Any) -> bool:
    """Return True for anything but None, an empty list and an empty text: the number 0 is an answer."""
    if isinstance(ground_truth, list | tuple):
        return len(ground_truth) > 0
    return ground_truth is not None and bool(str(ground_truth).strip())


def answer_of(row: Mapping[str, Any]) -> str | None:
    """Return the reference answer, of several alternatives the first; None where there is none.

    >>> answer_of({"reward_model": {"ground_truth": ["4", "four"]}}), answer_of({"reward_model": {"ground_truth": ""}})
    ('4', None)
    """
    ground_truth = ground_truth_of(row)
    if not is_answer(ground_truth):
        return None
    return str(ground_truth[0] if isinstance(ground_truth, list | tuple) else ground_truth)


def solution_of(row: Mapping[str, Any]) -> str | None:
    """Return `extra_info.solution` of a row, None where there is none.

    >>> solution_of({"extra_info": {"solution": "2 + 2 = 4"}}), solution_of({"extra_info": None})
    ('2 + 2 = 4', None)
    """
    extra_info = row.get("extra_info")
    solution = extra_info.get("solution") if isinstance(extra_info, Mapping) else None
    return str(solution) if solution else None

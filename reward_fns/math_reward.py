r"""The reward for a mathematical problem: 1 if the last `\boxed{}` of the response equals the expected answer.

`compute_score` is what verl calls (`reward.custom_reward_function.path=pkg://reward_fns.math_reward`,
`reward.custom_reward_function.name=compute_score`); `grade` is its blocking twin.

Rule: the last balanced, non-empty box is the answer; a right number outside a box earns nothing. Every result has the
same four keys, because verl reads the keys of a batch's first sample and indexes all the others with them.
"""

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Number
from typing import Any

from reward_fns.equivalence import clean, compare_quickly, exceeds_limits
from reward_fns.extraction import last_boxed
from reward_fns.verifier_process import VerifierProcess

_VERIFIER = VerifierProcess()  # Starts nothing before the first comparison that needs it.


@dataclass(frozen=True)
class _Grading:
    """What is known so far: a final status, or `open_golds` that the verifier has yet to compare with `candidate`."""

    candidate: str | None
    is_correct: bool
    verify_status: str
    open_golds: tuple[str, ...] = ()


async def compute_score(
    data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None, **kwargs: Any
) -> dict[str, float | str]:
    """Score one response for verl, without blocking the event loop.

    Returns `score` and `acc` (1.0 or 0.0, the same), `format` (1.0 if the response has a non-empty last box) and
    `verify_status`: `ok` (compared), `no_box`, `limit` (the box holds more than is worth comparing), `timeout`,
    `crash` or `parse_error` (the comparison failed; counts as wrong). `ground_truth` is a string, a number or an
    iterable of alternatives. Raises ValueError for a missing or empty `ground_truth`, never because of the response.
    The other arguments are verl's and are not used.
    """
    grading = _grade_quickly(solution_str, ground_truth)
    if grading.open_golds:
        grading = await asyncio.to_thread(_grade_slowly, grading)
    accuracy = float(grading.is_correct)
    has_box = float(grading.candidate is not None)
    return {"score": accuracy, "acc": accuracy, "format": has_box, "verify_status": grading.verify_status}


def grade(response: str, ground_truth: Any) -> float:
    """Return 1.0 if `response` ends in the right box, else 0.0. Blocks; callable from any thread.

    Raises ValueError for a missing or empty `ground_truth`.
    """
    return float(_grade_slowly(_grade_quickly(response, ground_truth)).is_correct)


def gold_answers(ground_truth: Any) -> list[str]:
    r"""Return the accepted answers as text, without a box around them.

    Raises ValueError if `ground_truth` is None, not a number, empty, or contains such an alternative.
    """
    if isinstance(ground_truth, Iterable) and not isinstance(ground_truth, (str, bytes, dict)):
        answers = [answer for alternative in ground_truth for answer in gold_answers(alternative)]
        if not answers:
            raise ValueError("ground_truth is an empty list: the row has no answer")
        return answers
    is_number = isinstance(ground_truth, Number) and not isinstance(ground_truth, bool)
    if not isinstance(ground_truth, str) and not (is_number and math.isfinite(ground_truth)):
        raise ValueError(f"ground_truth must be a text, a finite number or a list of them, got {ground_truth!r}")
    text = str(ground_truth).strip()
    if not text:
        raise ValueError("ground_truth is empty: the row has no answer")
    return [last_boxed(text) or text]


def _grade_quickly(response: str, ground_truth: Any) -> _Grading:
    golds = gold_answers(ground_truth)
    candidate = last_boxed(response)
    if candidate is None:
        return _Grading(None, False, "no_box")
    if exceeds_limits(candidate):
        return _Grading(candidate, False, "limit")
    verdicts = [compare_quickly(candidate, gold) for gold in golds]
    if any(verdicts):
        return _Grading(candidate, True, "ok")
    undecided = tuple(gold for gold, verdict in zip(golds, verdicts, strict=True) if verdict is None)
    return _Grading(candidate, False, "ok", undecided)


def _grade_slowly(grading: _Grading) -> _Grading:
    """Settle the open comparisons. One that failed shows in the status, unless another alternative is right."""
    verify_status = grading.verify_status
    for gold in grading.open_golds:
        assert grading.candidate is not None
        is_equal, status = _VERIFIER.compare(clean(grading.candidate), clean(gold))
        if is_equal:
            return _Grading(grading.candidate, True, "ok")
        verify_status = status if status != "ok" else verify_status
    return _Grading(grading.candidate, grading.is_correct, verify_status)

r"""The reward for a mathematical problem is 1 if the last box of the response holds the expected answer.

`compute_score` is what verl calls (`reward.custom_reward_function.path=pkg://reward_fns.math_reward`,
`reward.custom_reward_function.name=compute_score`); `grade` is its blocking twin.

Rule: the last balanced box is the answer; a right number outside a box earns nothing. Every result has the same four
keys, because verl reads the keys of a batch's first sample and indexes all the others with them. No response and no
reference answer raises an error, because one error would end the training step of all the others.

The paper adds a reward for accuracy and one for format, of weight 1 each. In the authors' code the format reward is 1
for every response by a bug, so that it cancels in every group; here it is real, and its weight is 0 by default.
"""

import asyncio
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Real
from typing import Any

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.equivalence.text import clean
from reward_fns.expressions.values import TooLarge
from reward_fns.extraction import last_boxed
from reward_fns.limits import exceeds_text_limits
from reward_fns.verifier.costs import is_too_costly
from reward_fns.verifier.link import Verdict
from reward_fns.verifier.pool import get_shared_pool

_REWARD_WORKER = "reward_loop_worker"  # How verl names its reward workers.


@dataclass(frozen=True)
class _Grading:
    """Holds what is known: a final status, or `open_golds` that the verifier has yet to compare with `candidate`."""

    candidate: str | None
    is_correct: bool
    verify_status: str
    open_golds: tuple[str, ...] = ()

    def pose_question(self) -> tuple[str, str]:
        """Return what the verifier has to compare next."""
        return clean(self.candidate or ""), clean(self.open_golds[0])

    def add_verdict(self, verdict: Verdict) -> "_Grading":
        """Return the grading after the next verdict. A failed comparison shows, unless an alternative is right."""
        if verdict.is_equal:
            return _Grading(self.candidate, True, "ok")
        status = self.verify_status if verdict.status == "ok" else verdict.status
        return replace(self, verify_status=status, open_golds=self.open_golds[1:])


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Any = None,
    accuracy_weight: float = 1.0,
    format_weight: float = 0.0,
    **kwargs: Any,
) -> dict[str, float | str]:
    """Score one response for verl, without blocking the event loop.

    Returns `acc` (1.0 or 0.0), `format` (1.0 if the response has a last box that is not empty), `score`, which is
    `accuracy_weight * acc + format_weight * format`, and `verify_status`:

    - `ok`: compared
    - `no_box`: nothing to compare
    - `no_gold`: `ground_truth` is missing or empty; a fault of the data
    - `limit`: the answer asks for more than is worth computing
    - `timeout`, `crash`: the comparison did not end in time, or ended its process twice
    - `parse_error`: math-verify made nothing of one of the answers

    Whatever is not `ok` counts as wrong. `ground_truth` is a text, a number or an iterable of alternatives. The other
    arguments are verl's and are not used. Raises RuntimeError if the verifier cannot be started, because every further
    verdict would be wrong; nothing else.
    """
    grading = _grade_quickly(solution_str, ground_truth)
    while grading.open_golds:
        grading = grading.add_verdict(await asyncio.wrap_future(get_shared_pool().submit(*grading.pose_question())))
    accuracy = float(grading.is_correct)
    has_box = float(grading.candidate is not None)
    return {
        "score": accuracy_weight * accuracy + format_weight * has_box,
        "acc": accuracy,
        "format": has_box,
        "verify_status": grading.verify_status,
    }


def grade(response: str, ground_truth: Any) -> float:
    r"""Return 1.0 if `response` ends in the right box, else 0.0. Blocks; callable from any thread.

    Raises RuntimeError if the verifier cannot be started. Example: `grade(r"so \boxed{0.5}", "1/2") == 1.0`
    """
    grading = _grade_quickly(response, ground_truth)
    while grading.open_golds:
        grading = grading.add_verdict(get_shared_pool().compare(*grading.pose_question()))
    return float(grading.is_correct)


def read_gold_answers(ground_truth: Any) -> list[str]:
    r"""Return the accepted answers as text, without a box around them.

    Raises ValueError if `ground_truth` is None, not a number, empty, or contains such an alternative.
    Example: `read_gold_answers([r"\boxed{5}", 2.5]) == ["5", "2.5"]`
    """
    if isinstance(ground_truth, Iterable) and not isinstance(ground_truth, (str, bytes, dict)):
        answers = [answer for alternative in ground_truth for answer in read_gold_answers(alternative)]
        if not answers:
            raise ValueError("ground_truth is an empty list: the row has no answer")
        return answers
    is_number = isinstance(ground_truth, (Real, Decimal)) and not isinstance(ground_truth, bool)
    if not isinstance(ground_truth, str) and not (is_number and math.isfinite(ground_truth)):
        raise ValueError(f"ground_truth must be a text, a finite number or a list of them, got {ground_truth!r}")
    text = str(ground_truth).strip()
    if not text:
        raise ValueError("ground_truth is empty: the row has no answer")
    return [last_boxed(text) or text]


def _start_verifier_in_reward_worker() -> None:
    """Start the children with the worker of verl that will ask them, and with no other importer of this module.

    verl imports the reward when a reward worker starts, long before the first response; an import is all it does then.
    """
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        name = ray.get_runtime_context().get_actor_name() or ""
        if name.startswith(_REWARD_WORKER):
            get_shared_pool().start()


def _grade_quickly(response: str, ground_truth: Any) -> _Grading:
    candidate = last_boxed(response) if isinstance(response, str) else None
    try:
        golds = read_gold_answers(ground_truth)
    except (ValueError, TypeError, OverflowError, RecursionError):  # From whatever the data holds instead of an answer.
        return _Grading(candidate, False, "no_gold")
    if candidate is None:
        return _Grading(None, False, "no_box")
    undecided, verify_status = [], "ok"
    for gold in golds:
        verdict, status = _compare_within_limits(candidate, gold)
        if verdict:
            return _Grading(candidate, True, "ok")
        if verdict is None:
            undecided.append(gold)
        verify_status = status if status != "ok" else verify_status
    return _Grading(candidate, False, verify_status, tuple(undecided))


def _compare_within_limits(candidate: str, gold: str) -> tuple[bool | None, str]:
    """Return True if the two are equal, or None if the verifier has to settle it, and the status."""
    if candidate == gold:
        return True, "ok"
    if exceeds_text_limits(candidate) or exceeds_text_limits(gold):
        return False, "limit"
    try:
        verdict = compare_quickly(candidate, gold)
    except TooLarge:
        return False, "limit"
    if verdict is None and (is_too_costly(clean(candidate)) or is_too_costly(clean(gold))):
        return False, "limit"
    return verdict, "ok"


_start_verifier_in_reward_worker()

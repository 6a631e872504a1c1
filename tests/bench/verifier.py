r"""How grading is measured (grading.py): in a fresh process; a batch at once, with and without hostile answers.

Every measurement runs in a fresh process (`KillableChild`), so that nothing is remembered from an earlier one and the
alarms that verl's grader sets are in a process of its own. What is set up once, imports and grandchildren, is done
before the clock starts.
"""

import asyncio
import collections
import random
import time
from collections.abc import Sequence
from typing import Any

import psutil
from graders import FIRST_CALL
from killable_child import KillableChild

Pair = tuple[str, str]  # A response and the gold answer.

ROUND_SECONDS = 600.0  # No round comes near; only a broken grader is stopped by it.
NUM_RESPONSES, NUM_HOSTILE = 1024, 10
# Several kinds of algebra, in case some need no other process, and enough of each to make a pool start all it has.
WARM_UP = [
    pair
    for number in range(1, 17)
    for pair in (
        (FIRST_CALL[0].replace("3", f"{number}"), FIRST_CALL[1].replace("4", f"{number + 1}")),
        (rf"\boxed{{z \in [-{number}, 0] \cup [1, {number + 1}]}}", rf"1 \leq |z| \leq {number}"),
        (rf"\boxed{{\begin{{vmatrix}}{number} & 1 \\ 1 & 2\end{{vmatrix}} = {2 * number - 1}}}", f"{2 * number - 1}"),
        (rf"\boxed{{(x+{number})^2}}", f"x^2+{2 * number}x+{number**2}"),
    )
]


def with_hostile(batch: Sequence[Pair], hostile: Sequence[Pair], seed: int) -> list[Pair]:
    """Return `batch` with NUM_HOSTILE of its answers replaced; the seed decides which, and by which."""
    generator, mixed = random.Random(f"hostile {seed}"), list(batch)
    for place in generator.sample(range(len(mixed)), NUM_HOSTILE):
        mixed[place] = generator.choice(hostile)
    return mixed


def measured(target: str, *arguments: Any) -> Any:
    """Call a `module:function` in a fresh process and return what it returns.

    Raises RuntimeError if it hung, died or raised.
    """
    with KillableChild(target) as child:
        outcome = child.call(*arguments, kill_seconds=ROUND_SECONDS)
    if outcome.failure:
        raise RuntimeError(f"{target}: {outcome.failure}")
    return outcome.value


def tree_cpu_seconds() -> float:
    """CPU time of this process and its descendants so far, the ended ones included.

    A process that has ended and been waited for is in the counters of the process that waited, one that lives or is not
    yet waited for in its own; so the sum is right if none changed sides while it was taken, and is taken again if so.
    One whose parent has ended without waiting for it is no longer found.
    """
    this = psutil.Process()
    while True:
        before = this.children(recursive=True)
        try:
            # Of each: own time in user mode and in the system, and the same of what it has waited for.
            total = sum(sum(process.cpu_times()[:4]) for process in [this, *before])
        except psutil.NoSuchProcess:
            continue
        if this.children(recursive=True) == before:
            return total


def batch(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Wall time of `compute_score` of all `pairs` at once on one event loop, how often each status came back, and what
    the warm-up before took and left running.
    """
    from reward_fns.math_reward import compute_score

    async def score_all(pairs: Sequence[Pair]) -> tuple[float, list[dict[str, Any]]]:
        begin = time.perf_counter()
        results = await asyncio.gather(*(compute_score("math", *pair) for pair in pairs))
        return time.perf_counter() - begin, results

    async def after_warm_up() -> dict[str, Any]:
        start_seconds, _ = await score_all(WARM_UP)
        num_processes = len(psutil.Process().children(recursive=True))
        seconds, results = await score_all(pairs)
        return {
            "start_seconds": start_seconds,
            "num_processes": num_processes,
            "seconds": seconds,
            "statuses": dict(collections.Counter(result["verify_status"] for result in results)),
        }

    return asyncio.run(after_warm_up())

r"""What grading costs: CPU time beside verl's math_verify; wall time of a batch with and without hostile answers.

Every measurement runs in a fresh process (`KillableChild`), so that nothing is remembered from an earlier one and the
alarms that verl's grader sets are in a process of its own. What is set up once, imports and grandchildren, is done
before the clock starts.
"""

import asyncio
import collections
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from graders import FIRST_CALL, GRADERS, read_cases
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


def bench_verifier(path: Path | None, num_rounds: int) -> None:
    """Print both measurements on the labelled answers in `path`, or why there are none."""
    if path is None or not path.exists():
        reason = "no labelled answers given" if path is None else f"{path} does not exist"
        print(f"grading: skipped, {reason} (--grader-cases PATH, or make bench CASES=PATH)")
        return
    cases = read_cases(path)
    typical = [(case.response, case.ground_truth) for case in cases if case.category != "adversarial"]
    hostile = [(case.response, case.ground_truth) for case in cases if case.category == "adversarial"]
    if not typical or not hostile:
        print(f"grading: skipped, {path} needs both typical and [adversarial] answers")
        return
    bench_cpu(typical, num_rounds)
    bench_batch(typical, hostile, num_rounds)


def bench_cpu(pairs: Sequence[Pair], num_rounds: int) -> None:
    """CPU time per answer, ours and verl's, in alternating rounds."""
    seconds: dict[str, list[float]] = {"ours": [], "verl math_verify": []}
    for number in range(num_rounds):
        for name in sorted(seconds, reverse=number % 2 == 1):  # The order changes from round to round.
            seconds[name].append(measured("verifier:cpu_seconds", name, pairs))
    mine, theirs = (statistics.median(column) / len(pairs) * 1e3 for column in seconds.values())
    ratios = [ours / verls for ours, verls in zip(*seconds.values(), strict=True)]
    print(
        f"grading: {mine:.2f} ms of CPU per answer, verl's math_verify {theirs:.2f} ms, ratio "
        f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}); medians of {num_rounds} rounds of "
        f"{len(pairs)} answers, all processes counted"
    )


def bench_batch(typical: Sequence[Pair], hostile: Sequence[Pair], num_rounds: int) -> None:
    """Wall time of a batch of typical answers, and of the same batch with 1 % hostile ones, in alternating rounds."""
    results: dict[str, list[dict[str, Any]]] = {"typical": [], "with hostile": []}
    for seed in range(num_rounds):
        batches = {"typical": random.Random(seed).choices(typical, k=NUM_RESPONSES)}
        batches["with hostile"] = with_hostile(batches["typical"], hostile, seed)
        for kind in sorted(results, reverse=seed % 2 == 1):
            results[kind].append(measured("verifier:batch", batches[kind]))
    starts = [result["start_seconds"] for column in results.values() for result in column]
    num_processes = {result["num_processes"] for column in results.values() for result in column}
    alone, together = ([result["seconds"] for result in column] for column in results.values())
    ratios = [mixed / clean for clean, mixed in zip(alone, together, strict=True)]
    print(
        f"grading {NUM_RESPONSES:,} answers at once: {median_and_worst(alone)}; {NUM_HOSTILE} of them hostile: "
        f"{median_and_worst(together)}, ratio {statistics.median(ratios):.2f} (worst {max(ratios):.2f}); medians of "
        f"{num_rounds} seeds, after a start-up of {median_and_worst(starts)} that is not counted; child processes: "
        f"{min(num_processes)} to {max(num_processes)}"
    )
    for kind, column in results.items():
        statuses = sum((collections.Counter(result["statuses"]) for result in column), collections.Counter())
        print(f"  statuses, {kind}: " + ", ".join(f"{status} {count}" for status, count in statuses.most_common()))


def with_hostile(batch: Sequence[Pair], hostile: Sequence[Pair], seed: int) -> list[Pair]:
    """Return `batch` with NUM_HOSTILE of its answers replaced; the seed decides which, and by which."""
    generator, mixed = random.Random(f"hostile {seed}"), list(batch)
    for place in generator.sample(range(len(mixed)), NUM_HOSTILE):
        mixed[place] = generator.choice(hostile)
    return mixed


def median_and_worst(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} s (worst {max(seconds):.2f} s)"


def measured(target: str, *arguments: Any) -> Any:
    """Call one of the functions below in a fresh process and return what it returns.

    Raises RuntimeError if it hung, died or raised.
    """
    with KillableChild(target) as child:
        outcome = child.call(*arguments, kill_seconds=ROUND_SECONDS)
    if outcome.failure:
        raise RuntimeError(f"{target}: {outcome.failure}")
    return outcome.value


def cpu_seconds(name: str, pairs: Sequence[Pair]) -> float:
    """CPU time for one answer after another by the grader `name`, in this process and all it starts."""
    for pair in WARM_UP:
        GRADERS[name](*pair)
    begin = tree_cpu_seconds()
    for pair in pairs:
        GRADERS[name](*pair)
    return tree_cpu_seconds() - begin


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

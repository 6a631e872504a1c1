"""What grading costs: ours over verl's math_verify and over math-verify alone, a batch with hostile answers, memory.

The answers are those of a file of labelled ones (`BENCH_CASES`, `make bench CASES=`), or else some that are made here.
"""

import os
import pkgutil
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from graders import read_cases
from measures import Row, Skipped, ratios
from verifier import NUM_HOSTILE, NUM_RESPONSES, WARM_UP, Pair, batch, measured, tree_cpu_seconds, with_hostile

PART = "Grading"
CASES_VARIABLE = "BENCH_CASES"
VERIFIER_GIGABYTE = 1.0


def math_verify_alone(response: str, ground_truth: str) -> bool:
    """Parse and compare as math-verify's page says."""
    from math_verify import parse, verify

    return bool(verify(parse(f"${ground_truth}$"), parse(response)))


TARGETS = {
    "ours": "graders:ours",
    "verl's math_verify": "graders:verl_math_verify",
    "math-verify alone": "grading:math_verify_alone",
}


def measure(folder: Path, is_quick: bool) -> list[Row | Skipped]:
    """Grade in processes of their own; returns the rows."""
    typical, hostile = labelled_answers()
    num_rounds = 2 if is_quick else 7
    rows: list[Row | Skipped] = list(speed_rows(typical, num_rounds))
    if hostile:
        rows.append(hostile_row(typical, hostile, num_rounds))
    else:
        rows.append(Skipped("grading with hostile answers", "no labelled answers given: make bench CASES=PATH"))
    return [*rows, memory_row()]


def labelled_answers() -> tuple[list[Pair], list[Pair]]:
    """Return typical and hostile answers of the file that is given; those made here are all typical."""
    path = os.environ.get(CASES_VARIABLE)
    if not path:
        return list(WARM_UP), []
    cases = read_cases(Path(path))
    pairs = {is_hostile: [] for is_hostile in (False, True)}
    for case in cases:
        pairs[case.category == "adversarial"].append((case.response, case.ground_truth))
    return pairs[False], pairs[True]


def speed_rows(pairs: Sequence[Pair], num_rounds: int) -> list[Row]:
    """One answer after another, each grader in a process of its own, in alternating rounds; CPU time."""
    rounds = []
    for number in range(num_rounds):
        names = sorted(TARGETS, reverse=number % 2 == 1)
        rounds.append({name: measured("grading:answer_costs", TARGETS[name], pairs) for name in names})
    described = {name: describe([each[name] for each in rounds]) for name in TARGETS}
    return [
        Row(
            PART,
            f"CPU time of {len(pairs)} answers, all processes, ours / {name}",
            ratios((each["ours"][0], each[name][0]) for each in rounds),
            detail=f"ours {described['ours']}; {name} {described[name]}",
        )
        for name in TARGETS
        if name != "ours"
    ]


def answer_costs(target: str, pairs: Sequence[Pair]) -> tuple[float, list[float]]:
    """Return the CPU seconds of all answers together and the wall seconds of each; called in a process of its own."""
    grader = pkgutil.resolve_name(target)
    for pair in WARM_UP:
        grader(*pair)
    cpu_before, seconds = tree_cpu_seconds(), []
    for pair in pairs:
        begin = time.perf_counter()
        with suppress(BaseException):  # A grader may raise on an answer, and math-verify's timeout is no Exception.
            grader(*pair)
        seconds.append(time.perf_counter() - begin)
    return tree_cpu_seconds() - cpu_before, seconds


def describe(costs: Sequence[tuple[float, Sequence[float]]]) -> str:
    """Return answers a second of CPU time, and the 50th and 99th percentile of the wall time of one.

    >>> describe([(0.002, [0.001, 0.003])])
    '1000 a second and core, p50 2.0 ms, p99 3.0 ms'
    """
    ordered = sorted(second for _, seconds in costs for second in seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    speed = len(ordered) / sum(cpu for cpu, _ in costs)
    return f"{speed:.0f} a second and core, p50 {statistics.median(ordered) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms"


def hostile_row(typical: Sequence[Pair], hostile: Sequence[Pair], num_rounds: int) -> Row:
    """A batch graded at once, with 1 % hostile answers over without."""
    pairs = []
    for seed in range(num_rounds):
        clean = random.Random(seed).choices(typical, k=NUM_RESPONSES)
        mixed = with_hostile(clean, hostile, seed)
        pairs.append((measured("verifier:batch", mixed)["seconds"], measured("verifier:batch", clean)["seconds"]))
    what = f"wall time of {NUM_RESPONSES:,} answers at once, {NUM_HOSTILE} of them hostile / none"
    return Row(PART, what, ratios(pairs))


def memory_row() -> Row:
    """Private memory of the verifier's processes, warm and busy."""
    gigabytes = [measured("grading:pool_gigabytes") for _ in range(2)]
    what = "private memory of all processes of the verifier pool"
    return Row(PART, what, gigabytes, at_most=VERIFIER_GIGABYTE, unit="GB")


def pool_gigabytes() -> float:
    """Return what the children that grading starts hold after a batch; called in a process of its own."""
    import psutil

    batch(list(WARM_UP))
    children = psutil.Process().children(recursive=True)
    return sum(child.memory_full_info().uss for child in children) / 1e9

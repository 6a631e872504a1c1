"""How the cost of a step grows with prompts, responses and length: the slope of EDGE-GRPO's over that of GRPO's.

And the memory of every process of the largest of these runs.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from measures import Row, least_squares_slope
from soak import memory_below
from training import make_assets
from turns import NUM_WARM_UP_STEPS, run_turns
from ways import Size, Step, Way, pairs_of, turns_of

PART = "Cost as work grows, 8x8 otherwise"
AXES: dict[str, Sequence[Size]] = {
    "prompts": [Size(number, 8) for number in (8, 64, 256)],
    "responses": [Size(8, number) for number in (4, 8, 16, 32)],
    "tokens of a first pass": [Size(8, 8, number) for number in (32, 128, 512)],
}


def measure(folder: Path, is_quick: bool) -> Iterator[Row]:
    """Train at each size; yields a row for each axis, and one for the memory."""
    assets, num_rounds = make_assets(folder), 3
    memory: dict[str, int] = {}
    for axis, sizes in AXES.items():
        is_length = axis.startswith("tokens")
        measured = []
        for size in sizes:
            tokens = size.first_pass_tokens if is_length else None
            ways = [Way(name, name, num_tokens=tokens) for name in ("grpo", "edge_grpo")]
            run_folder = folder / f"growth-{size}-{size.first_pass_tokens}"
            steps = run_turns(run_folder, assets, ways, turns_of(ways, num_rounds), size, watch=memory_watch(memory))
            measured.append((_amount(axis, size), steps))
        yield slope_row(axis, measured)
    yield memory_row(memory)


def _amount(axis: str, size: Size) -> int:
    return {"prompts": size.num_prompts, "responses": size.num_responses}.get(axis, size.first_pass_tokens)


def slope_row(axis: str, measured: Sequence[tuple[int, Sequence[Step]]]) -> Row:
    """Return seconds of a step for each unit more, EDGE-GRPO's over GRPO's; `measured` are (amount, steps)."""
    columns: dict[str, list[list[tuple[float, float]]]] = {"edge_grpo": [], "grpo": []}
    for amount, steps in measured:
        pairs = pairs_of(steps, "edge_grpo", "grpo")
        columns["edge_grpo"].append([(amount, mine.seconds()) for mine, _ in pairs])
        columns["grpo"].append([(amount, base.seconds()) for _, base in pairs])
    slopes = {
        name: [least_squares_slope(line) for line in zip(*points, strict=True)] for name, points in columns.items()
    }
    values = [mine / base for mine, base in zip(slopes["edge_grpo"], slopes["grpo"], strict=True)]
    more_tokens = statistics.median(
        mine.tokens("correction") / mine.tokens("first") for mine, _ in pairs_of(measured[-1][1], "edge_grpo", "grpo")
    )
    ends = f"{measured[0][0]} to {measured[-1][0]}"
    detail = (
        f"{1e3 * statistics.median(slopes['edge_grpo']):.0f} and {1e3 * statistics.median(slopes['grpo']):.0f} ms "
        f"each; {more_tokens:.0%} more tokens at the end"
    )
    return Row(PART, f"slope over {axis}, {ends}, `edge_grpo` / `grpo`", values, detail=detail)


def memory_watch(largest: dict[str, int]) -> Callable[[int, int], None]:
    """Return a watch that keeps the largest private memory of the processes of each name, once a step."""
    seen = NUM_WARM_UP_STEPS

    def watch(pid: int, num_steps: int) -> None:
        nonlocal seen
        if num_steps <= seen:
            return
        seen = num_steps
        now: dict[str, int] = {}
        for row in memory_below(pid):
            record: dict[str, Any] = row
            now[record["name"]] = now.get(record["name"], 0) + record["private"]
        for name, used in now.items():
            largest[name] = max(largest.get(name, 0), used)

    return watch


def memory_row(largest: dict[str, int]) -> Row:
    """Return the sum of the largest private memory of the processes, and which they are."""
    ordered = sorted(largest.items(), key=lambda item: -item[1])
    detail = ", ".join(f"`{name}` {used / 1e9:.2f}" for name, used in ordered if used > 5e7)
    return Row(PART, "private memory of all processes at most", [sum(largest.values()) / 1e9], detail=detail, unit="GB")

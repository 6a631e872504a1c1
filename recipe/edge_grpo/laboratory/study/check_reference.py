"""Says whether a run of verl is like the recorded ones of the same method and task.

    python -m recipe.edge_grpo.laboratory.study.check_reference RUN_DIR [--method edge_grpo] [--task carry]
        [--records docs/study]

At each validation that both have, each curve is held against the 95 % interval for one run more than those recorded.
One value in twenty lies outside of it by chance; the exit code is 1 if the accuracy does at the last common validation.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from recipe.edge_grpo.intervals import cut_interval, next_value_interval
from recipe.edge_grpo.laboratory.study.plan import VERL
from recipe.edge_grpo.laboratory.study.records import (
    ACCURACY,
    HIGHEST,
    METRICS_OF_TRAINING,
    RECORDS_FILE,
    RunRecord,
    read_entries,
    read_records,
    thin,
)
from recipe.edge_grpo.names import METRICS_FILE


class Comparison(NamedTuple):
    """A value of a run, and the interval of the recorded runs for it."""

    curve: str
    step: int
    value: float
    low: float
    high: float

    @property
    def is_within(self) -> bool:
        """Whether the value lies in the interval."""
        return self.low <= self.value <= self.high


def compare(
    steps: Sequence[int], curves: dict[str, list[float | None]], references: Sequence[RunRecord]
) -> list[Comparison]:
    """Compare the curves of a run with those of the recorded ones, at the steps of training that all have.

    No share and no entropy is negative, and no share is above 1, so no interval goes further.
    """
    found = []
    common = sorted(set(steps).intersection(*(run.steps for run in references)) - {0})
    for curve in (ACCURACY, *METRICS_OF_TRAINING):
        for step in common:
            value = curves[curve][steps.index(step)]
            others = [run.curves[curve][run.steps.index(step)] for run in references]
            recorded = [each for each in others if each is not None]
            if value is not None and len(recorded) > 1:
                band = cut_interval(next_value_interval(recorded), HIGHEST.get(curve, 1.0))
                found.append(Comparison(curve, step, value, *band))
    return found


def table(comparisons: Sequence[Comparison]) -> str:
    """Return the comparisons in Markdown."""
    lines = ["| curve | step | this run | from | to | |", "|---|--:|--:|--:|--:|---|"]
    for each in comparisons:
        mark = "within" if each.is_within else "**outside**"
        lines.append(f"| {each.curve} | {each.step} | {each.value:.3f} | {each.low:.3f} | {each.high:.3f} | {mark} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.edge_grpo.laboratory.study.check_reference", description=__doc__.split("\n")[0]
    )
    parser.add_argument("run", type=Path, help="folder of a run, with its metrics.jsonl")
    parser.add_argument("--method", help="recipe of the recorded runs (default: the name of the folder)")
    parser.add_argument("--task", default="carry", help="task of the recorded runs (default: %(default)s)")
    parser.add_argument("--records", type=Path, default=Path("docs/study"), help="folder (default: %(default)s)")
    options = parser.parse_args(arguments)
    method = options.method or options.run.resolve().name
    try:
        references = [
            run
            for job, run in read_records(options.records / RECORDS_FILE).items()
            if (job.engine, job.task, job.method) == (VERL, options.task, method)
        ]
        if len(references) < 2:
            raise ValueError(f"{options.records} has {len(references)} runs of verl with {method} on {options.task}")
        comparisons = compare(*thin(read_entries(options.run / METRICS_FILE)), references)
        if not comparisons:
            raise ValueError(f"{options.run} and the recorded runs have no validation in common after step 0")
    except (OSError, ValueError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    print(table(comparisons))
    last = [each for each in comparisons if each.curve == ACCURACY][-1]
    num_within = sum(each.is_within for each in comparisons)
    print(
        f"{num_within} of {len(comparisons)} values are within the band of {len(references)} runs; "
        f"the accuracy at step {last.step} is {'within' if last.is_within else 'outside'}."
    )
    return 0 if last.is_within else 1


if __name__ == "__main__":
    sys.exit(main())

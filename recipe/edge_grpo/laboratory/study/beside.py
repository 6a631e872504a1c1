"""The tables of runs that no plan has: from policies that were tried, and from a pretrained one. Pure."""

from collections.abc import Collection
from dataclasses import replace

from recipe.edge_grpo.laboratory.study.cells import middle
from recipe.edge_grpo.laboratory.study.plan import Job
from recipe.edge_grpo.laboratory.study.records import (
    ACCURACY,
    ENTROPY,
    EQUAL_AFTER,
    EQUAL_BEFORE,
    FIRST_PASS,
    RunRecord,
)


def ends_table(runs: Collection[RunRecord]) -> str:
    """Return the first and the last validation of runs beside the plan: the means of those that differ by seed only."""
    columns = "task | engine | method | learning rate | seeds | steps | first | last"
    lines = [f"| {columns} |", f"|---|---|---|{'--:|' * 5}"]
    groups: dict[Job, list[RunRecord]] = {}
    for run in runs:
        groups.setdefault(replace(run.job, seed=0), []).append(run)
    for job, of_seeds in groups.items():
        of_job = (job.task, job.engine, job.method, f"{job.learning_rate:g}", len(of_seeds), job.num_steps)
        ends = (middle([run.values(ACCURACY)[place] for run in of_seeds]) for place in (0, -1))
        lines.append(f"| {' | '.join(map(str, (*of_job, *ends)))} |")
    return "\n".join(lines)


def curves_table(runs: Collection[RunRecord]) -> str:
    """Return the curves of single runs, one row for each validation, and where they were made."""
    if not runs:
        return "Not run yet."
    columns = {
        ACCURACY: "validation",
        FIRST_PASS: "first passes right",
        EQUAL_BEFORE: "equal rewards, before correction",
        EQUAL_AFTER: "after",
        ENTROPY: "entropy",
    }
    lines = [f"| method | step | {' | '.join(columns.values())} |", f"|---|{'--:|' * (len(columns) + 1)}"]
    for run in runs:
        for place, step in enumerate(run.steps):
            values = (run.curves[curve][place] for curve in columns)
            cells = ("–" if value is None else f"{value:.3f}" for value in values)
            lines.append(f"| {run.job.method} | {step} | {' | '.join(cells)} |")
    made = {f"{run.origin.date}, commit {run.origin.commit}, {run.origin.machine}" for run in runs}
    minutes = ", ".join(f"{run.job.method} {run.origin.seconds / 60:.0f} minutes" for run in runs)
    return "\n".join([*lines, "", f"{'; '.join(sorted(made))}; {minutes}."])

"""The tables of runs from other policies than the study's: of other seeds, of another processor, pretrained. Pure."""

from collections.abc import Collection
from dataclasses import replace

from recipe.edge_grpo.laboratory.study.cells import middle
from recipe.edge_grpo.laboratory.study.claims import Number, RunsOfSeed, first_mean, last_accuracy, numbers_of
from recipe.edge_grpo.laboratory.study.plan import LABORATORY, Job
from recipe.edge_grpo.laboratory.study.records import (
    ACCURACY,
    ENTROPY,
    EQUAL_AFTER,
    EQUAL_BEFORE,
    FIRST_PASS,
    RunRecord,
)
from recipe.edge_grpo.laboratory.study.results import Results


def policies_table(results: Results, engine: str = LABORATORY) -> str:
    """Return how each other policy begins, and the last validation of each method from it."""
    others = results.study.other_policies
    methods, seeds = (
        (others.methods, others.seeds)
        if engine == LABORATORY
        else (results.study.confirmation.methods, others.verl_seeds)
    )
    columns: list[tuple[str, Number]] = [
        ("begins at", accuracy_before_training),
        ("equal rewards, grpo, first", first_mean("grpo", EQUAL_BEFORE)),
        *((method, last_accuracy(method)) for method in methods),
    ]
    lines = [f"| task | policy | {' | '.join(name for name, _ in columns)} |", f"|---|{'--:|' * (len(columns) + 1)}"]
    for task, policies in results.policies(engine).items():
        for seed, runs in zip(seeds, policies, strict=True):
            cells = (middle(numbers_of([runs], number)) for _, number in columns)
            lines.append(f"| {task} | {seed} | {' | '.join(cells)} |")
        cells = (middle(numbers_of(policies, number)) for _, number in columns)
        lines.append(f"| {task} | mean | {' | '.join(cells)} |")
    return "\n".join(lines)


def accuracy_before_training(runs: RunsOfSeed) -> float:
    """Return the validation from which all runs of a policy begin; raises LookupError without a run."""
    for run in runs.values():
        return run.values(ACCURACY)[0]
    raise LookupError("no run")


def ends_table(runs: Collection[RunRecord]) -> str:
    """Return the first and the last validation of runs beside the plan: the means of those that differ by seed only."""
    columns = "task | policy | engine | method | learning rate | seeds | steps | first | last"
    lines = [f"| {columns} |", f"|---|--:|---|---|{'--:|' * 5}"]
    groups: dict[Job, list[RunRecord]] = {}
    for run in runs:
        groups.setdefault(replace(run.job, seed=0), []).append(run)
    for job, of_seeds in groups.items():
        of_job = (job.task, job.policy, job.engine, job.method, f"{job.learning_rate:g}", len(of_seeds), job.num_steps)
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

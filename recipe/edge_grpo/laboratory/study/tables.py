"""The tables of the runs that the plan of a study has, in Markdown. Pure."""

import math
from collections.abc import Callable, Sequence

from recipe.edge_grpo.laboratory.study.cells import cell, middle
from recipe.edge_grpo.laboratory.study.claims import (
    Number,
    accuracy_within,
    first_mean,
    last_accuracy,
    last_mean,
)
from recipe.edge_grpo.laboratory.study.plan import VERL
from recipe.edge_grpo.laboratory.study.records import ACCURACY, ENTROPY, EQUAL_AFTER, EQUAL_BEFORE, TOKENS, Origin
from recipe.edge_grpo.laboratory.study.results import Results


def origin_sentence(results: Results) -> str:
    """Return how many runs there are, of how many, and where and how long they were made."""
    origins = [run.origin for run in results.records]
    if not origins:
        return "No run has been made yet."
    study, plan = results.study, results.study.confirmation
    num_planned = len(study.tasks) * len(study.methods) * (
        len(study.learning_rates) * len(study.tuning_seeds) + len(study.seeds)
    ) + len(plan.tasks) * len(plan.methods) * len(plan.seeds)
    dates = sorted({origin.date for origin in origins})
    days = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    hours = sum(origin.seconds for origin in origins) / 3600
    made = f"{days}, commit {commits_and_machines(origins)}"
    return f"{len(origins)} of {num_planned} runs, {made}; {hours:.1f} hours of runs in all."


def methods_table(results: Results, task: str) -> str:
    """Return, for each method on a task: its rate, accuracies, tokens, entropy and groups without contrast."""
    seeds = results.seeds()[task]
    columns: dict[str, Callable[[str], Number]] = {
        "last validation": last_accuracy,
        "at the tokens of grpo": at_tokens_of_grpo,
        "million tokens": lambda method: lambda runs: runs[method].values(TOKENS)[-1] / 1e6,
        "entropy, last": lambda method: last_mean(method, ENTROPY),
        "equal rewards, first": lambda method: first_mean(method, EQUAL_BEFORE),
        "last": lambda method: last_mean(method, EQUAL_BEFORE),
        "last, corrected": lambda method: last_mean(method, EQUAL_AFTER),
    }
    highest = {"million tokens": None, "entropy, last": math.inf}
    lines = [f"| method | learning rate | seeds | {' | '.join(columns)} |", f"|---|{'--:|' * (len(columns) + 2)}"]
    for method in results.study.methods:
        cells = [cell(seeds, number(method), highest.get(name, 1.0)) for name, number in columns.items()]
        rate = results.chosen.get((task, method))
        num_seeds = sum(method in runs for runs in seeds)
        lines.append(f"| {method} | {'–' if rate is None else f'{rate:g}'} | {num_seeds} | {' | '.join(cells)} |")
    return "\n".join(lines)


def at_tokens_of_grpo(method: str) -> Number:
    """Return the last validation of a method before it has sampled more tokens than GRPO on the same seed in all."""
    return lambda runs: accuracy_within(runs[method], runs["grpo"].values(TOKENS)[-1])


def learning_rates_table(results: Results) -> str:
    """Return the accuracy of each method with each learning rate, on the seeds for that; the chosen one in bold."""
    rates = results.study.learning_rates
    lines = [f"| task | method | {' | '.join(f'{rate:g}' for rate in rates)} |", f"|---|---|{'--:|' * len(rates)}"]
    for task in results.study.tasks:
        for method in results.study.methods:
            cells = [_rate_cell(results, task, method, rate) for rate in rates]
            lines.append(f"| {task} | {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def confirmation_table(results: Results) -> str:
    """Return, for each method that was trained by verl: the first and the last validation."""
    lines = [
        "| task | method | seeds | steps | first | last [95 % interval] | commit, machine |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    seeds = results.seeds(VERL)
    for task, num_steps in results.study.confirmation.tasks.items():
        for method in results.study.confirmation.methods:
            runs = [of_seed[method] for of_seed in seeds[task] if method in of_seed]
            first = middle([run.values(ACCURACY)[0] for run in runs])
            last = cell(seeds[task], last_accuracy(method))
            made = commits_and_machines([run.origin for run in runs]) or "not run yet"
            lines.append(f"| {task} | {method} | {len(runs)} | {num_steps} | {first} | {last} | {made} |")
    return "\n".join(lines)


def commits_and_machines(origins: Sequence[Origin]) -> str:
    """Return each machine behind the commits that runs were made with on it."""
    of_machine: dict[str, set[str]] = {}
    for origin in origins:
        of_machine.setdefault(origin.machine, set()).add(origin.commit)
    return "; ".join(f"{', '.join(sorted(commits))}, {machine}" for machine, commits in sorted(of_machine.items()))


def _rate_cell(results: Results, task: str, method: str, rate: float) -> str:
    values = [
        run.accuracy
        for job, run in results.tuning.items()
        if (job.task, job.method, job.learning_rate) == (task, method, rate)
    ]
    return f"**{middle(values)}**" if results.chosen.get((task, method)) == rate else middle(values)

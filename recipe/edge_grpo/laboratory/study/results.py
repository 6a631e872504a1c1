"""The tables of a study, in Markdown. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from types import MappingProxyType

from recipe.edge_grpo.intervals import mean_interval
from recipe.edge_grpo.laboratory.study.claims import (
    CLAIMS,
    CLAIMS_OF_POLICIES,
    Finding,
    Number,
    RunsOfSeed,
    accuracy_within,
    findings,
    first_mean,
    last_accuracy,
    last_mean,
    numbers_of,
)
from recipe.edge_grpo.laboratory.study.plan import (
    LABORATORY,
    STUDYS_POLICY,
    VERL,
    Job,
    Study,
    choose_learning_rates,
)
from recipe.edge_grpo.laboratory.study.records import (
    ACCURACY,
    ENTROPY,
    EQUAL_AFTER,
    EQUAL_BEFORE,
    FIRST_PASS,
    TOKENS,
    RunRecord,
)


class Results:
    """The runs of a study, found by task, seed and method; `beside` has runs that no plan has, by their file."""

    def __init__(
        self,
        study: Study,
        records: Iterable[RunRecord],
        beside: Mapping[str, Collection[RunRecord]] = MappingProxyType({}),
    ) -> None:
        self.study, self.records, self.beside = study, list(records), beside
        self.tuning = {
            run.job: run for run in self.records if run.job.engine == LABORATORY and run.job.seed in study.tuning_seeds
        }
        self.chosen = choose_learning_rates({job: run.accuracy for job, run in self.tuning.items()})

    def seeds(self, engine: str = LABORATORY) -> dict[str, list[dict[str, RunRecord]]]:
        """Return the runs of each seed of the study, or of its confirmation, by task and method."""
        wanted = self.study.seeds if engine == LABORATORY else self.study.confirmation.seeds
        return self._by_task(engine, [(seed, STUDYS_POLICY) for seed in wanted])

    def policies(self) -> dict[str, list[dict[str, RunRecord]]]:
        """Return the runs of each other policy, by task and method."""
        return self._by_task(LABORATORY, [(seed, seed) for seed in self.study.other_policies.seeds])

    def _by_task(
        self, engine: str, seeds_and_policies: Sequence[tuple[int, int]]
    ) -> dict[str, list[dict[str, RunRecord]]]:
        return {
            task: [
                {run.job.method: run for run in self.records if self._is_of(run.job, engine, task, seed, policy)}
                for seed, policy in seeds_and_policies
            ]
            for task in self.study.tasks
        }

    def _is_of(self, job: Job, engine: str, task: str, seed: int, policy: int) -> bool:
        rate = self.chosen.get((task, job.method)) if engine == LABORATORY else self.study.confirmation.learning_rate
        wanted = (engine, task, seed, policy, rate)
        return (job.engine, job.task, job.seed, job.policy, job.learning_rate) == wanted


def origin_sentence(results: Results) -> str:
    """Return how many runs there are, of how many, and where and how long they were made."""
    origins = [run.origin for run in results.records]
    if not origins:
        return "No run has been made yet."
    study, others, plan = results.study, results.study.other_policies, results.study.confirmation
    num_of_task = (
        len(study.methods) * (len(study.learning_rates) * len(study.tuning_seeds) + len(study.seeds))
        + len(others.methods) * len(others.seeds)
    )  # fmt: skip
    num_planned = len(study.tasks) * num_of_task + len(plan.tasks) * len(plan.methods) * len(plan.seeds)
    commits, machines = (
        ", ".join(sorted(set(names))) for names in zip(*((o.commit, o.machine) for o in origins), strict=True)
    )
    dates = sorted({origin.date for origin in origins})
    days = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    hours = sum(origin.seconds for origin in origins) / 3600
    return (
        f"{len(origins)} of {num_planned} runs, {days}, commit {commits}, {machines}; {hours:.1f} hours of runs in all."
    )


def claims_table(results: Results) -> str:
    """Return the answer to each claim on each task."""
    return _findings_table("seeds", findings(CLAIMS, results.seeds()))


def claims_of_policies_table(results: Results) -> str:
    """Return the answer to each claim on each task from other policies."""
    return _findings_table("policies", findings(CLAIMS_OF_POLICIES, results.policies()))


def policies_table(results: Results) -> str:
    """Return how each other policy begins, and the last validation of each method from it."""
    methods = results.study.other_policies.methods
    columns: list[tuple[str, Number]] = [
        ("begins at", accuracy_before_training),
        ("equal rewards, grpo, first", first_mean("grpo", EQUAL_BEFORE)),
        *((method, last_accuracy(method)) for method in methods),
    ]
    lines = [f"| task | policy | {' | '.join(name for name, _ in columns)} |", f"|---|{'--:|' * (len(columns) + 1)}"]
    for task, policies in results.policies().items():
        for seed, runs in zip(results.study.other_policies.seeds, policies, strict=True):
            cells = (_middle(numbers_of([runs], number)) for _, number in columns)
            lines.append(f"| {task} | {seed} | {' | '.join(cells)} |")
        cells = (_middle(numbers_of(policies, number)) for _, number in columns)
        lines.append(f"| {task} | mean | {' | '.join(cells)} |")
    return "\n".join(lines)


def verdict_lines(results: Results) -> str:
    """Return one line for each answer that was given, with the claims and their tasks, for who reads no table."""
    tasks: dict[str, dict[str, list[str]]] = {}
    for each in findings(CLAIMS, results.seeds()):
        of_claim = tasks.setdefault(each.answer.value, {}).setdefault(each.claim.text, [])
        of_claim.append(f"`{each.task}` {_middle(each.numbers)}")
    lines = []
    for answer, claims in sorted(tasks.items(), reverse=True):
        answered = "; ".join(f"{text} ({', '.join(of_claim)})" for text, of_claim in claims.items())
        lines.append(f"- **{answer}**: {answered}")
    return "\n".join(lines)


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
    lines = [f"| method | learning rate | seeds | {' | '.join(columns)} |", f"|---|{'--:|' * (len(columns) + 2)}"]
    for method in results.study.methods:
        cells = [_cell(seeds, number(method), is_share=name != "million tokens") for name, number in columns.items()]
        rate = results.chosen.get((task, method))
        num_seeds = sum(method in runs for runs in seeds)
        lines.append(f"| {method} | {'–' if rate is None else f'{rate:g}'} | {num_seeds} | {' | '.join(cells)} |")
    return "\n".join(lines)


def accuracy_before_training(runs: RunsOfSeed) -> float:
    """Return the validation from which all runs of a policy begin; raises LookupError without a run."""
    for run in runs.values():
        return run.values(ACCURACY)[0]
    raise LookupError("no run")


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
            first = _middle([run.values(ACCURACY)[0] for run in runs])
            last = _cell(seeds[task], last_accuracy(method))
            made = "; ".join(sorted({f"{run.origin.commit}, {run.origin.machine}" for run in runs})) or "not run yet"
            lines.append(f"| {task} | {method} | {len(runs)} | {num_steps} | {first} | {last} | {made} |")
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


def ends_table(runs: Collection[RunRecord]) -> str:
    """Return the first and the last validation of runs beside the plan: the means of those that differ by seed only."""
    columns = "task | policy | engine | method | learning rate | seeds | steps | first | last"
    lines = [f"| {columns} |", f"|---|--:|---|---|{'--:|' * 5}"]
    groups: dict[Job, list[RunRecord]] = {}
    for run in runs:
        groups.setdefault(replace(run.job, seed=0), []).append(run)
    for job, of_seeds in groups.items():
        of_job = (job.task, job.policy, job.engine, job.method, f"{job.learning_rate:g}", len(of_seeds), job.num_steps)
        ends = (_middle([run.values(ACCURACY)[place] for run in of_seeds]) for place in (0, -1))
        lines.append(f"| {' | '.join(map(str, (*of_job, *ends)))} |")
    return "\n".join(lines)


def _findings_table(draws: str, found: Iterable[Finding]) -> str:
    """Return a row for each finding; `draws` is what its interval is over."""
    lines = [
        f"| | claim | task | {draws} | mean [95 % interval] | bound | p | answer |",
        "|---|---|---|--:|--:|--:|--:|---|",
    ]
    return "\n".join([*lines, *map(_claim_row, found)])


def _claim_row(finding: Finding) -> str:
    claim = finding.claim
    bound = f"{'above' if claim.is_above else 'below'} {claim.bound:g}"
    p_value = "–" if finding.p_value is None else f"{finding.p_value:.3f}"
    cell = _with_interval(finding.numbers, finding.interval)
    cells = (claim.key, claim.text, finding.task, len(finding.numbers), cell, bound, p_value, finding.answer.value)
    return f"| {' | '.join(map(str, cells))} |"


def _cell(seeds: Sequence[RunsOfSeed], number: Number, is_share: bool = True) -> str:
    """Return the mean over the seeds that have the number; of a share its interval too."""
    numbers = numbers_of(seeds, number)
    interval = mean_interval(numbers) if is_share and len(numbers) > 1 else None
    return _with_interval(numbers, interval) if is_share else _middle(numbers)


def _with_interval(numbers: Sequence[float], interval: tuple[float, float] | None) -> str:
    return _middle(numbers) + ("" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]")


def _middle(numbers: Sequence[float]) -> str:
    return f"{fmean(numbers):.3f}" if numbers else "–"


def _rate_cell(results: Results, task: str, method: str, rate: float) -> str:
    values = [
        run.accuracy
        for job, run in results.tuning.items()
        if (job.task, job.method, job.learning_rate) == (task, method, rate)
    ]
    return f"**{_middle(values)}**" if results.chosen.get((task, method)) == rate else _middle(values)

"""Decides what rows a comparison of several runs has, and by which averages they can be compared.

Two averages say something about two policies only if they are over the same benchmarks. All averages of a comparison
are therefore over the benchmarks that every row has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from recipe.edge_grpo.evaluate.published import PublishedResults
from recipe.edge_grpo.evaluate.statistics import macro_average, sample_weighted_average


@dataclass(frozen=True)
class ComparedRow:
    """The accuracies of one policy at one temperature, in per cent.

    Attributes:
        samples_per_problem: fewest and most.
        accuracies: avg@n by benchmark.
        num_problems: by benchmark.
        printed_average: the sample-weighted average of a published row; None for a run.
    """

    name: str
    temperature: float
    samples_per_problem: tuple[int, int]
    accuracies: Mapping[str, float]
    num_problems: Mapping[str, int]
    printed_average: float | None = None


class Averages(NamedTuple):
    """Over the benchmarks that all rows of a comparison have, in per cent."""

    sample_weighted: float
    macro: float


def rows_of_run(name: str, summary: Mapping[str, Any]) -> list[ComparedRow]:
    """Return a row for each temperature of a summary. Raises ValueError, naming the run, for something else."""
    if "temperatures" not in summary:
        raise ValueError(f"run {name!r} is no summary of an evaluation: it has no key 'temperatures'")
    return [_row(name, entry["temperature"], entry["benchmarks"]) for entry in summary["temperatures"]]


def rows_of_publication(published: PublishedResults) -> list[ComparedRow]:
    """Return the published rows, marked as such in their names."""
    num_samples = published.samples_per_problem
    return [
        ComparedRow(
            name=f"published: {row.method}, {row.model}, {row.training_data}",
            temperature=published.temperature,
            samples_per_problem=(num_samples, num_samples),
            accuracies=row.accuracies,
            num_problems=published.num_problems,
            printed_average=row.average,
        )
        for row in published.rows
    ]


def all_benchmarks(rows: Sequence[ComparedRow]) -> list[str]:
    """Return the benchmarks that at least one row has, sorted."""
    return sorted({benchmark for row in rows for benchmark in row.accuracies})


def common_benchmarks(rows: Sequence[ComparedRow]) -> list[str]:
    """Return the benchmarks that every row has, sorted."""
    return [name for name in all_benchmarks(rows) if all(name in row.accuracies for row in rows)]


def averages(row: ComparedRow, common: Sequence[str]) -> Averages | None:
    """Return both averages over the `common` benchmarks, all of which the row has; None if there are none.

    The sample-weighted average of a published row is the printed one where it is over these benchmarks.

    >>> row = ComparedRow("mine", 0.1, (1, 1), {"amc": 50.0, "aime24": 20.0}, {"amc": 2, "aime24": 1})
    >>> averages(row, ["amc", "aime24"])
    Averages(sample_weighted=40.0, macro=35.0)
    """
    if not common:
        return None
    accuracies = {benchmark: row.accuracies[benchmark] for benchmark in common}
    sample_weighted = sample_weighted_average(accuracies, row.num_problems)
    if row.printed_average is not None and len(common) == len(row.accuracies):
        sample_weighted = row.printed_average
    return Averages(sample_weighted, macro_average(accuracies))


def differences(rows: Sequence[ComparedRow]) -> list[str]:
    """Return sentences that say where the rows are not over the same benchmarks or problems.

    Equal numbers of problems are taken for equal problems.
    """
    benchmarks, common = all_benchmarks(rows), common_benchmarks(rows)
    sentences = []
    if not common:
        sentences.append("No benchmark is in all rows, so there are no averages.")
    elif len(common) < len(benchmarks):
        sentences.append(f"All averages are over the benchmarks that every row has: {', '.join(common)}.")
    for benchmark in benchmarks:
        names_by_count: dict[int, dict[str, None]] = {}
        for row in rows:
            if benchmark in row.num_problems:
                name = row.name if row.printed_average is None else "published"
                names_by_count.setdefault(row.num_problems[benchmark], {})[name] = None
        if len(names_by_count) > 1:
            counts = ", ".join(f"{count} ({', '.join(names)})" for count, names in names_by_count.items())
            sentences.append(f"The rows do not have the same number of problems of {benchmark}: {counts}.")
    return sentences


def _row(name: str, temperature: float, benchmarks: Mapping[str, Any]) -> ComparedRow:
    samples = [benchmark["samples_per_problem"] for benchmark in benchmarks.values()]
    return ComparedRow(
        name=name,
        temperature=temperature,
        samples_per_problem=(min(each["min"] for each in samples), max(each["max"] for each in samples)),
        accuracies={key: 100 * benchmark["avg@n"] for key, benchmark in benchmarks.items()},
        num_problems={key: benchmark["num_problems"] for key, benchmark in benchmarks.items()},
    )

"""Writes the Markdown section that compares each run with the first one on the problems that both have."""

from collections.abc import Iterator, Mapping, Sequence

from data_prep.writing.markdown import MISSING, aligned_table
from recipe.edge_grpo.evaluate.paired import (
    Matching,
    PairedDifference,
    ProblemName,
    ProblemResult,
    match_problems,
    paired_difference,
)

ResultsOfRun = Mapping[float, Mapping[ProblemName, ProblemResult]]
"""By temperature; see `paired.results_by_temperature`."""

NUM_RESAMPLES, PAIRED_SEED = 10_000, 0

_HEADER = ["run", "temperature", "benchmark", "problems", "difference", "95 % interval", "better", "equal", "worse"]
_MOST_NAMED = 5
_EXPLANATION = (
    "Difference of pass@1 in points, by the mean over the samples of each problem, with its paired bootstrap interval; "
    "on how many problems the run is better, equally good and worse, and the p-value of the exact sign test."
)
_NO_INTERVAL = f"{MISSING}: every problem has the same difference, of which the bootstrap can say nothing."


def paired_section(runs: Mapping[str, ResultsOfRun]) -> str:
    """Return the section that compares the second and further runs with the first, at each temperature of both.

    What is not compared is named below the table: problems that one run does not have, or that are others there.
    Returns an empty text for fewer than two runs.
    """
    if len(runs) < 2:
        return ""
    (first_name, first), *others = runs.items()
    rows, remarks = [[*_HEADER, "sign test"]], [_EXPLANATION]
    for name, second in others:
        common = sorted(first.keys() & second.keys())
        if not common:
            remarks.append(f"{name} and {first_name} have no temperature in common: not compared.")
        for temperature in common:
            matching = match_problems(first[temperature], second[temperature])
            rows += ([name, str(temperature), *cells] for cells in _rows_of_matching(matching))
            remarks += _unmatched(matching, first_name, name, temperature)
    if len(rows) == 1:
        remarks[0] = "No problem is in two runs at the same temperature."
    if any(row[5] == MISSING for row in rows):
        remarks.append(_NO_INTERVAL)
    table = [aligned_table(rows, num_left=3), ""] if len(rows) > 1 else []
    lines = [f"## On the same problems as {first_name}", "", *table, *(f"- {remark}" for remark in remarks)]
    return "\n".join(lines) + "\n"


def _rows_of_matching(matching: Matching) -> Iterator[list[str]]:
    pairs_by_title: dict[str, Sequence[tuple[float, float]]] = dict(matching.pairs)
    if len(pairs_by_title) > 1:
        pairs_by_title["all problems"] = [pair for pairs in matching.pairs.values() for pair in pairs]
    for title, pairs in pairs_by_title.items():
        yield [title, *_cells(paired_difference(pairs, num_resamples=NUM_RESAMPLES, seed=PAIRED_SEED))]


def _cells(result: PairedDifference) -> list[str]:
    num_equal = result.num_problems - result.num_better - result.num_worse
    interval = MISSING if result.interval is None else " to ".join(map(_points, result.interval))
    counts = [str(count) for count in (result.num_better, num_equal, result.num_worse)]
    return [str(result.num_problems), _points(result.difference), interval, *counts, f"{result.p_value:.2g}"]


def _points(difference: float) -> str:
    return f"{100 * difference + 0.0:+.2f}"


def _unmatched(matching: Matching, first_name: str, name: str, temperature: float) -> Iterator[str]:
    """Yield a sentence for each reason and benchmark, with the indices of the first problems."""
    places = {
        f"only in {first_name}": matching.only_in_first,
        f"only in {name}": matching.only_in_second,
        f"with another prompt or answer in {name} than in {first_name}": matching.changed,
    }
    for place, problems in places.items():
        for benchmark in dict.fromkeys(benchmark for benchmark, _ in problems):
            indices = [index for other, index in problems if other == benchmark]
            more = f" and {len(indices) - _MOST_NAMED} more" if len(indices) > _MOST_NAMED else ""
            named = ", ".join(map(str, indices[:_MOST_NAMED]))
            yield f"Not compared at temperature {temperature}: {len(indices)} of {benchmark} {place}: {named}{more}."

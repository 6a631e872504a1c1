"""Writes Markdown tables of one run (`run_tables`), and of several runs beside each other (`compare`).

Accuracies and shares are in per cent, entropies in nats. What is undefined or was not evaluated is a dash.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from data_prep.writing.markdown import MISSING, aligned_table
from recipe.edge_grpo.evaluate.comparison import (
    ComparedRow,
    all_benchmarks,
    averages,
    common_benchmarks,
    differences,
    rows_of_publication,
    rows_of_run,
)
from recipe.edge_grpo.evaluate.published import published_results
from recipe.edge_grpo.evaluate.statistics import FEWEST_FOR_BOOTSTRAP, WILSON


def run_tables(summary: Mapping[str, Any]) -> str:
    """Return the tables of one summary: accuracy at each temperature with both averages, entropy, reflection."""
    entries = summary["temperatures"]
    level = f"{100 * summary['settings']['confidence_level']:g} % interval"
    sections = [
        (f"Accuracy at temperature {entry['temperature']}", _accuracy_rows(entry, level), _wilson_remark(entry))
        for entry in entries
    ]
    sections.append(("Policy entropy of correct and of wrong responses", _entropy_rows(entries), ""))
    sections.append(("Responses that reflect", _reflection_rows(entries), ""))
    sections.append(("After forced reflection on wrong responses", _forced_rows(entries), ""))
    tables = [
        f"## {title}\n\n{aligned_table(rows, num_left=1)}{remark}" for title, rows, remark in sections if len(rows) > 1
    ]
    return "\n\n".join(tables) + "\n"


def compare(summaries: Mapping[str, Mapping[str, Any]], has_published: bool = False) -> str:
    """Return one table of several runs, a row for each run and temperature, with benchmarks as columns as in the paper.

    The averages of all rows are over the benchmarks that every row has; a line below the table says so where these are
    not all, and where benchmarks differ in their number of problems.

    `summaries` are by name of the run; `has_published` adds the rows of the paper's tables.

    Raises ValueError if there is nothing to compare, or, naming the run, for something that is no summary.
    """
    rows = [row for name, summary in summaries.items() for row in rows_of_run(name, summary)]
    remarks: list[str] = []
    if has_published:
        results = published_results()
        rows += rows_of_publication(results)
        remarks = ["Published rows: arXiv 2507.21848; their macro averages are computed here.", *results.remarks]
    if not rows:
        raise ValueError("there is no run to compare")
    benchmarks, common = all_benchmarks(rows), common_benchmarks(rows)
    header = ["run", "temperature", "samples", "sample-weighted average", "macro average", *benchmarks]
    table = aligned_table([header, *(_compared_cells(row, benchmarks, common) for row in rows)], num_left=1)
    remarks = [f"- {remark}" for remark in [*differences(rows), *remarks]]
    return "\n".join([table, "", *remarks]).rstrip() + "\n"


def _accuracy_rows(entry: Mapping[str, Any], level: str) -> list[list[str]]:
    benchmarks = entry["benchmarks"]
    # maj@k is not in the summaries of earlier versions.
    columns = {
        f"{name}@{k}": (f"{name}@k", str(k))
        for name in ("pass", "maj")
        for k in sorted({int(k) for benchmark in benchmarks.values() for k in benchmark.get(f"{name}@k", {})} - {1})
    }
    header = ["benchmark", "problems", "samples", "pass@1", level, *columns]
    rows = [[*header, "tokens", "boxed", "truncated"]]
    for name, benchmark in benchmarks.items():
        low, high = benchmark["confidence_interval"]
        rows.append(
            [
                name,
                str(benchmark["num_problems"]),
                _range(*(benchmark["samples_per_problem"][end] for end in ("min", "max"))),
                _percent(benchmark["avg@n"]),
                f"{_percent(low)} to {_percent(high)}",
                *(_percent(benchmark.get(statistic, {}).get(k)) for statistic, k in columns.values()),
                f"{benchmark['mean_response_tokens']:.1f}",
                _percent(benchmark["boxed_fraction"]),
                _percent(benchmark["truncated_fraction"]),
            ]
        )
    for name in ("sample-weighted", "macro"):
        values = entry[f"{name.replace('-', '_')}_average"]
        accuracies = [_percent(values.get(statistic, {}).get(k)) for statistic, k in columns.values()]
        cells = [str(entry["num_problems"]), "", _percent(values["avg@n"]), "", *accuracies, "", "", ""]
        rows.append([f"{name} average", *cells])
    return rows


def _wilson_remark(entry: Mapping[str, Any]) -> str:
    """Return a line that names the benchmarks whose interval is Wilson's; nothing where there are none."""
    names = [name for name, benchmark in entry["benchmarks"].items() if benchmark.get("interval_method") == WILSON]
    reason = f"fewer than {FEWEST_FOR_BOOTSTRAP} problems, or all of them right or all wrong"
    return f"\n\nWilson's interval ({reason}): {', '.join(names)}." if names else ""


def _entropy_rows(entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows = [["temperature", "responses", "all", "correct", "wrong", "correct above mean", "wrong below mean"]]
    for entry in entries:
        entropy = entry["entropy"]
        if entropy["num_measured"]:
            means = [f"{entropy[name]:.4f}" if name in entropy else MISSING for name in ("mean", "correct", "wrong")]
            shares = [_percent(entropy.get(name)) for name in ("correct_above_mean", "wrong_below_mean")]
            rows.append([str(entry["temperature"]), str(entropy["num_measured"]), *means, *shares])
    return rows


def _reflection_rows(entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows = [["temperature", "responses", "that reflect", "share", "accuracy of these", "accuracy of all"]]
    for entry in entries:
        reflection = entry["reflection"]
        counts = [str(reflection[name]) for name in ("num_responses", "num_reflecting")]
        names = ("reflecting_fraction", "accuracy_of_reflecting", "accuracy_of_all")
        rows.append([str(entry["temperature"]), *counts, *(_percent(reflection.get(name)) for name in names)])
    return rows


def _forced_rows(entries: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows = [["reflection text", "temperature", "wrong", "continued", "accuracy then"]]
    for entry in entries:
        forced = entry["reflection"]["forced"]
        wrong = str(forced["num_wrong_first_passes"])
        for each in forced.get("by_text", []):
            # As JSON, so that spaces and line breaks at the ends can be seen.
            text = json.dumps(each["reflection_text"], ensure_ascii=False)
            count = str(each["num_responses"])
            rows.append([text, str(entry["temperature"]), wrong, count, _percent(each["accuracy"])])
    return rows


def _compared_cells(row: ComparedRow, benchmarks: Sequence[str], common: Sequence[str]) -> list[str]:
    both = averages(row, common)
    accuracies = [row.accuracies.get(benchmark) for benchmark in benchmarks]
    values = [*(both or (None, None)), *accuracies]
    cells = [MISSING if value is None else f"{value:.2f}" for value in values]
    return [row.name, str(row.temperature), _range(*row.samples_per_problem), *cells]


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _percent(fraction: float | None) -> str:
    return MISSING if fraction is None else f"{100 * fraction:.2f}"

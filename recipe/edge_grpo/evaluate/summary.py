"""Puts all numbers of an evaluation into one dictionary that JSON can hold, without dates or paths.

`avg@n` is the mean accuracy over the n samples of a problem, mean over the problems. It is the unbiased pass@1 and,
with one sample a problem, the accuracy that the paper's tables show.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from recipe.edge_grpo.evaluate.entropy_by_correctness import entropy_by_correctness
from recipe.edge_grpo.evaluate.majority import majority_at_k, votes_of
from recipe.edge_grpo.evaluate.reflection import REFLECTION_MARKERS, forced_reflection, self_reflection
from recipe.edge_grpo.evaluate.responses import GradedResponse, check_distinct
from recipe.edge_grpo.evaluate.statistics import (
    accuracy_interval,
    avg_at_n,
    interval_method,
    macro_average,
    pass_at_k,
    sample_weighted_average,
)


class SummarySettings(NamedTuple):
    """For which k pass@k and maj@k are, how the bootstrap over problems goes, and by what words reflections are found.

    A k that exceeds the smallest number of samples of a problem is left out there. `confidence_level` is that of the
    interval of avg@n; for the markers see `reflection.marker_pattern`.
    """

    k_values: Sequence[int]
    num_resamples: int = 10_000
    bootstrap_seed: int = 0
    confidence_level: float = 0.95
    reflection_markers: Sequence[str] = REFLECTION_MARKERS


def summarise(responses: Sequence[GradedResponse], settings: SummarySettings) -> dict[str, Any]:
    """Summarise the graded responses of one policy; their order does not matter.

    Accuracy, entropy and self-reflection are those of the first passes. The dictionary does not say which problems or
    samples are missing, only how many there are; what is undefined is absent.

    Returns:
        `settings`, each k once and in rising order.
        `temperatures`: for each, in rising order,
            `temperature`;
            `benchmarks`, sorted by name: `num_problems`, `samples_per_problem` (`min` and `max`, which differ if an
            evaluation is incomplete), `avg@n`, `confidence_interval` (low and high) and its `interval_method`,
            `pass@k` (by k), `maj@k` (by k from 2: maj@1 is avg@n), `mean_response_tokens`, `boxed_fraction`,
            `truncated_fraction`, `verify_status` (counts);
            `num_problems` of all benchmarks;
            `sample_weighted_average` and `macro_average` over the benchmarks: `avg@n`, `pass@k` and `maj@k`, the latter
            two for what every benchmark has;
            `entropy`: see `entropy_by_correctness`;
            `reflection`: see `reflection.self_reflection`, and under `forced` `reflection.forced_reflection`.

    Raises ValueError for no responses, two of the same key, a k below 1, a continuation without a wrong first pass, and
    settings of the bootstrap or markers that cannot be used.
    """
    if not responses:
        raise ValueError("there are no responses to summarise")
    if any(k < 1 for k in settings.k_values):
        raise ValueError(f"k_values must be at least 1, got {list(settings.k_values)}")
    check_distinct(responses)
    settings = settings._replace(
        k_values=sorted(set(settings.k_values)), reflection_markers=list(settings.reflection_markers)
    )
    by_temperature = _group(responses, lambda response: response.temperature)
    return {
        "settings": settings._asdict(),
        "temperatures": [
            {"temperature": temperature, **_summarise_temperature(by_temperature[temperature], settings)}
            for temperature in sorted(by_temperature)
        ],
    }


def _summarise_temperature(responses: Sequence[GradedResponse], settings: SummarySettings) -> dict[str, Any]:
    forced = forced_reflection(responses)
    first_passes = [response for response in responses if response.reflection_text is None]
    by_benchmark = _group(first_passes, lambda response: response.benchmark)
    benchmarks = {name: _summarise_benchmark(by_benchmark[name], settings) for name in sorted(by_benchmark)}
    num_problems = {name: benchmark["num_problems"] for name, benchmark in benchmarks.items()}
    return {
        "benchmarks": benchmarks,
        "num_problems": sum(num_problems.values()),
        "sample_weighted_average": _average(benchmarks, lambda values: sample_weighted_average(values, num_problems)),
        "macro_average": _average(benchmarks, macro_average),
        "entropy": entropy_by_correctness(first_passes),
        "reflection": {**self_reflection(first_passes, settings.reflection_markers), "forced": forced},
    }


def _summarise_benchmark(responses: Sequence[GradedResponse], settings: SummarySettings) -> dict[str, Any]:
    by_problem = _group(responses, lambda response: response.problem_index)
    accuracies = [[response.accuracy for response in by_problem[index]] for index in sorted(by_problem)]
    num_samples = [len(samples) for samples in accuracies]
    means = [fmean(samples) for samples in accuracies]
    low, high = accuracy_interval(
        means,
        num_resamples=settings.num_resamples,
        seed=settings.bootstrap_seed,
        confidence_level=settings.confidence_level,
    )
    return {
        "num_problems": len(by_problem),
        "samples_per_problem": {"min": min(num_samples), "max": max(num_samples)},
        "avg@n": avg_at_n(accuracies),
        "confidence_interval": [low, high],
        "interval_method": interval_method(means),
        "pass@k": {
            str(k): fmean(pass_at_k(len(samples), round(sum(samples)), k) for samples in accuracies)
            for k in settings.k_values
            if k <= min(num_samples)
        },
        "maj@k": {
            str(k): fmean(majority_at_k(votes, k) for votes in map(votes_of, by_problem.values()))
            for k in settings.k_values
            if 1 < k <= min(num_samples)
        },
        "mean_response_tokens": fmean(response.num_tokens for response in responses),
        "boxed_fraction": fmean(response.has_box for response in responses),
        "truncated_fraction": fmean(response.finish_reason == "length" for response in responses),
        "verify_status": dict(sorted(Counter(response.verify_status for response in responses).items())),
    }


def _average(benchmarks: Mapping[str, Any], average: Callable[[dict[str, float]], float]) -> dict[str, Any]:
    """Return `average` of avg@n, and of pass@k and maj@k for every k that all benchmarks have."""
    result: dict[str, Any] = {"avg@n": average({name: benchmark["avg@n"] for name, benchmark in benchmarks.items()})}
    for statistic in ("pass@k", "maj@k"):
        by_benchmark = {name: benchmark[statistic] for name, benchmark in benchmarks.items()}
        fewest = min(by_benchmark.values(), key=len)
        result[statistic] = {k: average({name: each[k] for name, each in by_benchmark.items()}) for k in fewest}
    return result


def _group(
    responses: Iterable[GradedResponse], key: Callable[[GradedResponse], Any]
) -> dict[Any, list[GradedResponse]]:
    groups = defaultdict(list)
    for response in responses:
        groups[key(response)].append(response)
    return dict(groups)

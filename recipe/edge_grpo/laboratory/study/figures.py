"""The figures of a study, as SVG: the same records give the same bytes."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.edge_grpo.intervals import cut_interval, mean_interval
from recipe.edge_grpo.laboratory.study.claims import CLAIMS, RunsOfSeed, findings
from recipe.edge_grpo.laboratory.study.plan import VERL
from recipe.edge_grpo.laboratory.study.records import ACCURACY, ENTROPY, EQUAL_AFTER, EQUAL_BEFORE, HIGHEST, TOKENS
from recipe.edge_grpo.laboratory.study.results import Results

SHOWN = {
    "grpo": "#0072B2",
    "forced_reflection": "#CC79A7",
    "edge_grpo": "#D55E00",
    "edge_grpo_plus": "#009E73",
    "ngrpo": "#56B4E9",
    "luffy": "#E69F00",
    "sft": "#555555",
}
"""{method: its colour}, of Okabe and Ito's palette; all methods in one picture would hide each other."""


def draw_accuracy(results: Results, path: Path) -> None:
    """Draw the validations of a few methods over steps and over sampled tokens, with the interval of the mean."""
    tasks = results.seeds()
    figure = Figure(figsize=(5.5 * len(tasks), 7.5), layout="constrained")
    for row, (task, seeds) in zip(figure.subplots(2, len(tasks), squeeze=False).T, tasks.items(), strict=True):
        for axes, over in zip(row, (None, TOKENS), strict=True):
            for method in SHOWN:
                _draw_curve(axes, seeds, method, ACCURACY, over)
            label = "steps" if over is None else "million tokens sampled in training"
            _finish(axes, f"{task}", label, "accuracy, validation")
    _save(figure, path)


def draw_groups(results: Results, path: Path) -> None:
    """Draw groups without contrast, before and after correction, and policy entropy, over the steps."""
    panels = {
        EQUAL_BEFORE: "groups with equal rewards, before correction",
        EQUAL_AFTER: "groups with equal rewards, after correction",
        ENTROPY: "policy entropy, nats",
    }
    tasks = results.seeds()
    figure = Figure(figsize=(13, 3.75 * len(tasks)), layout="constrained")
    for row, (task, seeds) in zip(figure.subplots(len(tasks), 3, squeeze=False), tasks.items(), strict=True):
        for axes, (curve, label) in zip(row, panels.items(), strict=True):
            for method in SHOWN:
                _draw_curve(axes, seeds, method, curve, None)
            _finish(axes, task, "steps", label)
    _save(figure, path)


def draw_verl(results: Results, path: Path) -> None:
    """Draw the validations, entropy and groups without contrast of the runs of verl, over the steps."""
    panels = {ACCURACY: "accuracy, validation", ENTROPY: "policy entropy, nats", EQUAL_AFTER: "groups, equal rewards"}
    seeds, tasks = results.seeds(VERL), list(results.study.confirmation.tasks)
    figure = Figure(figsize=(13, 3.75 * len(tasks)), layout="constrained")
    for row, task in zip(figure.subplots(len(tasks), 3, squeeze=False), tasks, strict=True):
        for axes, (curve, label) in zip(row, panels.items(), strict=True):
            for method in results.study.confirmation.methods:
                _draw_curve(axes, seeds[task], method, curve, None)
            _finish(axes, f"{task}, verl", "steps", label)
    _save(figure, path)


def draw_claims(results: Results, path: Path) -> None:
    """Draw the interval of each claim less its bound: to the right of the line it is above, to the left below."""
    found = [finding for finding in findings(CLAIMS, results.seeds()) if finding.interval is not None]
    figure = Figure(figsize=(9, 0.9 + 0.38 * len(found)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color="black", linewidth=0.8)
    for place, finding in enumerate(reversed(found)):
        low, high = (bound - finding.claim.bound for bound in finding.interval or ())
        colour = {"yes": "#009E73", "no": "#D55E00"}.get(finding.answer.value, "#555555")
        axes.plot([low, high], [place, place], color=colour, linewidth=2)
        axes.plot([fmean(finding.numbers) - finding.claim.bound], [place], "o", color=colour)
    claimed = [f"{each.claim.key}  {each.claim.text} ({each.task}): {each.answer.value}" for each in reversed(found)]
    axes.set_yticks(range(len(found)), claimed)
    axes.set_xlabel("mean over seeds less the bound,\nwith 95 % interval; 1b and 8 claim\nto be left of the line")
    axes.grid(axis="x", alpha=0.3)
    _save(figure, path)


def _draw_curve(axes: Axes, seeds: Sequence[RunsOfSeed], method: str, curve: str, over: str | None) -> None:
    runs = [of_seed[method] for of_seed in seeds if method in of_seed and of_seed[method].values(curve)]
    if not runs or (over is not None and not any(runs[0].values(over))):  # Supervised learning samples nothing.
        return
    values = list(zip(*(run.values(curve) for run in runs), strict=True))
    if over is None:
        places = [float(step) for step in runs[0].steps[-len(values) :]]
    else:
        places = [fmean(tokens) / 1e6 for tokens in zip(*(run.values(over) for run in runs), strict=True)]
    axes.plot(places, [fmean(each) for each in values], color=SHOWN.get(method), marker="o", markersize=3, label=method)
    if len(runs) > 1:
        highest = HIGHEST.get(curve, 1.0)
        lows, highs = zip(*(cut_interval(mean_interval(each), highest) for each in values), strict=True)
        axes.fill_between(places, lows, highs, color=SHOWN.get(method), alpha=0.15, linewidth=0)


def _finish(axes: Axes, title: str, xlabel: str, ylabel: str) -> None:
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(frameon=False, fontsize=8)


def _save(figure: Figure, path: Path) -> None:
    # Ids from a fixed salt and no date: otherwise every file would differ from the one before.
    with matplotlib.rc_context({"svg.hashsalt": "edge-grpo"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})

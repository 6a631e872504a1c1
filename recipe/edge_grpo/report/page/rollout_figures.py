"""Draws what rollouts show: entropy against correctness (the paper's figure 3), and the entropy ratios."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, quantiles

from recipe.edge_grpo.report.page.figure import Drawn, finish, new_figure
from recipe.edge_grpo.report.page.rollouts import Response, Rollouts, number_in

NUM_BINS = 30
BY_CORRECTNESS = (("correct", "#009E73", True), ("wrong", "#D55E00", False))
"""What each colour stands for, and whether its responses are correct."""


def entropies_of(responses: Sequence[Response], is_correct: bool) -> list[float]:
    """Return the entropies of the responses that are correct after correction, or wrong; those without one left out.

    >>> entropies_of([{"entropy": 0.5, "accuracy": 1.0}, {"entropy": 0.7, "accuracy": 0.0}, {"accuracy": 1}], True)
    [0.5]
    """
    return [
        entropy
        for response in responses
        if (entropy := number_in(response, "entropy")) is not None
        and ((number_in(response, "accuracy", "score") or 0.0) > 0) == is_correct
    ]


def draw_rollouts(name: str, number: int, rollouts: Rollouts, png_folder: Path) -> list[Drawn]:
    """Return the figures of a run, none where no response has an entropy; `number` names their files."""
    steps = [step for step in rollouts.groups_by_step if any(_both(rollouts.responses(step)))]
    if not steps:
        return []
    drawn = [
        _draw_step(f"{name}, step {step}", f"entropy_at_{end}-{number}", rollouts.responses(step), png_folder)
        for end, step in dict(zip(("start", "end"), dict.fromkeys((steps[0], steps[-1])), strict=False)).items()
    ]
    drawn.append(_draw_over_steps(name, f"entropy_over_steps-{number}", rollouts, steps, png_folder))
    return [*drawn, *_draw_ratios(name, f"ratios-{number}", rollouts, steps, png_folder)]


def _both(responses: Sequence[Response]) -> tuple[list[float], list[float]]:
    return entropies_of(responses, True), entropies_of(responses, False)


def _draw_step(title: str, key: str, responses: Sequence[Response], png_folder: Path) -> Drawn:
    """Draw how many correct and wrong responses of one step have which entropy, and the mean of each kind."""
    figure, axes = new_figure("responses")
    correct, wrong = _both(responses)
    lowest, highest = min([*correct, *wrong]), max([*correct, *wrong])
    width = (highest - lowest) / NUM_BINS or 1.0
    edges = [lowest + width * place for place in range(NUM_BINS + 1)]
    for (label, colour, _), values in zip(BY_CORRECTNESS, (correct, wrong), strict=True):
        if values:
            axes.hist(values, bins=edges, color=colour, alpha=0.55, label=label)
            axes.axvline(fmean(values), color=colour, linestyle="--", linewidth=1.8)
    axes.set(xlabel="entropy of a response, nats per token")
    counts = f"{len(correct)} correct, {len(wrong)} wrong; dashed: their means"
    return finish(
        figure, f"{title}: {counts}", key, png_folder, [(label, colour) for label, colour, _ in BY_CORRECTNESS]
    )


def _draw_over_steps(name: str, key: str, rollouts: Rollouts, steps: Sequence[int], png_folder: Path) -> Drawn:
    """Draw the mean entropy of correct and wrong responses over the steps, with the middle half of each as a band."""
    figure, axes = new_figure("nats per token")
    for label, colour, is_correct in BY_CORRECTNESS:
        of_step = {step: entropies_of(rollouts.responses(step), is_correct) for step in steps}
        of_step = {step: values for step, values in of_step.items() if values}
        cuts = [quantiles(values, n=4) if len(values) > 1 else values * 3 for values in of_step.values()]
        axes.plot(list(of_step), [fmean(values) for values in of_step.values()], color=colour, marker="o", label=label)
        axes.fill_between(
            list(of_step), [cut[0] for cut in cuts], [cut[2] for cut in cuts], color=colour, alpha=0.15, linewidth=0
        )
    legend = [(label, colour) for label, colour, _ in BY_CORRECTNESS]
    return finish(figure, f"{name}: mean and middle half, {len(steps)} steps", key, png_folder, legend)


def _draw_ratios(name: str, key: str, rollouts: Rollouts, steps: Sequence[int], png_folder: Path) -> list[Drawn]:
    """Draw how many responses have which entropy ratio; nothing where all are 1, as without EDA."""
    ratios = [
        ratio
        for step in steps
        for response in rollouts.responses(step)
        if (ratio := number_in(response, "entropy_ratio")) is not None
    ]
    if all(ratio == 1 for ratio in ratios):
        return []
    figure, axes = new_figure("responses")
    axes.hist(ratios, bins=NUM_BINS * 2, color="#0072B2")
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set(xlabel="entropy ratio: above 1, less sure than its group")
    return [finish(figure, f"{name}: entropy ratios of {len(ratios)} responses, {len(steps)} steps", key, png_folder)]

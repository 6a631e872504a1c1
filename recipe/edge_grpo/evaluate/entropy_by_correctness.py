"""Measures whether the policy is sure where it is right: its entropy on correct and on wrong responses (figure 3).

A policy that knows what it knows has low entropy on correct responses and high entropy on wrong ones. The shares of
correct responses above the overall mean and of wrong ones below it count the cases to the contrary.
"""

from collections.abc import Sequence
from statistics import mean

from recipe.edge_grpo.evaluate.responses import GradedResponse


def entropy_by_correctness(responses: Sequence[GradedResponse]) -> dict[str, float]:
    """Return mean entropies in nats, and the two shares, of responses that were sampled at one temperature.

    Every response has the same weight, whatever its length or problem. What is undefined (the entropy of correct
    responses when none is correct) is absent; it is never 0 or NaN.

    Returns:
        `num_measured`, `num_unmeasured`: responses with and without an entropy; only the former enter the rest.
        `mean`, `correct`, `wrong`: mean entropy of all, of correct and of wrong responses.
        `correct_above_mean`: share of the correct responses whose entropy is above `mean`.
        `wrong_below_mean`: share of the wrong responses whose entropy is below `mean`.
    """
    measured = [(response.mean_entropy, response.is_correct) for response in responses]
    entropies = {
        name: [entropy for entropy, is_correct in measured if entropy is not None and is_correct in selected]
        for name, selected in (("mean", (True, False)), ("correct", (True,)), ("wrong", (False,)))
    }
    num_measured = len(entropies["mean"])
    result: dict[str, float] = {"num_measured": num_measured, "num_unmeasured": len(responses) - num_measured}
    # The exact mean, not fmean: rounding must not put equal entropies above or below their own mean.
    result |= {name: mean(values) for name, values in entropies.items() if values}
    if entropies["correct"]:
        result["correct_above_mean"] = mean(float(entropy > result["mean"]) for entropy in entropies["correct"])
    if entropies["wrong"]:
        result["wrong_below_mean"] = mean(float(entropy < result["mean"]) for entropy in entropies["wrong"])
    return result

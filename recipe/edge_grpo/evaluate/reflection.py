"""Measures whether reflection helps: the accuracy of responses that reflect, and after forced reflection (figure 2).

The markers by which the authors recognise a reflection, and the four texts with which they force one, are not
published. The markers here are words that studies of self-reflection in this family of models count. They find words,
not thoughts: a problem about people who wait is found too.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from recipe.edge_grpo.evaluate.responses import GradedResponse

REFLECTION_MARKERS = (
    "wait",
    "let me check",
    "let me verify",
    "check again",
    "double-check",
    "re-check",
    "re-evaluate",
    "re-examine",
    "re-consider",
    "re-think",
    "verify again",
    "think again",
    "try again",
    "on second thought",
    "i made a mistake",
    "i made an error",
    "something is wrong",
)


def marker_pattern(markers: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern that finds any of the markers as whole words, in upper or lower case.

    A space in a marker stands for any white space, a hyphen also for a space or nothing ("re-check": "re check",
    "recheck"). Raises ValueError for no markers and for an empty one, which every response would contain.

    >>> marker_pattern(["wait", "re-check"]).findall("Wait, I recheck what waits.")
    ['Wait', 'recheck']
    """
    if not markers or not all(marker.strip() for marker in markers):
        raise ValueError(f"reflection markers must be texts that are not empty, got {list(markers)}")
    alternatives = [re.escape(marker.strip()).replace(r"\ ", r"\s+").replace(r"\-", r"[-\s]?") for marker in markers]
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)", re.IGNORECASE)


def self_reflection(first_passes: Sequence[GradedResponse], markers: Sequence[str]) -> dict[str, float]:
    """Compare the accuracy of the responses that contain a marker with that of all; at least one response.

    Returns `num_responses`, `num_reflecting`, `reflecting_fraction`, `accuracy_of_all` and, where a response reflects,
    `accuracy_of_reflecting`.
    """
    pattern = marker_pattern(markers)
    reflecting = [response for response in first_passes if pattern.search(response.response)]
    result: dict[str, float] = {
        "num_responses": len(first_passes),
        "num_reflecting": len(reflecting),
        "reflecting_fraction": len(reflecting) / len(first_passes),
        "accuracy_of_all": _accuracy(first_passes),
    }
    if reflecting:
        result["accuracy_of_reflecting"] = _accuracy(reflecting)
    return result


def forced_reflection(responses: Sequence[GradedResponse]) -> dict[str, Any]:
    """Measure the accuracy after forced reflection on wrong first passes, for each reflection text.

    Returns:
        `num_wrong_first_passes`: what could be continued.
        `by_text`, sorted by text: `reflection_text`, `num_responses` (what was continued) and their `accuracy`.
        `mean_accuracy` over the texts. The last two are absent where nothing was continued.

    Raises ValueError, naming the key, for a continuation whose first pass is missing or correct.
    """
    is_correct = {response.key: response.is_correct for response in responses if response.reflection_text is None}
    continued = defaultdict(list)
    for response in responses:
        if response.reflection_text is None:
            continue
        if is_correct.get(response.key._replace(reflection_text=None), True):
            raise ValueError(f"{response.key}: forced reflection continues a wrong first pass, and there is none")
        continued[response.reflection_text].append(response)
    result: dict[str, Any] = {"num_wrong_first_passes": list(is_correct.values()).count(False)}
    if continued:
        result["by_text"] = [
            {"reflection_text": text, "num_responses": len(continued[text]), "accuracy": _accuracy(continued[text])}
            for text in sorted(continued)
        ]
        result["mean_accuracy"] = fmean(entry["accuracy"] for entry in result["by_text"])
    return result


def _accuracy(responses: Sequence[GradedResponse]) -> float:
    return fmean(response.accuracy for response in responses)

r"""Hints, as pure functions: how much of a reference solution a prompt shows, and where.

Ours, not the paper's; the parts are those of two others (Scaf-GRPO, arXiv 2510.19807; SAGE, arXiv 2602.03143):
a group that is all wrong is sampled again with a hint in the prompt, and with a longer one until a response is right.

Where this differs from theirs, and why:
1. The hint is the beginning of the row's reference solution. In SAGE the policy writes it from that solution, in
   Scaf-GRPO a data set has it; the beginning needs neither another call nor other data.
2. A group that fails under every hint is put back as it was first sampled, so that other corrections can have it. SAGE
   keeps the responses to the longest hint, whose advantages are 0 as well.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from recipe.edge_grpo.settings.choices import HINT_PLACEHOLDER

_BOX = r"\boxed"


def hint_of(solution: str, share: float) -> str | None:
    r"""Return the first `share` of the words of a solution, rounded down; the answer in its box is never among them.

    The words that count end before the first one with a box; without a box, before the last word.

    Args:
        solution: the reference solution of a row.
        share: above 0, at most 1.

    Returns:
        None if that is not one word.

    >>> hint_of(r"7+5=12 12-3=9 \boxed{9}", 0.5), hint_of(r"7+5=12 12-3=9 \boxed{9}", 0.25)
    ('7+5=12', None)
    """
    words = re.findall(r"\S+\s*", solution)
    num_shown = next((number for number, word in enumerate(words) if _BOX in word), len(words) - 1)
    hint = "".join(words[: int(share * max(num_shown, 0))]).rstrip()
    return hint or None


def growing_hints(solution: str, shares: Sequence[float]) -> list[str]:
    r"""Return the hint of each share, without those that would be none or the same once more.

    >>> growing_hints(r"7+5=12 12-3=9 \boxed{9}", [0.25, 0.5, 0.75, 1.0])
    ['7+5=12', '7+5=12 12-3=9']
    """
    hints = (hint_of(solution, share) for share in shares)
    return list(dict.fromkeys(hint for hint in hints if hint is not None))


def add_to_last_user_message(messages: Sequence[Mapping[str, Any]], text: str) -> list[dict[str, Any]] | None:
    """Return the messages with the text behind the last one, which is to be a user's.

    Returns:
        None if the last message is another's, or is not a plain text.

    >>> add_to_last_user_message([{"role": "user", "content": "What is 7+5?"}], " Hint: 7")
    [{'role': 'user', 'content': 'What is 7+5? Hint: 7'}]
    """
    if not len(messages) or messages[-1].get("role") != "user" or not isinstance(messages[-1].get("content"), str):
        return None
    *before, last = (dict(message) for message in messages)
    return [*before, {**last, "content": last["content"] + text}]


def hint_text(template: str, hint: str) -> str:
    """Return the text that shows a hint: the template with its placeholder replaced.

    >>> hint_text(" Hint: {hint}", "7+5=12")
    ' Hint: 7+5=12'
    """
    return template.replace(HINT_PLACEHOLDER, hint)

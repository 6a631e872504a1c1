r"""The answer of a response: its last `\boxed{...}` that is balanced and not empty.

The text comes from a model and may be anything, so one pass over a bounded tail finds the box: no backtracking, no
recursion, and the same work however the braces are arranged.
"""

import re

# An answer stands at the end of a response. 64 kB are some 16,000 tokens, longer than any answer's own line.
TAIL_CHARACTERS = 65_536

# `\\` is a line break and `\{` a printed brace: neither opens nor closes a group. `\\boxed{` is read as a box that was
# escaped once too often, a slip that models make.
_MARKS = re.compile(r"(?P<box>\\boxed\s*\{)|(?P<printed>\\\\(?!boxed)|\\[{}])|(?P<open>\{)|(?P<close>\})")


def last_boxed(text: str) -> str | None:
    r"""Return the content of the last balanced, non-empty `\boxed{...}` in the tail of `text`, without outer spaces.

    Returns None if there is none. Of nested boxes the inner one counts: it starts last. A box whose beginning lies
    before the tail, or that is never closed, does not count; unbalanced braces elsewhere do no harm.
    """
    tail = text[-TAIL_CHARACTERS:]
    answer, answer_start = None, -1
    open_groups: list[int] = []  # Where the content of each open box begins; -1 for a group that is not a box.
    for mark in _MARKS.finditer(tail):
        if mark.lastgroup == "box":
            open_groups.append(mark.end())
        elif mark.lastgroup == "open":
            open_groups.append(-1)
        elif mark.lastgroup == "close" and open_groups:
            start = open_groups.pop()
            # Only a box that starts later is looked at, so that deep nesting is not copied again at every level.
            if start > answer_start and not _is_blank(tail, start, mark.start()):
                answer, answer_start = (start, mark.start()), start
    return None if answer is None else tail[answer[0] : answer[1]].strip()


def _is_blank(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` holds nothing but spaces; looks no further than the first other character."""
    return re.compile(r"\s*").match(text, start, end).end() == end  # type: ignore[union-attr]

r"""The answer of a response is what its last balanced `\boxed{...}` holds.

The text comes from a model and may be anything, so one pass over a bounded tail finds the box: no backtracking, no
recursion, and the same work however the braces are arranged.
"""

import re

# An answer stands at the end of a response. 64 kB are some 16,000 tokens, longer than any answer's own line.
TAIL_CHARACTERS = 65_536

# `\\` is a line break and `\{` a printed brace: neither opens nor closes a group. `\\boxed{` is read as a box that was
# escaped once too often, a slip that models make.
_MARKS = re.compile(
    r"(?P<box>\\(?:boxed|fbox)\s*\{)|(?P<printed>\\\\(?!boxed|fbox)|\\[{}])|(?P<open>\{)|(?P<close>\})"
    # TeX boxes what follows; a number is meant as a whole.
    r"|(?P<bare>\\(?:boxed|fbox)\s+(?P<word>-?[0-9]+(?:\.[0-9]+)?|[A-Za-z])(?![A-Za-z0-9{]))"
)

# Control characters, marks of width zero and of direction, lone surrogates: nothing that a reader sees.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ud800-\udfff]"
)


def last_boxed(text: str) -> str | None:
    r"""Return the content of the last balanced `\boxed{...}` or `\fbox{...}` in the tail of `text`.

    Outer spaces and invisible characters are removed. Returns None if there is no box, or if the last one is empty: an
    earlier one is not the answer then. Of nested boxes the inner one counts: it starts last. A box whose beginning lies
    before the tail, or that is never closed, does not count; unbalanced braces elsewhere do no harm. `\boxed 5` is a
    box of one number or letter.
    Example: `last_boxed(r"\boxed{1}, so \boxed{\frac{1}{2}}.") == r"\frac{1}{2}"`
    """
    tail = text[-TAIL_CHARACTERS:]
    start, end = -1, -1
    open_groups: list[int] = []  # Where the content of each open box begins; -1 for a group that is not a box.
    for mark in _MARKS.finditer(tail):
        if mark.lastgroup == "box":
            open_groups.append(mark.end())
        elif mark.lastgroup == "open":
            open_groups.append(-1)
        elif mark.lastgroup == "close" and open_groups:
            opened = open_groups.pop()
            if opened > start:
                start, end = opened, mark.start()
        elif mark.lastgroup == "bare":
            start, end = mark.span("word")
    return None if start < 0 else _INVISIBLE.sub("", tail[start:end]).strip() or None

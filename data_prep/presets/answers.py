"""Reads the reference answer out of what a dataset keeps it in: a solution, a chat, a list written as a text."""

import json
import re
from typing import Any

from data_prep.presets.chats import read_last_reply
from data_prep.presets.fields import BadRow
from data_prep.presets.gsm8k import HASHES, read_after_hashes
from data_prep.presets.paths import Record
from data_prep.presets.solutions import without_thinking
from reward_fns.extraction import last_boxed

NOT_AVAILABLE = "n/a"  # OpenMathReasoning's text for what it does not have.

_BOX_WITHOUT_BRACES = re.compile(r"\\boxed\s+([^\s\\${}]+)")


def read_last_box(value: Any, record: Record) -> str:
    r"""Return the content of the last box of a solution; a few of MATH have a box without braces.

    Raises BadRow if there is none.

    >>> read_last_box(r"so $x = \boxed{\frac{1}{2}}$.", {}), read_last_box(r"It is $\boxed 2$.", {})
    ('\\frac{1}{2}', '2')
    """
    answer = last_boxed(str(value))
    if answer is not None:
        return answer
    unbraced = _BOX_WITHOUT_BRACES.findall(str(value))
    if not unbraced:
        raise BadRow("no answer", r"has no \boxed{…}")
    return str(unbraced[-1]).rstrip(".,;")


def read_box_of_last_reply(value: Any, record: Record) -> str:
    r"""Return the content of the last box that the last assistant message has behind its thoughts.

    >>> read_box_of_last_reply([{"role": "assistant", "content": r"<think>\boxed{3}?</think> \boxed{2}"}], {})
    '2'
    """
    reply = read_last_reply(value)
    if reply is None:
        raise BadRow("no answer", "has no assistant message")
    return read_last_box(without_thinking(reply), record)


def repair_gold(value: Any, record: Record) -> Any:
    r"""Return a ground truth as the answer alone: a text or a number, or a list of accepted ones.

    A JSON list of texts, written as a text, becomes a list; one of numbers stays, being an interval or a vector. A
    solution in the place of the answer gives what stands in its last box, or behind its `####`.

    >>> repair_gold('["\\\\frac{1}{2}", "0.5"]', {}), repair_gold("#### 72", {}), repair_gold(r"$\boxed{7}$", {})
    (['\\frac{1}{2}', '0.5'], '72', '7')
    """
    if isinstance(value, list | tuple):
        return [repair_gold(alternative, record) for alternative in value]
    if not isinstance(value, str):
        return value
    alternatives = _read_json_list(value)
    if alternatives is not None:
        return [repair_gold(alternative, record) for alternative in alternatives]
    if HASHES in value:
        return read_after_hashes(value, record)
    return last_boxed(value) or value


def read_if_available(value: Any, record: Record) -> Any:
    """Return `value`, or None for the text `n/a`.

    >>> read_if_available("0.5", {}), read_if_available("n/a", {})
    ('0.5', None)
    """
    return None if isinstance(value, str) and value.strip().lower() == NOT_AVAILABLE else value


def _read_json_list(text: str) -> list[str] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):  # An interval such as [0, 1), which is an answer.
        return None
    is_list_of_texts = isinstance(listed, list) and bool(listed) and all(isinstance(item, str) for item in listed)
    return listed if is_list_of_texts else None

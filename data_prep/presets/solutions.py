"""Reads the reference solution: which of several it is, and what of it is written for a reader."""

import re
from typing import Any

from data_prep.presets.chats import read_last_reply
from data_prep.presets.paths import Record

_THOUGHT_MARKS = (("<think>", "</think>"), ("<|begin_of_thought|>", "<|end_of_thought|>"))
_SOLUTION_MARKS = re.compile(r"<\|(?:begin|end)_of_solution\|>")


def without_thinking(text: str) -> str:
    r"""Return what is written behind the thoughts of a model, which correction by replacement would train on otherwise.

    Thoughts whose beginning is not marked, as in DeepMath, end at `</think>` too. Those that do not end leave nothing.
    A text without marks stays as it is.

    >>> without_thinking("<think>\nOne and one?\n</think>\n\nIt is \\boxed{2}.")
    'It is \\boxed{2}.'
    >>> without_thinking("<think>\nOne and")
    ''
    """
    rest = text
    for begin, end in _THOUGHT_MARKS:
        rest = rest.rpartition(end)[2].partition(begin)[0]
    rest = _SOLUTION_MARKS.sub("", rest)
    return text if rest == text else rest.strip()


def read_correct_generation(value: Any, record: Record) -> str | None:
    """Return the first generation of OpenR1 that is complete and that its own lists call correct, or None.

    `correctness_math_verify` counts; where it is missing or all null, `correctness_llama` does.

    >>> record = {"correctness_math_verify": [False, True], "correctness_llama": None}
    >>> read_correct_generation(["It is 3.", "It is 2."], record)
    'It is 2.'
    """
    if not isinstance(value, list | tuple):
        return None
    verdicts = _read_verdicts(record, "correctness_math_verify") or _read_verdicts(record, "correctness_llama")
    is_complete = _read_verdicts(record, "is_reasoning_complete") or [True] * len(value)
    for generation, is_correct, is_whole in zip(value, verdicts, is_complete, strict=False):
        if is_correct and is_whole and isinstance(generation, str):
            return generation
    return None


def read_valid_solution(value: Any, record: Record) -> Any:
    """Return the solution, or None if its dataset says, in `solution_is_valid`, that it is incomplete or wrong.

    >>> read_valid_solution("2", {"solution_is_valid": "Yes"}), read_valid_solution("2", {"solution_is_valid": "No"})
    ('2', None)
    """
    return value if record.get("solution_is_valid") in (None, "Yes") else None


def read_own_solution(value: Any, record: Record) -> Any:
    """Return the solution of OpenMathReasoning, or None for `n/a` and for a judgment of other solutions.

    >>> read_own_solution("Judgment: 3", {"inference_mode": "genselect"}), read_own_solution("n/a", {})
    (None, None)
    """
    return None if record.get("inference_mode") == "genselect" or value == "n/a" else value


def read_reply(value: Any, record: Record) -> str | None:
    """Return the text of the last assistant message, or None if there is none.

    >>> read_reply([{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}], {})
    '2'
    """
    return read_last_reply(value)


def _read_verdicts(record: Record, column: str) -> list[Any]:
    verdicts = record.get(column)
    says_something = isinstance(verdicts, list | tuple) and any(verdict is not None for verdict in verdicts)
    return list(verdicts) if says_something and verdicts is not None else []

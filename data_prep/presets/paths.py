"""Finds values in nested records by a path such as `reward_model.ground_truth` or `messages[-1].content`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

# Names are separated by dots; a position in a list, counted from its end if negative, stands in brackets. More digits
# than nine are no position of any list.
_PATH = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[-?\d{1,9}\])*")
_STEP = re.compile(r"\[(?P<position>-?\d+)\]|(?P<name>[^.\[\]]+)")
_MISSING = object()


def check_path(path: str) -> None:
    """Raise ValueError, naming `path`, unless it is a path.

    >>> check_path("messages[-1].content")
    >>> check_path("messages[last]")
    Traceback (most recent call last):
    ValueError: 'messages[last]' is not a path; expected names and positions such as messages[-1].content
    """
    if not _PATH.fullmatch(path):
        raise ValueError(f"{path!r} is not a path; expected names and positions such as messages[-1].content")


def find_value(record: Record, path: str) -> Any:
    """Return the value at `path`, or None where the record has none.

    A column whose name is `path` itself, dots and brackets included, wins. Raises what `check_path` raises.

    >>> find_value({"messages": [{"content": "1+1?"}, {"content": "2"}]}, "messages[-1].content")
    '2'
    >>> find_value({"extra_info.index": 4, "extra_info": {"index": 5}}, "extra_info.index")
    4
    """
    value = _find(record, path)
    return None if value is _MISSING else value


def has_value_or_null(record: Record, path: str) -> bool:
    """Return True if the record has a place for `path`, even if it is null or an empty list there.

    >>> has_value_or_null({"answer": None}, "answer"), has_value_or_null({"answer": None}, "solution")
    (True, False)
    """
    return _find(record, path) is not _MISSING


def _find(record: Record, path: str) -> Any:
    if path in record:
        return record[path]
    check_path(path)
    value: Any = record
    for step in _read_steps(path):
        value = _take_step(value, step)
        if value is None or value is _MISSING:
            return value
    return value


def _read_steps(path: str) -> Iterator[str | int]:
    for step in _STEP.finditer(path):
        yield step["name"] if step["name"] is not None else int(step["position"])


def _take_step(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, _MISSING) if isinstance(value, Mapping) else _MISSING
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return _MISSING
    return value[step] if -len(value) <= step < len(value) else None

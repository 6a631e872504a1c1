"""Turns what a dataset keeps as its answer into the accepted answers, as texts."""

import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from data_prep.presets.fields import BadRow


def accepted_answers(value: Any, field: str = "answer") -> tuple[str, ...]:
    """Return the accepted answers as texts without outer spaces: the one that `value` is, or those that it lists.

    A list means alternatives, each of which is right, as in the authors' evaluation; a repeated one is left out. Whole
    numbers lose their decimals: 25.0 is `25`. True and False are those words, a date is written as 2024-05-31.

    Raises BadRow (a ValueError), naming `field`, for a missing or empty answer, an empty list, a number that is not
    finite, and a value that is none of these.

    >>> accepted_answers([25.0, " one "]), accepted_answers(True)
    (('25', 'one'), ('True',))
    """
    if isinstance(value, list | tuple):
        if not value:
            raise BadRow("no answer", f"{field} is an empty list")
        return tuple(dict.fromkeys(_answer_text(alternative, field) for alternative in value))
    return (_answer_text(value, field),)


def _answer_text(value: Any, field: str) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadRow("no answer", f"{field} is missing or empty")
    for kind, write in _TEXT_OF_TYPE.items():
        if isinstance(value, kind):
            return write(value, field)
    raise BadRow("no answer", f"{field} must be a text, a number or a list of them, got {type(value).__name__}")


def _write_number(value: Any, field: str) -> str:
    if not math.isfinite(value):
        raise BadRow("no answer", f"{field} must be a finite number, got {value}")
    return str(int(value) if value == int(value) else value)


_TEXT_OF_TYPE: dict[type | tuple[type, ...], Callable[[Any, str], str]] = {
    str: lambda value, field: value.strip(),
    bool: lambda value, field: str(value),
    (int, float, Decimal): _write_number,
    datetime.datetime: lambda value, field: value.isoformat(sep=" "),
    datetime.date: lambda value, field: value.isoformat(),
}
"""{type: how it is written}, in this order: a bool is an int, and a datetime a date."""

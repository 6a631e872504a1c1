"""Reference answers as texts, from the types that datasets keep them in."""

import math
from decimal import Decimal
from typing import Any


def accepted_answers(value: Any, field: str = "answer") -> tuple[str, ...]:
    """Return the accepted answers as texts without outer spaces: the one that `value` is, or those that it lists.

    A list means alternatives, each of which is right, as in the authors' evaluation; a repeated one is left out. Whole
    numbers lose their decimals: 25.0 is `25`.

    Raises ValueError, naming `field`, for a missing or empty answer, an empty list, a number that is not finite, and a
    value that is none of these.
    """
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError(f"{field} is an empty list")
        return tuple(dict.fromkeys(_answer_text(alternative, field) for alternative in value))
    return (_answer_text(value, field),)


def _answer_text(value: Any, field: str) -> str:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"{field} must be a finite number, got {value}")
        return str(int(value) if value == int(value) else value)
    if value is None or value == "" or (isinstance(value, str) and value.isspace()):
        raise ValueError(f"{field} is missing or empty")
    if not isinstance(value, str):
        raise ValueError(f"{field} must be a text, a number or a list of them, got {type(value).__name__}")
    return value.strip()

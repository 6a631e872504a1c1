"""Reads the text of a problem, without instructions, and refuses problems that cannot be put in a text alone."""

import re
from collections.abc import Mapping
from typing import Any

from data_prep.presets.chats import read_question
from data_prep.presets.fields import BadRow
from data_prep.presets.instructions import strip_instructions
from data_prep.presets.paths import Record

IMAGE_COLUMNS = ("image", "images", "decoded_image")
CHOICE_COLUMNS = ("options", "choices")

# `<image>`, `<image_1>` and `<image 1>` stand for a picture; `![](…)` is a picture in Markdown, as NuminaMath-1.5 has.
_IMAGE_MARK = re.compile(r"<image(?:[ _]?\d+)?>|!\[[^\]]*\]\([^)]*\)")


def read_problem(value: Any, record: Record) -> str:
    """Return the text of the problem, which is a text or the one user message of a chat, without known instructions.

    Raises BadRow for what is neither, for a problem with an image, and for one whose choices stand in another column
    and not in its text.

    >>> read_problem([{"role": "user", "content": "1+1? Return your final response within \\\\boxed{}."}], {})
    '1+1?'
    """
    text = read_text(value, record)
    for column in CHOICE_COLUMNS:
        if _is_filled(record.get(column)) and not _stands_in(record[column], text):
            raise BadRow("choices in another column", f"refers to choices that only column {column!r} has")
    return text


def read_valid_problem(value: Any, record: Record) -> str:
    """Return the problem unless its dataset says, in `problem_is_valid`, that it is incomplete or no problem.

    >>> read_valid_problem("1+1?", {"problem_is_valid": "Yes"})
    '1+1?'
    """
    verdict = record.get("problem_is_valid")
    if verdict not in (None, "Yes"):
        raise BadRow("marked invalid", f"is marked problem_is_valid: {verdict}")
    return read_problem(value, record)


def read_text(value: Any, record: Record) -> str:
    """Return what `read_problem` does, but leave the choices to the caller.

    >>> read_text("Which is even?", {"options": ["1", "2"]})
    'Which is even?'
    """
    for column in IMAGE_COLUMNS:
        if _is_filled(record.get(column)):
            raise BadRow("image", f"comes with an image in column {column!r}")
    if not isinstance(value, str | list | tuple):
        raise BadRow("not a text", f"must be a text or a list of messages, got {type(value).__name__}")
    text = strip_instructions(value if isinstance(value, str) else read_question(value))
    mark = _IMAGE_MARK.search(text)
    if mark:
        raise BadRow("image", f"refers to an image: {mark[0][:40]}")
    return text


def _is_filled(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_filled, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_filled, value))
    return value is not None and value != "" and value != b""


def _stands_in(choices: Any, text: str) -> bool:
    listed = choices if isinstance(choices, list | tuple) else [choices]
    return all(isinstance(choice, str) and choice in text for choice in listed)

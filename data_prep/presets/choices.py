"""Reads multiple choice: a question, a list of options, and which of them is right, as in MMLU-Pro."""

import string
from typing import Any

from data_prep.presets.fields import BadRow
from data_prep.presets.paths import Record
from data_prep.presets.prompts import read_text

OPTION_COLUMN = "options"
NO_OPTION = "N/A"  # What fills a list of fewer options than the others have.


def read_problem_with_options(value: Any, record: Record) -> str:
    r"""Return the question and its options, one a line behind its letter.

    An option that is `N/A` is left out; the others keep the letters of the dataset, to which its solutions refer.

    >>> read_problem_with_options("Which is even?", {"options": ["3", "4", "N/A"]})
    'Which is even?\nA. 3\nB. 4'
    """
    return "\n".join([read_text(value, record), *(f"{letter}. {text}" for letter, text in _read_options(record))])


def read_right_option(value: Any, record: Record) -> tuple[str, ...]:
    """Return the letter of the right option, whose position `value` is, and its text: both are accepted.

    A text that is the letter of an option is left out. Raises BadRow for a position that has no option, and for one of
    another letter than column `answer` has.

    >>> read_right_option(1, {"options": ["3", "4", "N/A"], "answer": "B"})
    ('B', '4')
    """
    options = dict(_read_options(record))
    letter = _letter_of(value)
    if letter not in options:
        raise BadRow("no such option", f"{value!r} is the position of none of {len(options)} options")
    if record.get("answer") not in (None, letter):
        raise BadRow("contradiction", f"{value} is the position of {letter}; answer says {record['answer']!r}")
    return (letter,) if options[letter] in options else (letter, options[letter])


def read_option_solution(value: Any, record: Record) -> str | None:
    r"""Return the explanation with the letter of the right option in a box at its end, or None if there is none.

    >>> read_option_solution("A: Let's think step by step. Four is. The answer is (B).", {"answer": "B"})
    "Let's think step by step. Four is. The answer is (B).\nThe final answer is \\boxed{B}"
    """
    explanation = str(value).removeprefix("A: ").strip()
    return f"{explanation}\nThe final answer is \\boxed{{{record.get('answer')}}}" if explanation else None


def _read_options(record: Record) -> list[tuple[str, str]]:
    options = record.get(OPTION_COLUMN)
    if not isinstance(options, list | tuple) or not all(isinstance(option, str) for option in options):
        raise BadRow("no options", f"needs a list of texts in column {OPTION_COLUMN!r}")
    lettered = zip(string.ascii_uppercase, options, strict=False)
    kept = [(letter, option) for letter, option in lettered if option.strip() != NO_OPTION]
    if len(kept) < 2 or len(options) > len(string.ascii_uppercase):
        raise BadRow("no options", f"needs 2 to 26 options, got {len(kept)}")
    return kept


def _letter_of(position: Any) -> str | None:
    if not isinstance(position, int | float) or position not in range(len(string.ascii_uppercase)):
        return None
    return string.ascii_uppercase[int(position)]

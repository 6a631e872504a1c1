r"""Knows the ways in which a response gives its answer, which of them a prompt asks for, and what a wrong answer is.

The check of references (verification.py) and what is looked at before a run starts (recipe/edge_grpo/run/preflight/)
both grade a right answer and a wrong one in these forms.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from string import ascii_uppercase
from typing import Any

from data_prep.problems.golds import bare_answer
from data_prep.quality.answer_kinds import kind_of
from reward_fns.extraction import last_boxed

BOX = r"\boxed"

FORMS = {BOX: r"The answer is \boxed{%s}.", "####": "The answer follows.\n#### %s", "Answer:": "Answer: %s"}
"""{what a prompt that asks for a form of the answer has in it: a response in this form}."""

PLAIN = "%s"

WAYS = {**FORMS, "<answer>": "<answer>%s</answer>", "the bare answer": PLAIN}
"""{name: a response that gives its answer in this way}."""

WRONG_ANSWER = "-98765.4321"
"""Not the answer of any problem, and a number, which every reward can read."""

WRONG_WORD = "something else"
OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true", "even": "odd", "odd": "even"}

_MAX_NUMBER_CHARACTERS = 300  # Python converts at most 4,300 digits to an integer.
_NUMBER_IN_ANSWER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_FRACTION_PARTS = re.compile(
    r"(?P<sign>[-+]?)(?P<whole>\d+(?= |\s*\\))?\s*"
    r"(?:(\d+) ?/ ?(\d+)|\\[dt]?frac ?(?:\{(-?\d+)\}|(\d)) ?(?:\{(-?\d+)\}|(\d)))"
)
_CAPITAL = re.compile(r"(?<![A-Za-z\\])[A-Z](?![A-Za-z])")
_BETWEEN_MEMBERS = re.compile(r",|;|(?<![a-z])(?:and|or)(?![a-z])")
# One more than everything, or than a set, is the same again or means nothing.
_CANNOT_ADD_ONE = re.compile(r"\\(?:infty|emptyset|varnothing|mathbb|text|mbox)|[∞∅]|[a-zA-Z]{3,} ")
_LABEL_OF_ANSWER = re.compile(r"(?i)\b(?:answer|result) ?(?:is\b|:|=) ?(?=\S)")


def forms_asked(texts: Sequence[str]) -> dict[str, int]:
    r"""Count the texts that mention each form of an answer; a text can mention several.

    >>> forms_asked([r"Put the answer within \boxed{}.", "Write it after ####", "1+1?"])
    {'\\boxed': 1, '####': 1}
    """
    counts = {form: sum(form in text for text in texts) for form in FORMS}
    return {form: count for form, count in counts.items() if count}


def final_answer(gold: str) -> str:
    r"""Return what a reader takes for the answer: what follows `####`, the last box, or all, without delimiters.

    So it is found independently of how the reference answer is compared.

    >>> final_answer("48/2 = 24\n#### 72"), final_answer(r"It is $\boxed{5}$."), final_answer(r"$\text{(C)}$.")
    ('72', '5', '(C)')
    """
    text = gold.rpartition("####")[2]
    text = last_boxed(text) or text
    return bare_answer(_LABEL_OF_ANSWER.split(text)[-1])


def alter(gold: str) -> str:
    r"""Return an answer that is surely wrong, of the same kind as `gold` if its kind has others.

    A number becomes larger by one; in a list the last member is altered, in an expression the first number.

    >>> [alter(gold) for gold in ("72", "-0.5", r"$\frac{1}{2}$", "(3, 2)", r"2\sqrt{5}", "(C)", r"\text{even}", "n")]
    ['73', '0.5', '\\frac{3}{2}', '(3, 4)', '6\\sqrt{5}', '(D)', 'odd', 'n+1']
    """
    answer = final_answer(gold)
    return _ALTERATIONS[kind_of(answer)](answer)


def wrong_answer(golds: Sequence[Any]) -> str:
    """Return an answer that is wrong for a problem with these accepted answers.

    What is wrong for one of several, such as 2 for 1, may be another of them.

    >>> wrong_answer(["72"]), wrong_answer(["1", "2"])
    ('73', '-98765.4321')
    """
    return alter(str(golds[0])) if len(golds) == 1 else WRONG_ANSWER


def _add_one(answer: str) -> str:
    digits = re.sub(r"[^\d.-]", "", answer.replace(r"\!", ""))
    return WRONG_ANSWER if len(digits) > _MAX_NUMBER_CHARACTERS else format(Decimal(digits) + 1, "f")


def _add_one_to_fraction(answer: str) -> str:
    parts = _FRACTION_PARTS.fullmatch(answer)
    if parts is None or len(answer) > _MAX_NUMBER_CHARACTERS:
        return WRONG_ANSWER
    top, bottom = (int(part) for part in parts.groups()[2:] if part is not None)
    top += int(parts["whole"] or 0) * bottom
    return rf"\frac{{{(-top if parts['sign'] == '-' else top) + (bottom or 1)}}}{{{bottom}}}"


def _alter_last_member(answer: str) -> str:
    starts = [0, *(separator.end() for separator in _BETWEEN_MEMBERS.finditer(answer))]
    for start, end in zip(reversed(starts), [len(answer), *reversed(starts)], strict=False):
        if (altered := _enlarge_first_number(answer, start, end)) is not None:
            return altered
    return _next_letter(answer) or WRONG_ANSWER


def _alter_word(answer: str) -> str:
    return _next_letter(answer) or OPPOSITES.get(answer.casefold(), WRONG_WORD)


def _alter_expression(answer: str) -> str:
    altered = _enlarge_first_number(answer, 0, len(answer))
    if altered is None and not _CANNOT_ADD_ONE.search(answer):
        return f"{answer}+1"
    return altered or WRONG_ANSWER


def _enlarge_first_number(answer: str, start: int, end: int) -> str | None:
    """Make the first number between two positions larger than all others; if possible one behind an equals sign."""
    behind_equals = answer.rfind("=", start, end) + 1
    number = _NUMBER_IN_ANSWER.search(answer, max(start, behind_equals), end) or _NUMBER_IN_ANSWER.search(
        answer, start, end
    )
    if number is None or len(answer) > _MAX_NUMBER_CHARACTERS:
        return None
    largest = max(int(Decimal(found)) for found in _NUMBER_IN_ANSWER.findall(answer))
    return f"{answer[: number.start()]}{largest + 1}{answer[number.end() :]}"


def _next_letter(answer: str) -> str | None:
    """Replace the last single capital, as the letter of a choice is, by a later one; None without one."""
    letters = list(_CAPITAL.finditer(answer))
    if not letters:
        return None
    last = letters[-1]
    unused = set(ascii_uppercase) - {letter[0] for letter in letters}
    following = min(unused, key=lambda letter: (letter < last[0], letter), default=None)
    return following and f"{answer[: last.start()]}{following}{answer[last.end() :]}"


_ALTERATIONS: dict[str, Callable[[str], str]] = {
    "integer": _add_one,
    "decimal": _add_one,
    "fraction": _add_one_to_fraction,
    "list": _alter_last_member,
    "text": _alter_word,
    "expression": _alter_expression,
}
"""{kind of an answer: how it is made wrong}."""

r"""Sorts reference answers into kinds, which tell how much of a dataset plain arithmetic can check."""

import re

from data_prep.problems.golds import bare_answer

# Between groups of three digits, as in 11,\! 111; an ordinary space after a comma tells a list from a number.
_SEPARATOR_SPACING = re.compile(r"\\[!,]\s*")
_WHOLE = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_OPTIONAL_DOLLAR = r"(?:\\?\$)?"
_PATTERNS = {
    "integer": re.compile(rf"[-+]?{_OPTIONAL_DOLLAR}{_WHOLE}"),
    "decimal": re.compile(rf"[-+]?{_OPTIONAL_DOLLAR}{_WHOLE}?\.\d+"),
    "fraction": re.compile(r"[-+]?(?:\d+ )?(?:\d+ ?/ ?\d+|\d*\s*\\[dt]?frac ?(?:\{-?\d+\}|\d) ?(?:\{-?\d+\}|\d))"),
    "list": re.compile(r"(?s).*(?:,|;|\\(?:text|mbox)\{\s*(?:and|or)\s*\}).*"),
    "text": re.compile(r"\(?[A-Z]\)?|\(?[A-Za-z][A-Za-z' ]+\)?"),
}

KINDS = (*_PATTERNS, "expression")


def kind_of(answer: str) -> str:
    r"""Return the kind of an answer, one of `KINDS`.

    Math delimiters, a box, a text command and spaces around do not count. A list is anything with commas between its
    parts, a point such as `(3, 2)` too. Text is a word, a sentence or the letter of a choice. All else, such as
    `2\sqrt{3}`, `60^\circ` or `x = 5`, is an expression.

    >>> kind_of(r"$1,\!234$"), kind_of(r"\boxed{\frac{1}{2}}"), kind_of("(3, 2)"), kind_of("x = 5")
    ('integer', 'fraction', 'list', 'expression')
    """
    answer = _SEPARATOR_SPACING.sub("", bare_answer(answer))
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(answer)), "expression")

r"""Are two short answers the same? Decided by their text and by exact arithmetic, as far as that goes.

Most reference answers are integers, fractions or decimals, or are repeated verbatim. Those cases are settled here, in
microseconds and without a computer algebra system; the rest is left open (`None`) for `verifier_process`.

Conventions, where graders differ:
1. `1,234`, `1\,234` and `1{,}234` are one number; `1, 234` with a space is a list of two.
2. `1\frac{4}{5}` and `1 4/5` are mixed numbers.
3. A degree sign or word, a leading dollar sign and a trailing unit in `\text{}` do not matter.
4. `28\%` equals `28 percent`, `28` and `0.28`: whether the percent sign belongs to the answer or to the question
   is not visible here.
5. Numbers are compared exactly, without rounding: `0.333` is not `1/3`.
"""

import re
from fractions import Fraction

# What a candidate may be at most; the reference answers of the usual benchmarks stay far below.
MAX_CHARACTERS = 512
MAX_NESTING = 32
MAX_DIGIT_RUN = 256

# Not after a backslash: `\\ ` is a line break of a matrix and a space.
_SPACING = re.compile(r"(?<!\\)(?:\\[!,;:>]\s*|\\ )|~")
_SIZES = re.compile(r"\\(?:displaystyle|left|right|[bB]ig[lr]?)(?![a-zA-Z])")
_FRACTION_STYLE = re.compile(r"\\[dtc]frac(?![a-zA-Z])")
_PERCENT = re.compile(r"\s*(?:\\?%|(?<![a-zA-Z\\])(?:percentage|percent|pct)(?![a-zA-Z]))")
_DEGREES = re.compile(r"\^\{\\circ\}|\^\\circ(?![a-zA-Z])|°|(?<=\d)\s*degrees?$")
_CALLED_ROOT = re.compile(r"(?<![\\a-zA-Z])sqrt\(([^()]*)\)")
_TEXT_GROUP = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox)\{([^{}]*)\}")
_TRAILING_UNIT = re.compile(r"(?<=[\d}])\s*\\(?:text|textrm|mathrm|mbox)\{[^{}]*\}(?:\^\{?\d\}?)?$")

# ASCII digits only: int() would read the digits of any script.
_DECIMAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_RATIO = re.compile(r"(-?)(?:([0-9]+) *(?=\\frac| [0-9]))? *(?:\\frac\{([0-9]+)\}\{([0-9]+)\}|([0-9]+) */ *([0-9]+))")


def exceeds_limits(candidate: str) -> bool:
    """Whether `candidate` is too long, too deeply nested or has too long a number to be worth comparing."""
    if len(candidate) > MAX_CHARACTERS:
        return True
    depth = deepest = 0
    for character in candidate:
        depth += (character in "{([") - (character in "})]")
        deepest = max(deepest, depth)
    return deepest > MAX_NESTING or re.search(rf"[0-9]{{{MAX_DIGIT_RUN + 1}}}", candidate) is not None


def compare_quickly(candidate: str, gold: str) -> bool | None:
    """Return whether `candidate` equals `gold`, or None if text and exact arithmetic do not settle it.

    True for equal text after `clean` and for equal numbers, False for two different numbers, None for all else.
    Nothing equals an empty `gold`.
    """
    candidate, gold = clean(candidate), clean(gold)
    if not candidate or not gold:
        return False
    if _bare_text(candidate) == _bare_text(gold):
        return True
    candidate_value, gold_value = exact_value(candidate), exact_value(gold)
    if candidate_value is None or gold_value is None:
        return None
    if candidate.endswith("%") == gold.endswith("%"):
        return candidate_value == gold_value
    percent, plain = (candidate_value, gold_value) if candidate.endswith("%") else (gold_value, candidate_value)
    return plain in (percent, percent / 100)


def clean(answer: str) -> str:
    r"""Remove what carries no meaning: math delimiters, a final full stop, spacing, `\left`, fraction styles, degrees.

    Percent words become `%`. Ordinary spaces stay, because they tell a list from a number with separators.
    """
    answer = _without_delimiters(answer.replace("−", "-").strip())  # noqa: RUF001 - the typographic minus sign
    answer = _SIZES.sub("", _SPACING.sub("", answer.replace("{,}", ",")))
    answer = _FRACTION_STYLE.sub(r"\\frac", answer)
    answer = _PERCENT.sub("%", _DEGREES.sub("", answer))
    return _CALLED_ROOT.sub(r"\\sqrt{\1}", answer).strip()


def exact_value(answer: str) -> Fraction | None:
    r"""Return the number that the cleaned `answer` writes out, or None if it is anything else.

    Reads integers, decimals, thousands separators, `a/b`, `\frac{a}{b}` and mixed numbers, with or without a dollar
    sign before and a percent sign or a unit behind (28 for `28%`). A zero denominator is not a number.
    """
    number = _TRAILING_UNIT.sub("", answer.removesuffix("%")).removeprefix("\\").removeprefix("$").strip()
    if _DECIMAL.fullmatch(number):
        return Fraction(number)
    if _GROUPED.fullmatch(number):
        return Fraction(number.replace(",", ""))
    ratio = _RATIO.fullmatch(number) or _RATIO.fullmatch(answer.removesuffix("%"))
    if ratio is None:
        return None
    sign, whole, numerator, denominator = ratio[1], ratio[2], int(ratio[3] or ratio[5]), int(ratio[4] or ratio[6])
    if denominator == 0:
        return None
    value = int(whole or 0) + Fraction(numerator, denominator)
    return -value if sign else value


def _without_delimiters(answer: str) -> str:
    for opening, closing in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if answer.startswith(opening) and answer.endswith(closing) and len(answer) >= len(opening) + len(closing):
            answer = answer[len(opening) : -len(closing)].strip()
    return answer.rstrip(".").strip()


def _bare_text(answer: str) -> str:
    return re.sub(r"\s+", "", _TEXT_GROUP.sub(r"\1", answer))

r"""Answers are refused that would have a computer algebra system compute without a useful bound.

A deadline ends every comparison, but a comparison that is known to end that way is better not begun. What is refused
here is no way to write a final answer; written out verbatim, it equals the reference all the same, by its text.
Everything here is a linear scan.
"""

import re

from reward_fns.limits import measure_nesting

MAX_EXPONENT = 1_000
MAX_EXPONENT_IN_EXPONENT = 9  # e^{x^9}
MAX_EXPANDED_EXPONENT = 40  # of a sum: (x + y)^40
MAX_MATRIX_EXPONENT = 5
MAX_SUM_TERMS = 50
MAX_VERIFIER_FACTORIAL = 1_000
MAX_BINOMIAL = 100
MAX_NUMBER_BESIDE_FACTORIAL = 20  # (2n + 1)!, and not (9^9)!
MAX_VERIFIER_NESTING = 8
MAX_BARS = 10
MAX_SYMBOLIC_ENTRIES = 9  # of a matrix or determinant with letters
MAX_UNIONS = 4

_UNFINISHED = re.compile(r"\\(?:i*int|oint|lim|limsup|liminf)(?![a-zA-Z])")
_SUM = re.compile(r"\\(?:sum|prod)(?![a-zA-Z])")
_SUM_BOUNDS = re.compile(r"\\(?:sum|prod)\s*(?:_(?:\{[^{}]*\}|\S))?\s*\^\s*(?:\{[^{}]*\}|\S)")
_POWER_SIGN = re.compile(r"\^|\*\*")
_POWER_OF_NUMBER = re.compile(r"\d\s*[})]*\s*(?:\^|\*\*)")
_PLAIN_EXPONENT = re.compile(r"[+-]?\d*!*(?:(?:\^|\*\*)[+-]?\d+)*")
_FACTORIAL_OF_MORE = re.compile(r"[)!}|]\s*!")
_FACTORIAL = re.compile(r"(\d+)\s*!")
_BINOMIAL = re.compile(r"\\[dt]?binom|\\choose")
_DIGITS = re.compile(r"\d+")
_MATRIX_POWER = re.compile(r"\\end\{[a-z]*\}\s*[)\]]?\s*\^\s*\{?\s*(\d+)")
_VARIABLE_ENTRY = re.compile(r"(?<![\\a-zA-Z{])[a-zA-Z](?![a-zA-Z]*\})")


def is_too_costly(answer: str) -> bool:
    r"""Return True if `answer` would have a computer algebra system compute without a useful bound.

    True for an integral or a limit left standing, a long or endless sum or product, large powers of numbers, of sums
    and of matrices, towers of powers, large factorials and binomial coefficients, large determinants with letters, long
    unions and deep nesting. Example: `is_too_costly("x^{1000}") is True`
    """
    return (
        _UNFINISHED.search(answer) is not None
        or measure_nesting(answer) > MAX_VERIFIER_NESTING
        or answer.count("|") > MAX_BARS
        or answer.count(r"\cup") >= MAX_UNIONS
        or _has_costly_sum(answer)
        or _has_costly_factorial(answer)
        or _has_costly_matrix(answer)
        or any(_is_costly_power(base, exponent) for base, exponent in _find_powers(_SUM_BOUNDS.sub("", answer)))
    )


def _has_costly_sum(answer: str) -> bool:
    return _SUM.search(answer) is not None and (r"\infty" in answer or _find_largest_number(answer) > MAX_SUM_TERMS)


def _has_costly_factorial(answer: str) -> bool:
    if _BINOMIAL.search(answer) and ("^" in answer or _find_largest_number(answer) > MAX_BINOMIAL):
        return True
    if _FACTORIAL_OF_MORE.search(answer) and _find_largest_number(answer) > MAX_NUMBER_BESIDE_FACTORIAL:
        return True
    return any(int(number) > MAX_VERIFIER_FACTORIAL for number in _FACTORIAL.findall(answer))


def _has_costly_matrix(answer: str) -> bool:
    if any(int(exponent) > MAX_MATRIX_EXPONENT for exponent in _MATRIX_POWER.findall(answer)):
        return True
    has_many_entries = answer.count("&") + answer.count(r"\\") >= MAX_SYMBOLIC_ENTRIES
    return has_many_entries and r"\begin" in answer and _VARIABLE_ENTRY.search(answer) is not None


def _is_costly_power(base: str, exponent: str) -> bool:
    """Return True if a power has a large exponent, or a sum a middling one; `base` is the character before the sign."""
    largest = _find_largest_number(exponent)
    if "!" in exponent or _BINOMIAL.search(exponent) or _POWER_OF_NUMBER.search(exponent):
        return largest > 1
    if _POWER_SIGN.search(exponent):
        return largest > MAX_EXPONENT_IN_EXPONENT
    return largest >= (MAX_EXPANDED_EXPONENT if base in (")", "}", "|") else MAX_EXPONENT)


def _find_powers(answer: str) -> list[tuple[str, str]]:
    """Return the character before each sign of a power, and its exponent: a group, or the word that follows."""
    powers = []
    for sign in _POWER_SIGN.finditer(answer):
        rest = answer[sign.end() :].lstrip()
        exponent = rest[: _find_end_of_group(rest)] if rest[:1] in ("{", "(") else _PLAIN_EXPONENT.match(rest)[0]  # type: ignore[index]
        powers.append((answer[: sign.start()].rstrip()[-1:], exponent))
    return powers


def _find_end_of_group(text: str) -> int:
    """Return where the group ends that `text` begins with."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "{(") - (character in "})")
        if depth == 0:
            return position + 1
    return len(text)


def _find_largest_number(text: str) -> int:
    return max(map(int, _DIGITS.findall(text)), default=0)

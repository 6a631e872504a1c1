r"""The text of an answer loses what carries no meaning, and spellings of one thing become one.

`clean` is for both sides of a comparison; `make_comparable` is for what `clean` returns, where texts are compared.
"""

import functools
import re

from reward_fns.equivalence.signs import translate_signs
from reward_fns.equivalence.spellings import TEXT_COMMANDS, respell
from reward_fns.limits import count_open_brackets

_FRACTION_PART = r" ?(?:\{ ?([^{}\s]*) ?\}|([0-9a-zA-Z]))"
_PLAIN_FRACTION = re.compile(rf"\\frac{_FRACTION_PART}{_FRACTION_PART}")
_FINAL_DEGREES = re.compile(r"(?: ?\^ ?(?:\{ ?\\circ ?\}|\\circ)|°|(?<=\d) ?(?:\\text\{ ?)?degrees? ?\}?)$")
_TRIGONOMETRIC = re.compile(r"sin|cos|tan|cot|sec(?!ond)|csc|cis")
TEXT_GROUP = rf"\\(?:{TEXT_COMMANDS}|mathrm)\{{([^{{}}]*)\}}"
_TEXT_GROUP = re.compile(TEXT_GROUP)
_BRACES_OF_ONE = re.compile(r"([_^])\{([0-9a-zA-Z])\}")
_SPACES = re.compile(r"(?<![0-9])\s+|\s+(?![0-9])")
_FINAL_PUNCTUATION = re.compile(r"(?:\s|(?<!\\)[,;:]|(?<!\.)\.(?!\.)|\\\\)+$")
_SET_SIGN = re.compile(r"[,;:|]|\\mid")
_FINAL_SPACE = re.compile(r"(?:(?<!\\)\\ )*(?<!\\)\\$")  # of a space command whose space was stripped
_INNER_DELIMITER = re.compile(r"(?<!\\)\\[()\[\]]")
_DOLLAR_SIGN = re.compile(r"(?<!\\)\$")


@functools.lru_cache(
    maxsize=4096
)  # A reference answer is compared with every response to its prompt, and is asked for twice.
def clean(answer: str) -> str:
    r"""Return `answer` without delimiters of mathematics, spacing commands, sizes, final punctuation and final degrees.

    Typographic signs become LaTeX or ASCII, styles of fractions `\frac`, percent words `%`. Ordinary spaces stay,
    because they tell a list from a number with separators; several become one.
    Example: `clean(r"$\dfrac12$.") == r"\frac{1}{2}"`
    """
    answer = re.sub(r"\s+", " ", translate_signs(answer)).strip()
    answer = _remove_delimiters(_FINAL_SPACE.sub("", answer))
    answer = respell(answer)
    answer = _PLAIN_FRACTION.sub(_spell_fraction, re.sub(r" {2,}", " ", answer)).strip()
    while _is_one_group(answer):
        answer = answer[1:-1].strip()
    # The degrees of `\sin 90^\circ` are those of an angle.
    return answer.strip() if _TRIGONOMETRIC.search(answer) else _FINAL_DEGREES.sub("", answer).strip()


def remove_text_commands(answer: str) -> str:
    r"""Return a cleaned answer with its words bare. Example: `remove_text_commands(r"5\text{ cm}") == "5 cm"`"""
    return _TEXT_GROUP.sub(r"\1", answer)


def make_comparable(answer: str) -> str:
    r"""Return a cleaned answer without text commands, and without spaces but those between two digits.

    Example: `make_comparable(r"\text{x} + y_{1}") == "x+y_1"`
    """
    bare = _SPACES.sub("", remove_text_commands(answer)).replace("{}", "")
    return _BRACES_OF_ONE.sub(r"\1\2", bare)


def _spell_fraction(fraction: re.Match[str]) -> str:
    r"""Return `\frac{1}{2}` for `\frac12`, `\frac 1{2}` and `\frac {1}{ 2 }`."""
    return f"\\frac{{{fraction[1] or fraction[2]}}}{{{fraction[3] or fraction[4]}}}"


def _is_one_group(answer: str) -> bool:
    """Return True for `{42}`, and not for `{1,2}` or `{x | x > 1}`, which are meant as sets."""
    if not answer.startswith("{") or not answer.endswith("}") or answer.endswith("\\}"):
        return False
    depths = count_open_brackets(answer[1:-1])
    return min(depths) == 0 == depths[-1] and _SET_SIGN.search(answer) is None


def _remove_delimiters(answer: str) -> str:
    answer = _FINAL_PUNCTUATION.sub("", answer)
    for opening, closing in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if answer.startswith(opening) and answer.endswith(closing) and len(answer) >= len(opening) + len(closing):
            answer = answer[len(opening) : -len(closing)].strip()
    answer = _INNER_DELIMITER.sub(" ", answer)
    # `12 $ and $ 13`, `odd $n$`: an even number of signs delimits, a single one is money.
    if len(_DOLLAR_SIGN.findall(answer)) % 2 == 0:
        answer = _DOLLAR_SIGN.sub(" ", answer)
    return _FINAL_PUNCTUATION.sub("", answer.strip())

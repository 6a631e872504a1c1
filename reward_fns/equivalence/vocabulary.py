r"""Phrases, times of day and sets of choices have one meaning in several spellings.

A new phrase: its row in `_PHRASES`, with the LaTeX or the phrase that it stands for.
"""

import re
from math import gcd

from reward_fns.equivalence.text import remove_text_commands
from reward_fns.equivalence.written_numbers import read_number_words

# Of whole answers, in lower case.
_PHRASES = {
    **dict.fromkeys(("dne", "d.n.e", "doesn't exist", "the limit does not exist", "limit dne"), "does not exist"),
    **dict.fromkeys(("empty set", "the empty set", "null set", r"\{\}", r"\{ \}", "none"), r"\emptyset"),
    **{word: word for word in ("yes", "no", "true", "false")},
    "divergent": "diverges",
    "convergent": "converges",
    "not possible": "impossible",
    "12 noon": "12:00 pm",
    "noon": "12:00 pm",
    "midnight": "12:00 am",
    "the set of all integers": r"\mathbb{Z}",
    **dict.fromkeys(("all integers", "any integer"), r"\mathbb{Z}"),
    **dict.fromkeys(
        (
            "all positive integers",
            "positive integers",
            "all natural numbers",
            "natural numbers",
            "any positive integer",
        ),
        r"\mathbb{N}",
    ),
}
_NO_SOLUTION = re.compile(
    r"(?:there (?:is|are|exists?) |(?:the|this) (?:\w+ )?has |it has )?no (?:such )?"
    r"(?:(?:real|integer|positive|rational|possible|valid|such) )*"
    r"(?:solutions?|roots?|values?|numbers?|integers?|[a-z])"
    r"(?: (?:exists?|satisf(?:y|ies) .*|in .*|for [a-z]))?"
)
_IN_OTHER_WORDS = re.compile(r"([0-9]+) ?\(([a-z]+)\)", re.IGNORECASE)

_LEAD_IN = re.compile(
    r"^(?:(?:(?:therefore|so|thus|hence|then),? )?(?:(?:the )?(?:final |correct )?"
    r"(?:ans(?:wer)?|minimum|maximum|value|result|solution|sum)(?: value)?(?: is|=|:| equals)+:? *(?=[^ ])"
    r"|(?:therefore|so|thus|hence),? )"
    r"|(?:(?:the )?(?:answer|option|choice):? +)(?=\(?[A-J]\)?$)"
    r"|(?:approximately|about|around|roughly|exactly) (?=[-0-9\\])"
    r"|(?:both|either) (?=[^ ].*(?:and|or))|(?-i:an?) (?=[a-z]{3})|the (?=[a-z]+$)|\\forall )",
    re.IGNORECASE,
)
# What says no more of an answer than is usual: that a constant is one, that a function is of all numbers.
_FINAL_REMARK = re.compile(
    r"[,;]? *\(?(?:only|\((?:double|repeated) root\)|real solutions?"
    r"|(?:for|with) (?:all|any|every) (?:real )?(?:numbers? )?[a-z](?: ?\\in ?\\mathbb\{R\})?"
    r"|[a-z] ?\\in ?\\mathbb\{R\}"
    r"|(?:for|with|where) (?:some |any |an? |every )?(?:arbitrary |real )*constants?(?: [a-zA-Z])?"
    r"|(?:where|with) [a-zA-Z] is (?:an? |any |some )?(?:arbitrary|real|constant|number|[ ])+)\)?$"
)
_INTEGER_WORDS = r"(?:an? |any |some |all |every )?(?:arbitrary )?(?:integers?|whole numbers?)"
_QUALIFIER = re.compile(
    r"(?<=[^,;\s(])(?:[,;]\s*\(?|\s*\(|\s+(?=[a-z ]*[kmnlt] |where|for|with))\s*(?:where|for|with|and)? ?"
    rf"(?:(?:any |all |every |some )?(?:integers? )?([kmnlt](?: ?, ?[kmnlt])?) ?\\in ?(\\mathbb\{{[ZN]\}}|Z)"
    rf"|([kmnlt]) (?:is|are|being|=)? ?{_INTEGER_WORDS}|{_INTEGER_WORDS} ([kmnlt])) ?\)?$"
)
_RELATION_IN_LETTER = (
    r"(?<![\\a-zA-Z])%s *(?:[<>]|\\[lg]eq?(?![a-z])|\\ne)|(?:[<>]|\\[lg]eq?(?![a-z])|\\ne) *%s(?![a-zA-Z])"
)
_TIME_OF_DAY = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?\s*(?:([ap])\.? ?m\.?)?", re.IGNORECASE)
_RATIO_OF_TWO = re.compile(r"([0-9]{1,2}):([0-9]{2})")

_STATEMENT_LABEL = r"\(([A-J1-9])\)"
_LABELS = re.compile(rf"{_STATEMENT_LABEL}(?:(?:[,; ]|and)*{_STATEMENT_LABEL})+")
_CHOICE_LETTERS = re.compile(r"[A-J](?:(?:[,; ]|and)+[A-J])+|[A-J]{2,6}")
_ROMAN = r"(?:I{1,3}|IV|VI{0,3})"
_ROMAN_LIST = re.compile(rf"{_ROMAN}(?:(?:[,; ]|and)+{_ROMAN})+(?: only)?")


def translate_phrases(answer: str) -> str:
    r"""Return a cleaned answer with its phrases in one spelling, without a lead-in and a remark that says nothing more.

    Example: `translate_phrases("No solutions") == r"\emptyset"`
    """
    bare = re.sub(r"\s+", " ", remove_text_commands(answer)).strip()
    if _NO_SOLUTION.fullmatch(bare.lower().strip(" .")):
        return r"\emptyset"
    for pattern in (_LEAD_IN, _FINAL_REMARK):
        if rest := pattern.sub("", bare).strip():
            answer, bare = (answer, bare) if rest == bare else (rest, rest)
    if (double := _IN_OTHER_WORDS.fullmatch(bare)) and read_number_words(double[2]) == int(double[1]):
        return double[1]
    return _PHRASES.get(bare.lower().strip(" ."), answer)


def split_qualifier(answer: str) -> tuple[str, str]:
    r"""Split `k \in \mathbb{Z}` off the end of an answer. `split_qualifier(r"2k, k \in \mathbb{Z}")[0] == "2k"`"""
    bare = re.sub(r"\s+", " ", remove_text_commands(answer)).strip()
    qualifier = _QUALIFIER.search(bare)
    if qualifier is None:
        return answer, ""
    letter = qualifier[1] or qualifier[3] or qualifier[4]
    rest = bare[: qualifier.start()].strip()
    if re.search(_RELATION_IN_LETTER % (letter[0], letter[0]), rest):
        return answer, ""  # n > 5 of whole numbers is not n > 5.
    return rest, r"\mathbb{N}" if qualifier[2] == r"\mathbb{N}" else r"\mathbb{Z}"


def compare_phrases(candidate: str, gold: str) -> bool | None:
    """Compare two times or two sets of choices; None where the answers are not both one of them.

    Example: `compare_phrases("A, C", "AC") is True`
    """
    verdict = _compare_times(candidate, gold)
    return _compare_choices(candidate, gold) if verdict is None else verdict


def is_time_of_day(answer: str) -> bool:
    """Return True for a time: a ratio would be in lowest terms. Example: `is_time_of_day("10:30") is True`"""
    ratio = _RATIO_OF_TWO.fullmatch(answer)
    return ratio is not None and (ratio[2].startswith("0") or gcd(int(ratio[1]), int(ratio[2])) > 1)


def _compare_times(candidate: str, gold: str) -> bool | None:
    times = [_TIME_OF_DAY.fullmatch(remove_text_commands(answer).strip()) for answer in (candidate, gold)]
    if not all(time and (time[2] or time[3]) for time in times):
        return None
    (hour, minute, half), (gold_hour, gold_minute, gold_half) = (time.groups() for time in times)  # type: ignore[union-attr]
    if half and gold_half and half.lower() != gold_half.lower():
        return False
    hours = [int(hour), int(gold_hour)]
    if bool(half) != bool(gold_half) and max(hours) > 12:  # 17:00 and 5 pm
        afternoon = (half or gold_half).lower() == "p"
        hours = [
            hour + 12 * (bool(mark) and afternoon and hour < 12)
            for hour, mark in zip(hours, (half, gold_half), strict=True)
        ]
    return (hours[0], int(minute or 0)) == (hours[1], int(gold_minute or 0))


def _compare_choices(candidate: str, gold: str) -> bool | None:
    choices = [_read_choices(answer) for answer in (candidate, gold)]
    return None if None in choices else choices[0] == choices[1]


def _read_choices(answer: str) -> frozenset[str] | None:
    bare = remove_text_commands(answer).strip()
    if bare.startswith(r"\{") and bare.endswith(r"\}"):
        bare = bare[2:-2].strip()
    if _LABELS.fullmatch(bare):
        return frozenset(re.findall(_STATEMENT_LABEL, bare))
    if _ROMAN_LIST.fullmatch(bare):
        return frozenset(re.findall(_ROMAN, bare))
    letters = re.findall("[A-J]", bare)
    if _CHOICE_LETTERS.fullmatch(bare) and (bare.isalpha() is False or sorted(set(letters)) == letters):
        return frozenset(letters)
    return None

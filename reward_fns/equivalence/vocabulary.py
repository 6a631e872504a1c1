r"""Phrases, times of day, sets of choices and congruences have one meaning in several spellings.

A new phrase: its row in `_PHRASES`, with the LaTeX or the phrase that it stands for.
"""

import math
import re

from reward_fns.equivalence.text import TEXT_COMMANDS, remove_text_commands

# Of whole answers, in lower case.
_PHRASES = {
    **dict.fromkeys(("dne", "d.n.e", "does not exist", "doesn't exist", "the limit does not exist"), "does not exist"),
    **dict.fromkeys(
        ("no solution", "no solutions", "no real solution", "no real solutions", "there is no solution")
        + ("there are no solutions", "empty set", "the empty set", "null set", r"\{\}", r"\{ \}", r"\emptyset"),
        r"\emptyset",
    ),
    **dict.fromkeys(("all real numbers", "all reals", "the set of all real numbers", "any real number"), r"\mathbb{R}"),
}
_NUMBER_NAMES = re.split(
    " ",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty",
)
_PHRASES |= {word: str(number) for number, word in enumerate(_NUMBER_NAMES)}
_IN_OTHER_WORDS = re.compile(rf"([0-9]+) ?\(({'|'.join(_NUMBER_NAMES)})\)", re.IGNORECASE)

_LEAD_IN = re.compile(
    r"(?:therefore,? |so,? |thus,? )?(?:the )?(?:final |correct )?(?:answer|minimum|maximum|value|result|solution|sum)"
    r"(?: value)? (?:is|=|equals):? *(?=[^ ])|(?:answer|option|choice):? +(?=\(?[A-J]\)?$)",
    re.IGNORECASE,
)
_QUALIFIER = re.compile(
    r"(?<=[^,;\s(])(?:[,;]\s*\(?|\s*\(|\s+(?=\\text|\\mbox|where|for|with))\s*"
    rf"(?:\\(?:{TEXT_COMMANDS})\{{,? ?(?:where|for|with|and)? ?(?:any |all )?(?:integers?)? ?\}}|where|for|with)?\s*"
    r"([kmnlt](?: ?, ?[kmnlt])?) ?\\in ?(\\mathbb\{[ZN]\}(?:\^\+)?|Z) ?\)?$"
)
_TIME_OF_DAY = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?\s*(?:([ap])\.? ?m\.?)?", re.IGNORECASE)

_STATEMENT_LABEL = r"(?:\(([A-J1-9])\)|\\textcircled\{([0-9A-J]+)\})"
_LABELS = re.compile(rf"{_STATEMENT_LABEL}(?:(?:[,; ]|and)*{_STATEMENT_LABEL})+|\\textcircled\{{[0-9]+\}}")
_CHOICE_LETTERS = re.compile(r"[A-J](?:(?:[,; ]|and)+[A-J])+|[A-J]{2,6}")

_MODULUS = r"(?:\\[pb]?mod(?![a-zA-Z])|mod(?:ulo)?) ?\{? ?([1-9][0-9]{0,8}) ?\}?"
_CONGRUENCE = re.compile(rf"(.*?)\\equiv ?([-0-9,;\s]|and|or|\\pm)*?(?:\( ?{_MODULUS} ?\)|{_MODULUS})")
_RESIDUES = re.compile(r"(\\pm|-)? ?([0-9]{1,9})")
_MAX_CLASSES = 1000


def translate_phrases(answer: str) -> str:
    r"""Return a cleaned answer with its phrases in one spelling, without a lead-in and `k \in \mathbb{Z}` at the end.

    Example: `translate_phrases("No solutions") == r"\emptyset"`
    """
    bare = remove_text_commands(answer).strip()
    if lead_in := _LEAD_IN.match(bare):
        answer = bare = bare[lead_in.end() :].strip()
    if (double := _IN_OTHER_WORDS.fullmatch(bare)) and _PHRASES[double[2].lower()] == double[1]:
        return double[1]
    return _PHRASES.get(bare.lower().strip(" ."), answer)


def split_qualifier(answer: str) -> tuple[str, str]:
    r"""Split `k \in \mathbb{Z}` off the end of an answer. `split_qualifier(r"2k, k \in \mathbb{Z}")[0] == "2k"`"""
    qualifier = _QUALIFIER.search(answer)
    return (answer[: qualifier.start()].strip(), qualifier[2]) if qualifier else (answer, "")


def compare_phrases(candidate: str, gold: str) -> bool | None:
    """Compare two times, two sets of choices or two congruences; None where the answers are not both one of them.

    Example: `compare_phrases("A, C", "AC") is True`
    """
    for compare in (_compare_times, _compare_choices, _compare_congruences):
        verdict = compare(candidate, gold)
        if verdict is not None:
            return verdict
    return None


def _compare_times(candidate: str, gold: str) -> bool | None:
    times = [_TIME_OF_DAY.fullmatch(remove_text_commands(answer).strip()) for answer in (candidate, gold)]
    if not all(time and (time[2] or time[3]) for time in times):
        return None
    (hour, minute, half), (gold_hour, gold_minute, gold_half) = (time.groups() for time in times)  # type: ignore[union-attr]
    if half and gold_half and half.lower() != gold_half.lower():
        return False
    return (int(hour), int(minute or 0)) == (int(gold_hour), int(gold_minute or 0))


def _compare_choices(candidate: str, gold: str) -> bool | None:
    choices = [_read_choices(answer) for answer in (candidate, gold)]
    return None if None in choices else choices[0] == choices[1]


def _read_choices(answer: str) -> frozenset[str] | None:
    bare = remove_text_commands(answer).strip()
    if _LABELS.fullmatch(bare):
        return frozenset(label for pair in re.findall(_STATEMENT_LABEL, bare) for label in pair if label)
    letters = re.findall("[A-J]", bare)
    if _CHOICE_LETTERS.fullmatch(bare) and (bare.isalpha() is False or sorted(set(letters)) == letters):
        return frozenset(letters)
    return None


def _compare_congruences(candidate: str, gold: str) -> bool | None:
    congruence, gold_congruence = _read_congruence(candidate), _read_congruence(gold)
    if congruence is None or gold_congruence is None:
        return None
    (name, classes, modulus), (gold_name, gold_classes, gold_modulus) = congruence, gold_congruence
    common = math.lcm(modulus, gold_modulus)
    if name != gold_name and name and gold_name:
        return False
    if common // min(modulus, gold_modulus) > _MAX_CLASSES:
        return False
    return _lift(classes, modulus, common) == _lift(gold_classes, gold_modulus, common)


def _lift(classes: frozenset[int], modulus: int, common: int) -> set[int]:
    return {residue + shift for residue in classes for shift in range(0, common, modulus)}


def _read_congruence(answer: str) -> tuple[str, frozenset[int], int] | None:
    bare = re.sub(r"\s+", " ", remove_text_commands(answer)).strip()
    congruence = _CONGRUENCE.fullmatch(bare)
    if congruence is None:
        return None
    modulus = int(congruence[3] or congruence[4])
    residues: set[int] = set()
    for sign, digits in _RESIDUES.findall(bare[len(congruence[1]) : congruence.start(3 if congruence[3] else 4)]):
        signs = {"": (1,), "-": (-1,)}.get(sign, (1, -1))
        residues |= {factor * int(digits) % modulus for factor in signs}
    return congruence[1].strip(), frozenset(residues), modulus

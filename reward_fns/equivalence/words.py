r"""Words are compared: choice letters, names, and words within a formula.

A computer algebra system does not read words. math-verify leaves them out, and the numbers behind them too, so that
`2 \text{ hours } 30 \text{ minutes}` would equal `2 \text{ hours } 20 \text{ minutes}`; what has words of its own is
therefore settled here.
"""

import re

from reward_fns.equivalence.spellings import TEXT_COMMANDS
from reward_fns.equivalence.text import make_comparable, remove_text_commands
from reward_fns.equivalence.written_numbers import CONNECTIVE
from reward_fns.expressions.tokens import MAX_PRODUCT_LETTERS

_CHOICE = re.compile(r"\(?([A-J])\)?[.:)]?")
_LABEL = re.compile(r"(?:\(([A-J])\)|([A-J])[.:)]) .*")
_LABEL_IN_PARENTHESES = re.compile(r"\([A-J]\) *(?=[^\s.,;:)])(?!or\b|and\b)")
_UNCERTAIN = re.compile(r"\b(?:or|and|not|none|neither|either)\b|[ ,(][A-J]\b", re.IGNORECASE)
_ONLY_LETTERS = re.compile(r"[A-Za-z][A-Za-z' -]*[A-Za-z]")
_TITLE = re.compile(r"[A-Za-z][a-z]{2,}")
_SEQUENCE = re.compile("[A-Z]{3}")  # of tosses or names; of two letters it is a product or a segment
_ROMAN_NUMERAL = re.compile(r"[IVXLC]{2,}")

_MARKED_WORDS = re.compile(rf"\\(?:{TEXT_COMMANDS}|operatorname)\{{([^{{}}]*)\}}")
_MARKED_WORD = re.compile(r"\\text(?:bf|it|rm|normal)?\{ ?[A-Za-z]{2,} ?\}")
_SENTENCE = re.compile("[A-Za-z]{3,} +[^ ]")
_LATEX_COMMAND = re.compile(r"\\(?:begin|end)\{[a-z]*\}(?:\{[a-z|]*\})?|\\[a-zA-Z]+")
_UNMARKED_WORD = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{2,}")
_NUMBER_BEHIND_WORDS = re.compile(r"\\(?:text|mathrm|mbox)\{[^{}]*[a-zA-Z]{2}[^{}]*\}.*[0-9]")
# What math-verify passes over without a word of warning.
_PASSED_OVER = re.compile(
    r"\\(?:[bp]?mod|operatorname|equiv|ldots|mid|forall|exists|overline|vec|hat)(?![a-zA-Z])|\\\{[^{}]*:|[0-9]'|V_|!!"
    r"|[)\]]\s*\\mathrm"
)
# Words that make something else of a formula. Other words that are unread leave the question to math-verify.
_CHANGES_MEANING = re.compile(
    rf"{CONNECTIVE.pattern}|wrong|false|incorrect|never|none|neither|minus|plus|negative|times|over|per|by|twice|double[ds]?"
    r"|tripled?|half|halves|halved|squared?|cubed?|root|factorial|mod|modulo|base|choose|divided|percent|\w*illion\w*"
    r"|(?:ten|hundred|thousand|dozen|score)s?|\w{2,}ths?|thirds?|quarters?|except|without|approximately|between|if|unless"
    r"|odd|even|prime|positive|negative|minutes?|seconds?|hours?|log|ln",
    re.IGNORECASE,
)


def compare_words(candidate: str, gold: str) -> bool | None:
    """Return True if names, words or choice letters are the same; None unless one of the two answers is such.

    Words are the same if their letters are, in either case from four letters on. Products of up to three letters are no
    words, Roman numerals are. Example: `compare_words("(C)", r"\\textbf{C}") is True`
    """
    spaced_candidate, spaced_gold = remove_text_commands(candidate).strip(), remove_text_commands(gold).strip()
    letters = [_read_choice_letter(answer) for answer in (spaced_candidate, spaced_gold)]
    if all(letters) and (letters[0] != letters[1] or min(len(spaced_candidate), len(spaced_gold)) <= len("(A)")):
        return letters[0] == letters[1]
    if _SENTENCE.search(spaced_gold) and _lower_words(spaced_candidate) == _lower_words(spaced_gold):
        return True
    answers = [candidate, gold]
    candidate, gold = make_comparable(candidate), make_comparable(gold)
    if _TITLE.fullmatch(candidate) and _TITLE.fullmatch(gold) and candidate.lower() == gold.lower():
        return True
    if _SEQUENCE.fullmatch(candidate) and _SEQUENCE.fullmatch(gold):
        return candidate == gold
    if not any(map(_is_word, answers)):
        return None
    return candidate.lower() == gold.lower() if len(candidate) > MAX_PRODUCT_LETTERS else candidate == gold


def remove_label(answer: str, gold: str) -> str:
    """Return the answer without its choice letter, unless `gold` is a choice. `remove_label("(B) 20", "20") == "20"`"""
    label = _LABEL_IN_PARENTHESES.match(spaced := remove_text_commands(answer).strip())
    if label is None or _read_choice_letter(remove_text_commands(gold).strip()):
        return answer
    return spaced[label.end() :]


def is_different_in_words(candidate: str, gold: str) -> bool:
    """Return True if two answers of different texts differ in what a computer algebra system would pass over.

    Example: `is_different_in_words("5 or more", "5") is True`
    """
    words = [[word.lower() for word in _find_words(answer)] for answer in (candidate, gold)]
    if any(_PASSED_OVER.search(answer) or _NUMBER_BEHIND_WORDS.search(answer) for answer in (candidate, gold)):
        return True
    if all(words) and sorted(words[0]) != sorted(words[1]):
        return True
    return any(_CHANGES_MEANING.fullmatch(word) for word in words[0] + words[1])


def _read_choice_letter(answer: str) -> str:
    """Return the letter of `C`, `(C)`, `C.` and `(C) 42`; empty for other answers and for those that name two."""
    choice = _CHOICE.fullmatch(answer) if len(answer) <= len("(A).") else _LABEL.fullmatch(answer)
    if choice is None or _UNCERTAIN.search(answer[len("(A)") :]):
        return ""
    return choice[1] or choice[2]


def _lower_words(answer: str) -> str:
    return re.sub("[A-Za-z]{3,}", lambda word: word[0].lower(), make_comparable(answer))


def _is_word(answer: str) -> bool:
    text = remove_text_commands(answer).strip()
    if _ROMAN_NUMERAL.fullmatch(text) or _MARKED_WORD.fullmatch(answer):
        return True
    if "-" in text and min(map(len, re.split("[- ]", text))) < MAX_PRODUCT_LETTERS:
        return False  # a difference of products
    return _ONLY_LETTERS.fullmatch(text) is not None and len(text.replace(" ", "")) > MAX_PRODUCT_LETTERS


def _find_words(answer: str) -> list[str]:
    marked = " ".join(_MARKED_WORDS.findall(answer)).split()
    return marked + _UNMARKED_WORD.findall(_LATEX_COMMAND.sub(" ", _MARKED_WORDS.sub(" ", answer)))

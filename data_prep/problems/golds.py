r"""Names what keeps a reference answer from being a final answer, by its text alone.

A reference answer is compared with what a response has in its box, and error correction writes it into a box itself. So
it must be the final answer and nothing else: `72`, and not a solution that ends in `#### 72`.

A new fault: its row in `GOLD_FAULTS`, and a case in tests/data_prep/problems/test_golds.py.
"""

import re
import reprlib
from collections.abc import Callable

from data_prep.presets.fields import BadRow
from reward_fns.limits import exceeds_text_limits

_DELIMITERS_OF_MATHEMATICS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_TEXT_COMMAND = re.compile(r"\\(?:text(?:bf|it|rm)?|[mh]box)\{([^{}]*)\}")
_BOX_COMMAND = re.compile(r"\\f?boxed(?![a-zA-Z])")
_ONE_BOX = re.compile(r"(?s)\\f?boxed\s*\{(.*)\}")
_MAX_LAYERS = 8  # Of delimiters around an answer; real ones have two, as in \(\boxed{77}\).

# Python's None, written out, has no dollar sign, no text command and no other case: `none` and \text{None} are answers
# to "Which of these are prime?" and stay. Whoever writes a bare None as an answer loses that row.
_WRITTEN_OUT_NONE = "None"
_PLACEHOLDER = re.compile(
    "(?:see )?(?:the )?proof|proof is complete|proved|qed|not ?found|no answer(?: found)?|#?n/a|<na>|null|unknown"
    "|unspecified|tbd|todo|not (?:available|provided|applicable)|see (?:above|below|explanation)"
    "|see (?:the )?solution"
)
_DOTS_OR_DASHES = re.compile(r"[?.…_]+|[-–—]{2,}")  # noqa: RUF001 - dashes of any length; a single `-` may be a sign
_NO_NUMBERS = frozenset({"nan", "inf", "+inf", "-inf", "nat"})
_OPENING_OR_CLOSING = re.compile(r"\\begin|\\end|\\.|[{}]")  # `\{` is a printed brace
_LINE_GOES_ON = re.compile(r"(?:[-,;=+*/&<>]|\\\\|\\(?:cup|cap|times|cdot|pm|le|ge|quad))$")

_NOT_WORDS = re.compile(r"\$[^$]*\$|\\(?:begin|end)\{[^{}]*\}|\\[a-zA-Z]+")
_TEXT_COMMAND_NAME = re.compile(r"\\(?:text(?:bf|it|rm)?|[mh]box)(?![a-zA-Z])")
_LONG_ENOUGH_WORD = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")  # noqa: RUF001 - the typographic apostrophe
_WORDS_OF_SENTENCES = re.compile(
    r"\b(?:is|are|was|were|be|has|have|had|can|will|must|so|thus|hence|therefore|because|since|we|he|she|it|they|there"
    r"|this|gives|get|equals|means|needs|costs|sold|bought|left|took|makes)\b"
)
_MIN_WORDS, _MIN_WORDS_WITH_VERB = 9, 5
_PROSE_LABEL = re.compile(
    r"(?i)(?:the |final |correct |our )*(?:answer|result)\s*(?:is\b|:|=)|(?:so|thus|hence|therefore)[ ,]+\w"
)


def bare_answer(answer: str) -> str:
    r"""Return an answer without what surrounds it: spaces, delimiters of mathematics, a box, a text command, a period.

    >>> bare_answer(r"$\boxed{\text{(C)}}$."), bare_answer("$1$, $2$"), bare_answer("1, 2, ...")
    ('(C)', '$1$, $2$', '1, 2, ...')
    """
    for _ in range(_MAX_LAYERS):
        previous, answer = answer, _without_layer(answer.strip())
        if answer == previous:
            break
    return answer


def gold_fault(gold: str) -> str | None:
    r"""Return the name of what keeps `gold` from being a final answer, a key of `GOLD_FAULTS`; None for nothing.

    >>> gold_fault("48/2 = 24\n#### 72"), gold_fault("so it is \\boxed{3}"), gold_fault(r"$\boxed{3}$")
    ("'####' in the answer", 'a box within other text', None)
    """
    if gold.isascii() and gold.isdecimal():  # Most are, and a data set has a million of them.
        return None
    return next((fault for fault, is_found in GOLD_FAULTS.items() if is_found(gold.strip())), None)


def check_gold(name: str, gold: str) -> str:
    """Return `gold` unless it is certainly no final answer.

    Raises BadRow, naming the field `name` and the fault, which is its reason.

    >>> check_gold("answer", "72")
    '72'
    """
    fault = gold_fault(gold)
    if fault is not None and is_certain(fault):
        raise BadRow(fault, f"{name} is no final answer ({fault}): {reprlib.repr(gold)}")
    return gold


def is_certain(fault: str) -> bool:
    """Return True if an answer with this fault is never right; else a reader has to judge.

    >>> is_certain("placeholder as answer"), is_certain("prose as answer")
    (True, False)
    """
    return fault not in (_PROSE, _TOO_LONG)


def is_prose(answer: str) -> bool:
    r"""Return True for a sentence: a label such as "The answer is", or many words outside of mathematics.

    Many are nine, or five if one of them makes a sentence, as `is` and `so` do. A word has two letters or more.

    >>> is_prose("He sold 24 clips, so it is 72"), is_prose("all real numbers except 0 and 1"), is_prose("no solution")
    (True, False, False)
    """
    if _PROSE_LABEL.match(answer):
        return True
    text = _NOT_WORDS.sub(" ", _TEXT_COMMAND_NAME.sub(" ", answer)).casefold()
    num_words = len(_LONG_ENOUGH_WORD.findall(text))
    needed = _MIN_WORDS_WITH_VERB if _WORDS_OF_SENTENCES.search(text) else _MIN_WORDS
    # A list of nine names is an answer.
    return num_words >= needed and num_words > 2 * (answer.count(",") + 1)


def _without_layer(answer: str) -> str:
    if answer.endswith(".") and not answer.endswith(".."):
        answer = answer[:-1].rstrip()
    for opening, closing in _DELIMITERS_OF_MATHEMATICS:
        inner = answer[len(opening) : -len(closing)]
        is_enclosed = len(answer) > len(opening) + len(closing) and answer.startswith(opening)
        if is_enclosed and answer.endswith(closing) and opening not in inner and not inner.endswith("\\"):
            return inner.strip()
    text = _TEXT_COMMAND.fullmatch(answer)
    if text is None and (box := _ONE_BOX.fullmatch(answer)) is not None:
        text = box if _min_depth(box[1]) == 0 else None
    return answer if text is None else text[1].strip()


def _min_depth(text: str) -> int:
    """Return how far more braces are closed than opened, as a number of 0 or less."""
    depth = lowest = 0
    for brace in re.findall(r"\\.|[{}]", text):
        depth += (brace == "{") - (brace == "}")
        lowest = min(lowest, depth)
    return lowest


def _is_placeholder(gold: str) -> bool:
    bare = bare_answer(gold)
    if gold == _WRITTEN_OUT_NONE or _DOTS_OR_DASHES.fullmatch(bare):
        return True
    return len(bare) < 40 and _PLACEHOLDER.fullmatch(_without_punctuation(bare)) is not None


def _without_punctuation(answer: str) -> str:
    return " ".join(answer.casefold().strip(" .,;:!?()[]*_\"'").split())


def _has_several_lines(gold: str) -> bool:
    r"""Return True for two lines that begin outside of braces and \begin…\end; a line that ends in a comma goes on."""
    if "\n" not in gold and "\r" not in gold:
        return False
    depth, num_lines, goes_on = 0, 0, False
    for line in map(str.strip, bare_answer(gold).splitlines()):
        num_lines += bool(line) and depth <= 0 and not goes_on
        marks = _OPENING_OR_CLOSING.findall(line)
        depth += sum(mark in ("{", r"\begin") for mark in marks) - sum(mark in ("}", r"\end") for mark in marks)
        goes_on = bool(_LINE_GOES_ON.search(line)) if line else goes_on
    return num_lines > 1


def _has_box_within_text(gold: str) -> bool:
    num_boxes = len(_BOX_COMMAND.findall(gold))
    # An answer that is one box loses it with its delimiters; `\boxed 3` and a box that is not closed stay.
    return num_boxes > 1 or (num_boxes == 1 and _BOX_COMMAND.search(bare_answer(gold)) is not None)


_PROSE, _TOO_LONG = "prose as answer", "answer too long to compare"

GOLD_FAULTS: dict[str, Callable[[str], bool]] = {
    "'####' in the answer": lambda gold: "####" in gold,
    "placeholder as answer": _is_placeholder,
    "empty answer": lambda gold: not bare_answer(gold).strip("$ "),  # `{}` may be a set
    "not a number as answer": lambda gold: bare_answer(gold).casefold() in _NO_NUMBERS,
    "several lines as answer": _has_several_lines,
    "a box within other text": _has_box_within_text,
    _PROSE: lambda gold: is_prose(bare_answer(gold)),
    _TOO_LONG: exceeds_text_limits,
}
"""{what keeps a reference answer from being a final answer: whether an answer has it}; the first that fits counts."""

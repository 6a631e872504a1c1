r"""Conditions in words become relations: `x \text{ is at least } 2` becomes `x \ge 2`."""

import re

# Stands for the unknown where the words name none.
UNNAMED = r"\Xi"

_COMPARATIVES = (
    (r"greater than or equal to|at least|no(?:t)? less than|not smaller than", r"\ge"),
    (r"less than or equal to|at most|no(?:t)? (?:more|greater|larger) than", r"\le"),
    (r"(?:strictly )?(?:greater|more|larger|bigger) than", ">"),
    (r"(?:strictly )?(?:less|smaller|fewer) than", "<"),
    (r"not equal to", r"\ne"),
)
_NUMBERS = (
    r"(?:the set of )?(?:all|any|every|the) (?:the )?(?:(?:real|(?:non-?)?(?:positive|negative)) )+(?:numbers?|values?)"
)
_KINDS_OF_NUMBERS = (
    (r"non-?negative", r"[0,\infty)"),
    (r"non-?positive", r"(-\infty,0]"),
    ("positive", r"(0,\infty)"),
    ("negative", r"(-\infty,0)"),
    ("real", r"\mathbb{R}"),
)
_WORD_ROWS = tuple(
    (re.compile(pattern, re.IGNORECASE), spelling)
    for pattern, spelling in (
        *((rf"(?:(?:is|are|be|that are|which are) )?(?:{words}) ?", f"{sign} ") for words, sign in _COMPARATIVES),
        (r" is (?:strictly )?positive$", " > 0"),
        (r" is (?:strictly )?negative$", " < 0"),
        (r" is non-?negative$", r" \\ge 0"),
        (r" is non-?positive$", r" \\le 0"),
        (r"^(\S+) (?:is|lies) between (.+?) and (.+?)(?:, ?exclusive)?$", r"\2 < \1 < \3"),
        (r"^(\S+) (?:is|lies) between (.+?) and (.+?),? ?\(?inclusive\)?$", r"\2 \\le \1 \\le \3"),
        (r"^(?:the )?(?:numbers? )?between (.+?) and (.+?)$", r"\\Xi \\in (\1,\2)"),
        (r"^(?:the set of )?all reals?(?! (?:numbers?|values?)|[a-z])", "all real numbers"),
        (r"^(?:all|any|every) real (?=[a-z]$)", "all real numbers "),
        (r"^(?:\\forall ?)?([a-z]) (?:is|can be|may be) (?:any|all|every|an?) real numbers?$", "all real numbers"),
        (r"^\\forall ?", ""),
        (r"^(?:all|any|every) (?=[a-z] ?(?:[<>]|\\[lgn]e))", ""),
        (r"^[a-z] such that ", ""),
        (r",? (?:with|but|where|such that|provided) (?=.*(?:[<>]|\\[lgn]e))", " and "),
    )
)
_ANY_WORD = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{3}|\\forall")
_EXCEPT = re.compile(
    r"(.*?),? ?(?:except|excluding|other than|but not)(?: for| when)? (?:[a-z] ?= ?)?(.*)", re.IGNORECASE
)
_ALL_NUMBERS = re.compile(rf"({_NUMBERS})(?: (?:of )?([a-z]))?(?: and| such that| with|,|:)? ?(.*)", re.IGNORECASE)


def translate_set_words(text: str) -> str:
    r"""Return a set of real numbers with its words in LaTeX, as far as they are known.

    Example: `translate_set_words("x is at least 2") == r"x \ge 2"`
    """
    text = re.sub(r"\s+", " ", text).strip()
    if not _ANY_WORD.search(text):
        return text
    for pattern, spelling in _WORD_ROWS:
        text = pattern.sub(spelling if "\\1" in spelling or "\\\\" in spelling else lambda _, new=spelling: new, text)
    if exception := _EXCEPT.fullmatch(text):
        points = re.sub(" and | or ", ",", exception[2].strip().removeprefix(r"\{").removesuffix(r"\}"))
        return rf"{translate_set_words(exception[1].strip())} \setminus \{{{points}\}}"
    numbers = _ALL_NUMBERS.fullmatch(text)
    if numbers is None:
        return text
    kinds = next(spelling for pattern, spelling in _KINDS_OF_NUMBERS if re.search(pattern, numbers[1], re.IGNORECASE))
    rest = numbers[3].strip()
    if not rest:
        return kinds
    condition = rest if rest[0].isalpha() or re.match(r"[^<>]+[<>]", rest) else f"{numbers[2] or UNNAMED} {rest}"
    return rf"{kinds} \cap ({condition})" if kinds != r"\mathbb{R}" else condition

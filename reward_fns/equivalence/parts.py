r"""An answer is taken apart: a list, a set, a tuple or interval, a union, a matrix, an equation.

Only the outermost structure is taken apart; `structures` compares the parts.
"""

import re
from dataclasses import dataclass
from itertools import cycle, product

from reward_fns.limits import count_open_brackets

_MEMBER_SEPARATOR = re.compile("[,;]")
_CONNECTIVE = re.compile(r"(?<![a-zA-Z\\])(?:and|or)(?![a-zA-Z])")
_SEPARATOR = re.compile(rf"[,;]|\\(?:text|textrm|mathrm|mbox)\{{\s*,?\s*(?:and|or)\s*\}}|{_CONNECTIVE.pattern}")
_UNION = re.compile(r"\\cup(?![a-zA-Z])")
EQUALS = re.compile(r"(?<![<>!:=])=(?!=)")
_APPROXIMATELY = re.compile(r"\\(?:approx|simeq)(?![a-zA-Z])|≈")
_PLUS_OR_MINUS = re.compile(r"\\(?:pm|mp)(?![a-zA-Z])")
_OPPOSITE = {"+": "-", "-": "+"}
_MAX_SIGNS = 3
_MATRIX = re.compile(r"\\begin\{(?:[pbB]?matrix|smallmatrix)\}(.*)\\end\{(?:[pbB]?matrix|smallmatrix)\}", re.DOTALL)
_ARRAY = re.compile(r"[(\[]\s*\\begin\{array\}\s*\{[^{}]*\}(.*)\\end\{array\}\s*[)\]]", re.DOTALL)
_RELATION = re.compile(r"[<>]|\\(?:leq?|geq?|lt|gt|neq?|in|equiv|sim|cong|mid|subset)(?![a-zA-Z])|!=")


# Not the numbers e and i.
VARIABLE = re.compile(r"(?<![\\a-zA-Z])(?!mod(?![a-z]))(?:[a-df-hj-zA-Z]|[ei][a-zA-Z])")

# A name: x, x_1, f(x), f(-1), P(X=2), |AB|, \angle ABC, \overline{AB}, \frac{BD}{DC}. A product or a sum is none.
_NAME = re.compile(
    r"\|?(?:\\[a-zA-Z]+ ?(?:\{[A-Z]{2,}\}){0,2}|\\(?:text|mathrm|mathbb|overline|vec)\{[a-zA-Z ]*\})?"
    r" ?[a-zA-Z]{0,4}'*(?:_(?:\{[^{}]*\}|[a-zA-Z0-9]))?(?:\^\{-1\})?(?:[(\[][a-zA-Z0-9,=<>|\\. -]*[)\]])?\|?"
)
# A computation that was carried out, as `\lim_{x \to 0} f(x) = 1`.
_COMPUTATION = re.compile(r"\\(?:lim|int|sum|prod|det|begin\{vmatrix\})")


@dataclass(frozen=True)
class Bracketed:
    """Holds the parts in order between an opening and a closing bracket: a tuple, a point, an interval."""

    opening: str
    parts: tuple[str, ...]
    closing: str


def split_at(pattern: re.Pattern[str], answer: str) -> list[str]:
    """Split at every match outside of all brackets. Example: `split_at(EQUALS, "x=(y=1)") == ["x", "(y=1)"]`"""
    depths = count_open_brackets(answer)
    parts, start = [], 0
    for match in pattern.finditer(answer):
        if depths[match.start()] == 0:
            parts.append(answer[start : match.start()].strip())
            start = match.end()
    return [*parts, answer[start:].strip()]


def split_list(answer: str) -> list[str]:
    """Split a list without brackets at commas, semicolons, `and` and `or`. `split_list("1 or 2") == ["1", "2"]`"""
    return [part for part in split_at(_SEPARATOR, answer) if part]


def split_set(answer: str) -> list[str] | None:
    r"""Split `\{...\}`, or `{...}` around a list; None for others. Example: `split_set(r"\{1,2\}") == ["1", "2"]`"""
    for opening, closing in ((r"\{", r"\}"), ("{", "}")):
        if answer.startswith(opening) and answer.endswith(closing):
            inner = answer[len(opening) : -len(closing)]
            if _is_balanced(inner) and ("," in inner or opening == r"\{"):
                return None if r"\mid" in inner or "|" in inner or ":" in inner else split_list(inner)
    return None


def split_brackets(answer: str) -> Bracketed | None:
    """Split an answer that one pair of brackets encloses; None for others.

    Example: `split_brackets("(0,1]") == Bracketed("(", ("0", "1"), "]")`
    """
    if len(answer) < 2 or answer[0] not in "([" or answer[-1] not in ")]" or not _is_balanced(answer[1:-1]):
        return None
    return Bracketed(answer[0], tuple(split_at(_MEMBER_SEPARATOR, answer[1:-1])), answer[-1])


def split_union(answer: str) -> list[str]:
    r"""Split a union; one member if it is none. Example: `split_union(r"(0,1)\cup{2}") == ["(0,1)", "{2}"]`"""
    return split_at(_UNION, answer)


def split_matrix(answer: str) -> list[list[str]] | None:
    r"""Split a matrix or column vector into rows of entries; None if the answer is anything else.

    Example: `split_matrix(r"\begin{pmatrix}1&2\\3&4\end{pmatrix}") == [["1", "2"], ["3", "4"]]`
    """
    enclosing = split_brackets(answer)
    if enclosing and len(enclosing.parts) == 1 and r"\begin{array}" not in answer:
        answer = enclosing.parts[0]
    matrix = _MATRIX.fullmatch(answer) or _ARRAY.fullmatch(answer)
    if matrix is None or r"\begin" in matrix[1]:
        return None
    rows = [row for row in matrix[1].split(r"\\") if row.strip()]
    return [[entry.strip() for entry in row.split("&")] for row in rows]


def expand_plus_or_minus(answer: str) -> tuple[str, ...] | None:
    r"""Return the answers that `\pm` stands for, else None. Example: `expand_plus_or_minus(r"1\pm2") == ("1+2", "1-2")`

    Several signs are independent of each other, unless there is a `\mp`, which goes with the others.
    """
    signs = _PLUS_OR_MINUS.findall(answer)
    if not 0 < len(signs) <= _MAX_SIGNS:
        return None
    is_linked = r"\mp" in signs
    choices = product("+-", repeat=1 if is_linked else len(signs))
    pieces = _PLUS_OR_MINUS.split(answer)
    variants = []
    for choice in choices:
        written = [
            _OPPOSITE[mark] if sign == r"\mp" else mark for sign, mark in zip(signs, cycle(choice), strict=False)
        ]
        variants.append(pieces[0] + "".join(mark + piece for mark, piece in zip(written, pieces[1:], strict=True)))
    return tuple(dict.fromkeys(variants))


def split_equation(answer: str) -> list[str]:
    r"""Split a chain of equations; a name comes first, and a final approximation is left out unless it is all there is.

    Example: `split_equation(r"1/3=x\approx 0.33") == ["x", "1/3"]`
    """
    exact, *approximations = split_at(_APPROXIMATELY, answer)
    sides = split_at(EQUALS, exact)
    if len(sides) == 2 and is_name(sides[1]) and not is_name(sides[0]):
        sides = sides[::-1]  # 5 = x
    is_all = len(sides) == 1 and (not exact or is_name(exact))
    return [*filter(None, sides), approximations[0]] if approximations and is_all else sides


def find_connectives(answer: str) -> list[str]:
    """Return the words `and` and `or` of the answer, in order. Example: `find_connectives("1 or 2") == ["or"]`"""
    return _CONNECTIVE.findall(answer)


def is_relation(answer: str) -> bool:
    """Return True if the answer is an inequality, a membership or the like. Example: `is_relation("x<1") is True`"""
    return _RELATION.search(answer) is not None


def is_name(side: str) -> bool:
    """Return True if a side of an equation only names what the other side gives. Example: `is_name("f(x)") is True`"""
    return bool(side) and _NAME.fullmatch(side) is not None


def has_answer_on_right(sides: list[str]) -> bool:
    """Return True if an equation has a name, a number or a computation on its left, or if it is no equation.

    True of `x = 5` and `2 + 3 = 5`, and false of `7 = 11a + c`. Example: `has_answer_on_right(["2x+z", "5"]) is False`
    """
    if len(sides) == 1 or is_name(sides[0]) or _COMPUTATION.match(sides[0]):
        return True
    return not VARIABLE.search(sides[0]) and not VARIABLE.search(sides[-1])


def _is_balanced(inner: str) -> bool:
    """Return True if no bracket inside closes one outside. Round and square ones count alike: intervals mix them."""
    depths = count_open_brackets(inner)
    return min(depths) == 0 == depths[-1]

r"""The parts of an answer that is made of several: a list, a set, a tuple or interval, a union, a matrix, an equation.

Only the outermost structure is taken apart; `equivalence` compares the parts.
"""

import re
from dataclasses import dataclass

from reward_fns.limits import bracket_depths

_MEMBER_SEPARATOR = re.compile("[,;]")
_CONNECTIVE = re.compile(r"(?<![a-zA-Z\\])(?:and|or)(?![a-zA-Z])")
_SEPARATOR = re.compile(rf"[,;]|\\(?:text|textrm|mathrm|mbox)\{{\s*,?\s*(?:and|or)\s*\}}|{_CONNECTIVE.pattern}")
_UNION = re.compile(r"\\cup(?![a-zA-Z])")
_EQUALS = re.compile(r"(?<![<>!:=])=(?!=)")
_APPROXIMATELY = re.compile(r"\\(?:approx|simeq)(?![a-zA-Z])|≈")
_PLUS_OR_MINUS = re.compile(r"\\pm(?![a-zA-Z])")
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
    """Parts in order between an opening and a closing bracket: a tuple, a point, an interval."""

    opening: str
    parts: tuple[str, ...]
    closing: str


def split_at(pattern: re.Pattern[str], answer: str) -> list[str]:
    """Split at every match outside of all brackets."""
    depths = bracket_depths(answer)
    parts, start = [], 0
    for match in pattern.finditer(answer):
        if depths[match.start()] == 0:
            parts.append(answer[start : match.start()].strip())
            start = match.end()
    return [*parts, answer[start:].strip()]


def list_parts(answer: str) -> list[str]:
    """The members of a list without brackets, at commas, semicolons, `and` and `or`; one member if it is no list."""
    return [part for part in split_at(_SEPARATOR, answer) if part]


def set_parts(answer: str) -> list[str] | None:
    r"""The members of `\{...\}`, or of `{...}` around a list; None if it is no such set."""
    for opening, closing in ((r"\{", r"\}"), ("{", "}")):
        if answer.startswith(opening) and answer.endswith(closing):
            inner = answer[len(opening) : -len(closing)]
            if _is_balanced(inner) and ("," in inner or opening == r"\{"):
                return None if r"\mid" in inner or "|" in inner or ":" in inner else list_parts(inner)
    return None


def bracketed(answer: str) -> Bracketed | None:
    """The brackets that enclose the whole answer, with what they enclose; None if there are none."""
    if len(answer) < 2 or answer[0] not in "([" or answer[-1] not in ")]" or not _is_balanced(answer[1:-1]):
        return None
    return Bracketed(answer[0], tuple(split_at(_MEMBER_SEPARATOR, answer[1:-1])), answer[-1])


def union_parts(answer: str) -> list[str]:
    """The members of a union; one member if it is none."""
    return split_at(_UNION, answer)


def matrix_parts(answer: str) -> list[list[str]] | None:
    """The rows of a matrix or column vector as lists of entries; None if the answer is anything else."""
    enclosing = bracketed(answer)
    if enclosing and len(enclosing.parts) == 1 and r"\begin{array}" not in answer:
        answer = enclosing.parts[0]
    matrix = _MATRIX.fullmatch(answer) or _ARRAY.fullmatch(answer)
    if matrix is None or r"\begin" in matrix[1]:
        return None
    rows = [row for row in matrix[1].split(r"\\") if row.strip()]
    return [[entry.strip() for entry in row.split("&")] for row in rows]


def plus_and_minus(answer: str) -> tuple[str, str] | None:
    r"""The two answers that one `\pm` stands for; None if there is not exactly one."""
    if len(_PLUS_OR_MINUS.findall(answer)) != 1:
        return None
    return _PLUS_OR_MINUS.sub("+", answer), _PLUS_OR_MINUS.sub("-", answer)


def equation_sides(answer: str) -> list[str]:
    """The sides of a chain of equations; a final approximation is left out unless it is all there is."""
    exact, *approximations = split_at(_APPROXIMATELY, answer)
    sides = split_at(_EQUALS, exact)
    if len(sides) == 2 and is_name(sides[1]) and not is_name(sides[0]):
        sides = sides[::-1]  # 5 = x
    is_all = len(sides) == 1 and (not exact or is_name(exact))
    return [*filter(None, sides), approximations[0]] if approximations and is_all else sides


def connectives(answer: str) -> list[str]:
    """The words `and` and `or` of the answer, in order."""
    return _CONNECTIVE.findall(answer)


def is_relation(answer: str) -> bool:
    """Whether the answer is an inequality, a membership or the like."""
    return _RELATION.search(answer) is not None


def is_name(side: str) -> bool:
    """Whether one side of an equation only names what the other side gives: `x`, `f(x)`, `AB`."""
    return bool(side) and _NAME.fullmatch(side) is not None


def gives_a_value(sides: list[str]) -> bool:
    """Whether an equation has a name, a number or a computation on its left, so that its right side is an answer.

    True of `x = 5`, of `2 + 3 = 5` and of what is no equation; false of `2x + z = 5` and of `7 = 11a + c`.
    """
    if len(sides) == 1 or is_name(sides[0]) or _COMPUTATION.match(sides[0]):
        return True
    return not VARIABLE.search(sides[0]) and not VARIABLE.search(sides[-1])


def _is_balanced(inner: str) -> bool:
    """Whether no bracket inside closes one outside. Intervals mix round and square ones, which are not told apart."""
    depths = bracket_depths(inner)
    return min(depths) == 0 == depths[-1]

r"""An answer is taken apart: a list, a set, a tuple or interval, a union, a matrix, an equation.

Only the outermost structure is taken apart; `structures` compares the parts.
"""

import re
from dataclasses import dataclass

from reward_fns.limits import count_open_brackets

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

_NAMED_SET = re.compile(r"[A-Za-z]\s*=\s*(\\\{.*\\\})", re.DOTALL)
_CASES = re.compile(r"(?:\\?\{)?\s*\\begin\{cases\}(.*)\\end\{cases\}\.?", re.DOTALL)
_UNKNOWN_NAME = re.compile("[a-zA-Z](?:_[a-zA-Z0-9])?")

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
    """Split at every match outside of all brackets. Example: `split_at(_EQUALS, "x=(y=1)") == ["x", "(y=1)"]`"""
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


def expand_plus_or_minus(answer: str) -> tuple[str, str] | None:
    r"""Return the two answers of exactly one `\pm`, else None. `expand_plus_or_minus(r"1\pm2") == ("1+2", "1-2")`"""
    if len(_PLUS_OR_MINUS.findall(answer)) != 1:
        return None
    return _PLUS_OR_MINUS.sub("+", answer), _PLUS_OR_MINUS.sub("-", answer)


def split_equation(answer: str) -> list[str]:
    r"""Split a chain of equations; a name comes first, and a final approximation is left out unless it is all there is.

    Example: `split_equation(r"1/3=x\approx 0.33") == ["x", "1/3"]`
    """
    exact, *approximations = split_at(_APPROXIMATELY, answer)
    sides = split_at(_EQUALS, exact)
    if len(sides) == 2 and is_name(sides[1]) and not is_name(sides[0]):
        sides = sides[::-1]  # 5 = x
    is_all = len(sides) == 1 and (not exact or is_name(exact))
    return [*filter(None, sides), approximations[0]] if approximations and is_all else sides


def spell_out_names(answer: str, other: str) -> str:
    r"""Return a list of equations for `cases`, for `(x,y)=(1,0)`, and for `x=y=4` where a list is asked for.

    Example: `spell_out_names("(x,y)=(1,0)", "x=1, y=0") == "x=1, y=0"`
    """
    answer, other = _list_cases(answer), _list_cases(other)
    if (named_set := _NAMED_SET.fullmatch(answer)) and "=" not in other:
        return named_set[1]
    parts = split_list(answer)
    is_list = len(parts) > 1 or len(split_list(other)) > 1 or split_brackets(other) is not None
    return ", ".join(_spell_out_equation(part) for part in parts) if is_list and "=" in answer else answer


def _list_cases(answer: str) -> str:
    cases = _CASES.fullmatch(answer)
    if cases is None or "&" in cases[1] or "text" in cases[1]:
        return answer
    return ", ".join(filter(None, (line.strip(" ,;") for line in cases[1].split(r"\\"))))


def _spell_out_equation(equation: str) -> str:
    sides = split_at(_EQUALS, equation)
    names, values = [split_brackets(side) for side in (sides[0], sides[-1])]
    if (
        len(sides) == 2
        and names
        and values
        and len(names.parts) == len(values.parts)
        and all(map(is_name, names.parts))
    ):
        return ", ".join(f"{name}={value}" for name, value in zip(names.parts, values.parts, strict=True))
    if len(sides) > 2 and all(map(_UNKNOWN_NAME.fullmatch, sides[:-1])):
        return ", ".join(f"{name}={sides[-1]}" for name in sides[:-1])
    return equation


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

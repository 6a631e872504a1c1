r"""Signs of Unicode become LaTeX, before any normalisation could flatten them: 10⁴ is not 104."""

import re
import unicodedata

# One sign, one spelling.
_SPELLED = {
    "−": "-",  # noqa: RUF001 - the minus sign
    "–": "-",  # noqa: RUF001 - the en dash
    "×": "*",  # noqa: RUF001 - the multiplication sign
    "·": "*",
    "⋅": "*",
    "÷": "/",
    "∕": "/",  # noqa: RUF001 - the division slash
    "…": r"\ldots ",
    "∞": r"\infty ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "⩽": r"\le ",
    "⩾": r"\ge ",
    "≠": r"\ne ",
    "≈": r"\approx ",
    "≡": r"\equiv ",
    "∪": r"\cup ",  # noqa: RUF001 - the sign of a union
    "∩": r"\cap ",
    "∈": r"\in ",
    "∖": r"\setminus ",  # noqa: RUF001 - the sign of a difference
    "±": r"\pm ",
    "∅": r"\emptyset ",
    "⟨": r"\langle ",
    "⟩": r"\rangle ",
    "′": "'",  # noqa: RUF001 - the prime
    "∉": r"\notin ",
    "→": r"\to ",
    "⇒": r"\Rightarrow ",
    "∣": "|",  # noqa: RUF001 - the sign of divisibility
    "∶": ":",  # noqa: RUF001 - the sign of a ratio
    "∑": r"\sum ",  # noqa: RUF001 - the sign of a sum
    "∫": r"\int ",
    "∠": r"\angle ",
    "△": r"\triangle ",
    "⌊": r"\lfloor ",
    "⌋": r"\rfloor ",
    "⌈": r"\lceil ",
    "⌉": r"\rceil ",
    "″": "''",
    "₹": r"\text{Rs}",
    "、": ",",
    "。": ".",
    "或": r" \text{ or } ",
    "和": r" \text{ and } ",
    "且": r" \text{ and } ",
}
_CAPITALS = (
    "gamma",
    "delta",
    "theta",
    "lamda",
    "pi",
    "sigma",
    "phi",
    "psi",
    "omega",
    "xi",
)  # not those that look Latin
_GREEK_NAMES = "alpha beta gamma delta epsilon theta lamda mu pi rho sigma tau phi psi omega eta xi"
_GREEK = {
    unicodedata.lookup(f"GREEK {size} LETTER {name.upper()}"): f"\\{write(name).replace('amda', 'ambda')} "
    for name in _GREEK_NAMES.split()
    for size, write in (("SMALL", str.lower), ("CAPITAL", str.title))
    if write is str.lower or name in _CAPITALS
} | {"ε": r"\varepsilon ", "ϕ": r"\phi "}
_TRANSLATION = str.maketrans(_SPELLED | _GREEK)

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵏᵐˣʸᵃᵇ", "0123456789+-()nikmxyab")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙₖₘₓᵢⱼ", "0123456789+-()nkmxij")
_RUNS = (
    ("^", _RAISED, re.compile("[" + "".join(map(chr, _RAISED)) + "]+")),
    ("_", _LOWERED, re.compile("[" + "".join(map(chr, _LOWERED)) + "]+")),
)
_FRACTION_SLASH = re.compile("([0-9]+)\u2044([0-9]+)")
_VULGAR_FRACTION = re.compile("[\xbc-\xbe\u2150-\u215e\u2189]")
_CIRCLED = re.compile("[\u2460-\u2473]")
_DOUBLE_STRUCK = re.compile("[ℂℕℙℚℝℤ]")
_ROOT = re.compile(r"([√∛∜])\s*(?:\(((?:[^()]|\([^()]*\))*)\)|\{([^{}]*)\}|([0-9.]+|[a-zA-Z]|\\[a-zA-Z]+\s?))")
_DEGREES_OF_ROOTS = {"√": "", "∛": "[3]", "∜": "[4]"}


def translate_signs(answer: str) -> str:
    r"""Return `answer` with its typographic signs in LaTeX or ASCII, and in the compatible form of Unicode.

    Example: `translate_signs("2⁻³+¾√5") == r"2^{-3}+\frac{3}{4}\sqrt{5}"`
    """
    if answer.isascii():
        return answer
    for mark, letters, run in _RUNS:
        answer = "".join(
            mark + _brace(piece.translate(letters)) if run.fullmatch(piece) else piece
            for piece in re.split(f"({run.pattern})", answer)
        )
    answer = _VULGAR_FRACTION.sub(_write_fraction, answer)
    answer = _FRACTION_SLASH.sub(r"\\frac{\1}{\2}", answer)
    answer = _CIRCLED.sub(lambda sign: f"({unicodedata.normalize('NFKC', sign[0])})", answer)
    answer = _DOUBLE_STRUCK.sub(lambda sign: rf"\mathbb{{{unicodedata.normalize('NFKC', sign[0])}}}", answer)
    answer = unicodedata.normalize("NFKC", answer.translate(_TRANSLATION))
    return _ROOT.sub(lambda root: rf"\sqrt{_DEGREES_OF_ROOTS[root[1]]}{{{root[2] or root[3] or root[4]}}}", answer)


def _write_fraction(sign: re.Match[str]) -> str:
    return _FRACTION_SLASH.sub(r"\\frac{\1}{\2}", unicodedata.normalize("NFKC", sign[0]))


def _brace(text: str) -> str:
    return text if len(text) == 1 else f"{{{text}}}"

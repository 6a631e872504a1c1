r"""Each spelling is a row here, with the one that is used for it; `text.clean` goes through the rows from the top.

A new spelling: its row, where the rows before it have done what it relies on.
"""

import re

TEXT_COMMANDS = r"text(?:bf|it|rm|normal|sf|up)?|[mh]box"

_END = "(?![a-zA-Z])"
_GROUP = r"\{([^{}]*)\}"
_UNIT_VECTOR = r"\\?([ijk])(?:math)?"
_SHORT = r"(?:\{([a-z0-9]+)\}|([a-z0-9]))"
_WORD_GROUP = rf"\\(?:{TEXT_COMMANDS})\{{,?(?:\s*|(?= ))%s\s*\}}"

# A row that is transposed, and so written for a column.
_ROW = r"^(?:[(\[]([^()\[\]]*,[^()\[\]]*)[)\]]|\\begin\{[pb]matrix\}(?!.*\\\\)(.*)\\end\{[pb]matrix\})"


_ARC = {"tg": "tan", "ctg": "cot"}
_BASE_NAMES = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_BASES = dict(zip(_BASE_NAMES, range(2, 11), strict=True))


def _write_cases(system: re.Match[str]) -> str:
    return rf"\begin{{cases}}{re.sub('& ?=', '=', system[1])}\end{{cases}}"


def _write_binomial(found: re.Match[str]) -> str:
    upper, lower = (group for group in found.groups() if group)
    return rf"\binom{{{upper}}}{{{lower}}}"


_ROWS = (
    (r"\\\\(?=[a-zA-Z{}%!,;:])", r"\\"),  # Escaped twice; the only row that would harm a matrix, see `respell`.
    # Numbers.
    (r"(?<=\d)(?:\{,\}|\s?\\[!,]\s*|,\\!\s*)(?=\d{3}(?!\d))", ""),  # separators of thousands
    (r"^(-?[1-9]\d{0,2})((?:'\d{3})+|(?:\.\d{3}){2,})$", lambda found: found[1] + re.sub("['.]", "", found[2])),
    (r"(?<=\d)(?:\{:\}|\\colon *)(?=\d)", ":"),
    (r"\(([0-9]+)\)(?=_)", r"\1"),
    (r"([0-9]*\.[0-9]*)\\dot ?\{?([0-9])\}?(?:([0-9]*)\\dot ?\{?([0-9])\}?)?", r"\1\\overline{\2\3\4}"),
    (r"(?<=[0-9])\.([0-9]*)\(([0-9]+)\)$", r".\1\\overline{\2}"),
    (r"(?<=[0-9])\s*\^?\s*\{?\s*\\?(?:text|mathrm)?\{?(?:st|nd|rd|th)\}*$", ""),  # 5th, 2^{\text{nd}}
    (r"(?<=\d) ?(?:\\text\{ ?)?((?:m|b|tr)illion|thousand|hundred|dozen) ([a-z][a-z ]*[a-z])\}?$", r" \1\\text{ \2}"),
    # What is not seen, or only the looks of something.
    (r"(?<!\\)\\!\s*", ""),
    (r"\\[hv]?phantom\s*\{[^{}]*\}|\\(?:tag|label)\*?\{[^{}]*\}", ""),
    (r"\\(?:checkmark|blacksquare|square|qed|nonumber|notag|mathstrut|strut)" + _END + r"(?!\{)", ""),
    (r"\\[hv]space\*?\{[^{}]*\}", " "),
    (r"\\(?:textcolor|color|colorbox)\s*\{[^{}]*\}", ""),
    (r"\\(?:left|right)\s*\.", ""),
    (r"\\(?:displaystyle|textstyle|left|right|middle|[bB]igg?[lrm]?|limits)" + _END + r"\s*", ""),
    (r"\\(?:bf|rm|it|sf|tt|large|Large|LARGE|huge|Huge|small|ensuremath|boxed|fbox)" + _END + r"\s*", ""),
    # Brackets and bars.
    (r"\\(?:langle|lparen)" + _END, "("),
    (r"\\(?:rangle|rparen)" + _END, ")"),
    (r"\\lbrace" + _END, r"\\{"),
    (r"\\rbrace" + _END, r"\\}"),
    (r"\\[lr]vert" + _END + "|∣", "|"),
    (r"\\[lr]Vert" + _END, r"\\|"),
    (r"\\textcircled\s*" + _GROUP, r"(\1)"),
    (r"\\abs\s*" + _GROUP, r"|\1|"),
    (r"^\\mid ?([^|]*)\\mid$", r"|\1|"),
    (r"\\\{ ?\\begin\{(?:array\}\{[lcr]+|aligned|matrix)\}(.*)\\end\{(?:array|aligned|matrix)\} ?\.?$", _write_cases),
    (
        _ROW + r"\s*\^\s*\{?\s*(?:T|\\top|\\mathrm\{T\}|\\intercal)\s*\}?$",
        lambda row: f"({row[1] or row[2].replace('&', ',')})",
    ),
    # Relations.
    (r"\\(?:not ?<|nless)" + _END, r"\\ge "),
    (r"\\(?:not ?>|ngtr)" + _END, r"\\le "),
    (r"\\nleq?" + _END, "> "),
    (r"\\ngeq?" + _END, "< "),
    (r"\\not ?=|\\not ?\\eq" + _END, r"\\ne "),
    (r"\\not ?\\in" + _END, r"\\notin "),
    (r"\\([lg])eqslant" + _END, r"\\\1e"),
    (r"\\(?:l?and|wedge)" + _END, " and "),
    (r"\\(?:lor|vee)" + _END, " or "),
    (_WORD_GROUP % "(?:oder|ou|или|или же| o|o )", " or "),  # noqa: RUF001 - Cyrillic
    (_WORD_GROUP % "(?:und|et|а также| [yeи]|[yeи] )", " and "),  # noqa: RUF001 - Cyrillic
    # Functions and names.
    (r"\\(max|min|gcd|lcm)\s*\\\{([^{}]*)\\\}", r"\\\1(\2)"),
    (r"\\(?:mathrm|operatorname|text)\{(max|min|gcd|lcm)\}|(?<![\\a-zA-Z])(max|min|gcd|lcm)(?=[({])", r"\\\1\2"),
    (r"\\lg" + _END, r"\\log_{10}"),
    (r"\\tg" + _END, r"\\tan"),
    (r"\\ctg" + _END, r"\\cot"),
    (r"\\(?:mathrm|operatorname|text)?\{?arc(tg|ctg)" + _END + r"\}?", lambda found: rf"\arc{_ARC[found[1]]} "),
    (r"\\(?:operatorname|mathrm)\{(Re|Im)\}", r"\\\1"),
    (r"\\(?:overrightarrow|vec)" + _END + r"(?!\s*\{?\s*\\?[ijk](?![a-zA-Z]))", r"\\vec"),
    (r"\\(?:bar)" + _END, r"\\overline"),
    (r"_\{?(?:\\text\{)?(two|three|four|five|six|seven|eight|nine|ten)\}*", lambda found: f"_{{{_BASES[found[1]]}}}"),
    # The unit vectors, which are not the imaginary unit.
    (
        r"\\(?:mathbf|hat|vec|boldsymbol|overrightarrow)\s*\{?\s*(?:\\(?:mathbf|hat|vec)\s*\{?\s*)?"
        + _UNIT_VECTOR
        + r"\s*\}{0,2}"
        + _END,
        r" V_\1 ",
    ),
    # Spaces. Not after a backslash: `\\ ` is a line break of a matrix and a space.
    (r"(?<=[0-9iI}])(?:\\[,;:> ]|~)\s*m ?\^ ?\{?([23])\}?$", r"\\text{ m}^\1"),  # 3\,m^2 is set apart as a unit is
    (r"(?<!\\)(?:\\[,;:>]\s*|\\ |\\q?quad" + _END + "|~)", " "),
    (r"\\(?:boldsymbol|bm|underline|mathbf|mathit|mathsf)\s*\{([^{}RZNQC][^{}]*|[RZNQC][^{}]+)\}", r"\1"),
    (r"\\mathbf\s*\{?([RZNQC])\}?", r"\\mathbb{\1}"),
    (r"\\mathbb\s*([A-Z])", r"\\mathbb{\1}"),
    (r"\\mathbb\{N\}(?:\^\{?[*+]\}?|_\{?[*+]\}?)|\\mathbb\{Z\}(?:_\{?(?:\+|>0|\\ge ?1)\}?|\^\{?\+\}?)", r"\\mathbb{N}"),
    (r"\\mathbb\{R\}(?:_\{?(?:\+|> ?0)\}?|\^\{?\+\}?)", r"\\mathbb{R}^+"),
    (r"\\(?:[dtcs]|nice)frac" + _END, r"\\frac"),
    (r"\{([^{}]*)\\over" + _END + r"([^{}]*)\}", r"\\frac{\1}{\2}"),
    (r"\{([^{}]*)\\choose" + _END + r"([^{}]*)\}", r"\\binom{\1}{\2}"),
    (r"\{\}_\{?([a-zA-Z0-9]+)\}? ?C_\{?([a-zA-Z0-9]+)\}?", _write_binomial),
    (
        r"(?<![\\a-zA-Z])(?:C|\\mathrm\{C\})_(?:\{([a-z0-9]+)\}|([a-z0-9]))\^(?:\{([a-z0-9]+)\}|([a-z0-9]))",
        _write_binomial,
    ),
    (r"\\(?:dots|cdots|dotsc)" + _END + r"|\.\.\.", r"\\ldots"),
    (r"\\textdollar" + _END, r"\\$"),
    (r"\\varnothing" + _END + r"|\\O" + _END, r"\\emptyset"),
    (r"^\\?\(?(?:\\(?:therefore|implies|Rightarrow|Longrightarrow|because)" + _END + r" ?)+", ""),
    (r"\\(?:implies|Longrightarrow)" + _END, r"\\Rightarrow"),
    (r"\\(?:degree|textdegree)" + _END + r"|\^ ?\{? ?\\circ ?\}?(?= ?(?:\\(?:text|mathrm)\{ ?)?[CF]\b)", "°"),
    (
        r"\s*(?:\\?%|\\(?:text|mathrm|mbox)\{ ?(?:\\?%|percent|pct) ?\}"
        r"|(?<![a-zA-Z\\{])(?:percentage|percent|pct)(?![a-zA-Z]))",
        "%",
    ),
)


_COMPILED = tuple((re.compile(pattern), spelling) for pattern, spelling in _ROWS)


def respell(answer: str) -> str:
    r"""Return `answer` with each spelling replaced by the one that is used. `respell(r"\tfrac12") == r"\frac12"`"""
    is_escaped_once = r"\begin" in answer or not answer.strip("\\")
    for pattern, spelling in _COMPILED[is_escaped_once:]:
        answer = pattern.sub(spelling, answer)
    return answer

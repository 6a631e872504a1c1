"""What the reader looks for next, as patterns, and the names that it knows."""

import re

from reward_fns.expressions.values import FUNCTIONS, ROUNDED

PLAIN_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3}(?![0-9a-zA-Z]))?")
GROUPED_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?")
MIXED = re.compile(r"\\frac\{([0-9]+)\}\{([0-9]+)\}")
ANY_COMMAND = re.compile(r"\\([a-zA-Z]+)")
LETTERS = re.compile(r"[a-zA-Z]+")
ONE_LETTER = re.compile(r"[a-zA-Z]")
SUBSCRIPT = re.compile(r"_(?:\{([^{}]*)\}|([0-9a-zA-Z]|\\[a-zA-Z]+))")
DEGREES = re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|°")
TIMES = re.compile(r"\*(?!\*)|\\(?:cdot|times|ast)(?![a-zA-Z])")
DIVIDED_BY = re.compile(r"/|\\div(?![a-zA-Z])")
CLOSING_COMMAND = re.compile(r"\\r(?:floor|ceil)")
POWER_SIGN = re.compile(r"\^|\*\*")
FUNCTION_NAME = re.compile(r"(?:[fghuFGH]|\\?(?:Gamma|zeta|delta))(?:_.*)?'*")
NUMBER_IN_PARENTHESES = re.compile(r"\(\s*-?[0-9.]+\s*\)")
FONT = re.compile(r"\\(mathrm|mathbf|mathit|text|textbf|textit|textrm|operatorname)\{\s*([a-zA-Z]+)\s*\}")
CLOSING_BRACKETS = {"(": ")", "{": "}", "[": "]"}

SYMBOL_NAME = re.compile(
    "alpha|beta|gamma|delta|(?:var)?epsilon|zeta|eta|(?:var)?theta|kappa|lambda|mu|nu|xi|rho|sigma|tau|upsilon|(?:var)?phi"
    "|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega|infty|ell|hbar"
)
NAMED_CONSTANTS = {"e": lambda: +ROUNDED.e, "i": lambda: ROUNDED.mpc(0, 1)}
PLAIN_COMMANDS = frozenset({"sqrt", "pi", "log", *FUNCTIONS})

# Letters side by side are a product. More than three are a word, and so are these.
MAX_PRODUCT_LETTERS = 3
SHORT_WORD = re.compile("or|if|is|in|no|to|and|the|for|any|all|not|max|min|gcd|lcm|mod|deg|yes", re.IGNORECASE)


def replace_font(font: re.Match[str]) -> str:
    r"""Return the letters of `\mathrm{x}` and of the product `\mathrm{gb}`, or the command of `\operatorname{sin}`.

    Example: `replace_font(FONT.match(r"\mathrm{gb}")) == "gb"`
    """
    letters: str = font[2]
    is_product = font[1] == "mathrm" and len(letters) == 2 and letters != "ln" and not SHORT_WORD.fullmatch(letters)
    return letters if len(letters) == 1 or is_product else f"\\{letters} "

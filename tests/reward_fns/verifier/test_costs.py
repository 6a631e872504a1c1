"""Which answers a computer algebra system is not asked about: the last cheap one and the first costly one of a kind."""

import pytest

from reward_fns.verifier.costs import is_too_costly

PAIRS = {
    # kind: (the last that is asked about, the first that is not)
    "power": ("x^{999}", "x^{1000}"),
    "power without braces": ("2^999", "2^1000"),
    "negative power": ("x^{-999}", "x^{-1000}"),
    "negative power without braces": ("x^-999", "x^-1000"),
    "power after spaces": ("x ^ {999}", "x ^ {1000}"),
    "power in brackets": ("x^(999)", "x^(1000)"),
    "power in the style of Python": ("x**999", "x**1000"),
    "power of a sum": ("(x+y)^{39}", "(x+y)^{40}"),
    "power of a sum after a space": ("(x+y) ^{39}", "(x+y) ^{40}"),
    "power of a group": ("{x}^39", "{x}^40"),
    "second of two powers": ("x^2+y^{999}", "x^2+y^{1000}"),
    "power in an exponent": ("e^{x^9}", "e^{x^{10}}"),
    "power of a number in an exponent": ("2^{x^1}", "2^{3^x}"),
    "tower": ("2^{x}", "2^{3^4}"),
    "factorial": ("1000!", "1001!"),
    "factorial of a factorial": ("3!!", "21!!"),
    "factorial of a group": ("(20n)!", "(21n)!"),
    "factorial in an exponent": ("2^n!", "2^{3!}"),
    "factorial in an exponent without braces": ("2^1!", "2^3!"),
    "binomial coefficient": (r"\binom{100}{50}", r"\binom{101}{50}"),
    "binomial coefficient in display style": (r"\dbinom{100}{50}", r"\dbinom{101}{50}"),
    "binomial coefficient in text style": (r"\tbinom{100}{50}", r"\tbinom{101}{50}"),
    "binomial coefficient in the style of TeX": (r"{100 \choose 50}", r"{101 \choose 50}"),
    "power in a binomial coefficient": (r"\binom{n}{2}", r"\binom{2^n}{2}"),
    "sum": (r"\sum_{k=1}^{50} k", r"\sum_{k=1}^{51} k"),
    "product": (r"\prod_{k=1}^{50} k", r"\prod_{k=1}^{51} k"),
    "sum from a number": (r"\sum_{k=50}^{n} k", r"\sum_{k=51}^{n} k"),
    "product from a number": (r"\prod_{k=50}^{n} k", r"\prod_{k=51}^{n} k"),
    "binomial coefficient in an exponent": ("2^{n}", r"2^{\binom{n}{2}}"),
    "endless sum": (r"\infty", r"\sum_{k=1}^{\infty} k"),
    "integral": (r"\intercal", r"\int_0^1 x"),
    "double integral": (r"\iinteger", r"\iint x"),
    "closed integral": (r"\ointment", r"\oint x"),
    "limit": (r"x\limits", r"\lim_{x \to 0} x"),
    "upper limit": (r"\limsupx", r"\limsup x_n"),
    "lower limit": (r"\liminfx", r"\liminf x_n"),
    "nesting": ("(" * 8 + "x" + ")" * 8, "(" * 9 + "x" + ")" * 9),
    "bars": ("|x|" * 5, "|x|" * 5 + "|"),
    "union": (r"A \cup B \cup C \cup D", r"A \cup B \cup C \cup D \cup E"),
    "power of a matrix": (
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}^5",
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}^{6}",
    ),
    "determinant with letters": (
        r"\begin{vmatrix}a&b&c\\d&f&g\\h&j&k\end{vmatrix}",
        r"\begin{vmatrix}a&b&c&l\\d&f&g&m\\h&j&k&n\end{vmatrix}",
    ),
}


@pytest.mark.parametrize("answer", [pair[0] for pair in PAIRS.values()], ids=PAIRS.keys())
def test_what_has_a_useful_bound_is_asked_about(answer):
    assert not is_too_costly(answer)


@pytest.mark.parametrize("answer", [pair[1] for pair in PAIRS.values()], ids=PAIRS.keys())
def test_what_has_none_is_not(answer):
    assert is_too_costly(answer)


CHEAP = [
    "42",
    "100000",
    r"\frac{1}{2}",
    r"\begin{vmatrix}1&2&3&4\\1&2&3&4\\1&2&3&5\\5&6&7&8\end{vmatrix}",  # numbers only
    "a&b&c&d&e&f&g&h&i&j",  # no matrix
    "(x+1)^2(x+2)^3",
    r"e^{-x^2/2}",
    r"2^{n+1}",
    r"x^{\frac{1}{2}}",
    "x^",
    "",
]


@pytest.mark.parametrize("answer", CHEAP)
def test_ordinary_answers_are_asked_about(answer):
    assert not is_too_costly(answer)

"""How an answer is cleaned, and which texts are the same after that."""

import pytest

from reward_fns.equivalence.text import clean, make_comparable

CLEANED = [
    # delimiters and full stops
    ("$42$", "42"),
    ("$$42$$", "42"),
    (r"\(42\)", "42"),
    (r"\[42\]", "42"),
    ("$42.$", "42"),
    ("$42$.", "42"),
    ("42,", "42"),
    ("42;", "42"),
    (r"42\\\\", "42"),
    ("0.333...", r"0.333\ldots"),
    ("  42 ", "42"),
    ("$", "$"),
    ("$$", ""),
    (r"\(\)", ""),
    (".", ""),
    ("odd $n$", "odd n"),
    ("12 $ and $ 13", "12 and 13"),
    ("$5", "$5"),
    (r"\$5 or \$6", r"\$5 or \$6"),
    # typographic signs
    ("−7", "-7"),  # noqa: RUF001 - the minus sign
    ("–7", "-7"),  # noqa: RUF001 - the en dash
    ("3×4·5÷6", "3*4*5/6"),  # noqa: RUF001 - the multiplication sign
    ("2π", r"2\pi"),
    ("∞", r"\infty"),
    ("x≤1", r"x\le 1"),
    ("x≥1", r"x\ge 1"),
    ("x≠1", r"x\ne 1"),
    ("A∪B", r"A\cup B"),  # noqa: RUF001 - the sign of a union
    ("x∈A", r"x\in A"),
    ("±2", r"\pm 2"),
    ("1\u00a0234", "1 234"),
    ("1\u202f234", "1 234"),
    # spacing and sizes
    (r"1\,234", "1234"),
    (r"1\,\,234", "1 234"),
    (r"1\, 234", "1234"),
    (r"1\,23", "1 23"),
    (r"a\;b\:c\>d\ e~f", "a b c d e f"),
    (r"a\quad b\qquad c", "a b c"),
    (r"a\quadb", r"a\quadb"),
    (r"a\! b", "ab"),
    (r"32,\! 349", "32349"),
    ("1{,}234", "1234"),
    (r"\left( 3, \right]", "( 3, ]"),
    (r"\bigl(\Big(1\Bigg)\biggr)", "((1))"),
    (r"\displaystyle\textstyle 4", "4"),
    (r"\leftarrow \rightarrow \bigcup \limitsx", r"\leftarrow \rightarrow \bigcup \limitsx"),
    # fractions
    (r"\dfrac{1}{2}", r"\frac{1}{2}"),
    (r"\tfrac12", r"\frac{1}{2}"),
    (r"\cfrac ab", r"\frac{a}{b}"),
    (r"\frac 1{2}", r"\frac{1}{2}"),
    (r"\frac {1}{ 2 }", r"\frac{1}{2}"),
    (r"\frac{x y}{2}", r"\frac{x y}{2}"),
    (r"\dfraction", r"\dfraction"),
    # percent and degrees
    (r"28\%", "28%"),
    ("28 percent", "28%"),
    ("28 pct", "28%"),
    ("28 percentage", "28%"),
    (r"28\text{ percent}", "28%"),
    (r"28\mathrm{\%}", "28%"),
    ("percentile", "percentile"),
    (r"90^\circ", "90"),
    (r"90 ^{ \circ }", "90"),
    ("90°", "90"),
    ("90 degrees", "90"),
    ("1 degree", "1"),
    (r"90\text{ degrees}", "90"),
    (r"90^\circ.", "90"),
    (r"90^\circ + x", r"90^\circ + x"),
    (r"\sin 90^\circ", r"\sin 90^\circ"),
    (r"\sec 90^\circ", r"\sec 90^\circ"),
    (r"\csc 90^\circ", r"\csc 90^\circ"),
    (r"30 seconds 90^\circ", "30 seconds 90"),
    # commands escaped twice, and line breaks
    (r"\\frac{1}{2}", r"\frac{1}{2}"),
    (r"1\\ 2", r"1\\ 2"),
    (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \\, 5 \end{pmatrix}", r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \\, 5 \end{pmatrix}"),
    (r"\begin{pmatrix}1\\b\end{pmatrix}", r"\begin{pmatrix}1\\b\end{pmatrix}"),
]


@pytest.mark.parametrize(
    ("answer", "cleaned"), CLEANED, ids=[case[0].encode("unicode_escape").decode() for case in CLEANED]
)
def test_cleaning_removes_what_carries_no_meaning(answer, cleaned):
    assert clean(answer) == cleaned


@pytest.mark.parametrize("answer", [case[1] for case in CLEANED])
def test_what_is_clean_stays_as_it_is(answer):
    assert clean(answer) == answer


@pytest.mark.parametrize(
    ("answer", "bare"),
    [
        ("n - 1", "n-1"),
        ("1 234", "1 234"),  # two numbers, or one
        ("1 , 2", "1,2"),
        ("x 2", "x2"),
        (r"\text{odd}", "odd"),
        (r"\textbf{C} \mathrm{m} \mbox{x y} \hbox{z}", "Cmxyz"),
        ("{}^2", "^2"),
        (r"\text{a{b}}", r"\text{a{b}}"),
    ],
)
def test_bare_text_has_no_text_commands_and_spaces_between_digits_only(answer, bare):
    assert make_comparable(answer) == bare

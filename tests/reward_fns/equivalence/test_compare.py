"""Which answers are the same, which are different, and which are left to the verifier."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.expressions.values import TooLarge
from reward_fns.math_reward import grade

SAME = [
    ("42", "42"),
    ("42.0", "42"),
    ("$42$", "42"),
    (r"\(42\)", "42"),
    ("42.", "42"),
    ("+42", "42"),
    ("+1,234", "1234"),
    ("1e3", "1000"),
    (".5", r"\frac{1}{2}"),
    (r"\dfrac{2}{4}", r"\tfrac{1}{2}"),
    ("−7", "-7"),  # noqa: RUF001 - the typographic minus sign
    (r"1,000\frac{1}{2}", "1000.5"),
    ("5 million", "5,000,000"),
    (r"9 \text{ inches}", "9 inch"),
    (r"\approx 5", "5"),
    ("n - 1", "n-1"),
    ("x+1", "1+x"),
    (r"\sqrt{4}", "2"),
    (r"\sqrt{2} \text{ cm}", r"\sqrt{2}"),
    (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\frac{\pi}{2})"),
    (r"\begin{pmatrix} 1 \\ 0.5 \end{pmatrix}", r"\begin{bmatrix} 1 \\ \frac12 \end{bmatrix}"),
    (r"(0,1) \cup (2,\infty)", r"(2,\infty)\cup(0,1)"),
    ("(1,(2,3))", "(1,(2,3.0))"),
    (r"\{(1,2),(3,4)\}", "(3,4),(1,2)"),
    (r"f(x)=x^2+1", "1+x^2"),
    ("x=(1,2)", "x=(1.0,2)"),
    ("x<1 or x>2", "x>2 or x<1"),
    (r"\lfloor 2.5 \rfloor", "2"),
    # A letter that stands by itself in one of the answers is no function in the other.
    ("f(2)", "2f"),
    ("u(u+1)", "u^2+u"),
    ("F(a-b)", "Fa-Fb"),
    (r"\binom{n}{2}", r"\frac{n(n-1)}{2}"),
    ("(n+1)!", "(n+1) n!"),
    (r"\frac{n!}{(n-1)!}", "n"),
    ("(2n-1)!!", r"\frac{(2n)!}{2^n n!}"),
    (r"\cos(n\pi)", "(-1)^n"),
    (r"2^n \cdot 2", "2^{n+1}"),
    (r"\pi h(r+h)", r"\pi hr+\pi h^2"),
    (r"\frac{h(a+b)}{2}", r"\frac{(a+b)h}{2}"),
]

DIFFERENT = [
    ("41", "42"),
    (r"\frac{1}{3}", r"\frac{1}{4}"),
    ("0.333", "1/3"),
    ("-2.5", "2.5"),
    ("1,234", "1.234"),
    (r"\frac{1}{0}", "1"),
    ("1/2004!", "1/2006!"),
    ("3!!", "720"),
    (r"\binom{n}{2}", r"\frac{n(n+1)}{2}"),
    ("(n+1)!", r"n \cdot n!"),
    ("(-1)^n", "(-1)^{n+1}"),
    ("2^{-98}", "2^{-99}"),
    (r"e^{\pi\sqrt{163}}", "262537412640768744"),
    (r"5\text{ m/s}", r"5\text{ m}"),
    (r"5\text{ s}", r"5\text{ cm}"),
    (r"\sqrt{2} \text{ cm}", r"\sqrt{2} \text{ km}"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "1"),
    ("(1,2)", "1"),
    (r"(0,1) \cup (2,3)", "1"),
    ("2x+z=5", "5"),
    ("2x+z=5", r"5\text{ cm}"),
    ("(1,2)", r"5\text{ cm}"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"5\text{ cm}"),
    (r"(0,1) \cup (2,3)", r"5\text{ cm}"),
    ("undefined", "5"),
    (r"\{\{1\},\{2\}\}", "1,2"),
    (r"\{1\},\{2\}", "(1,2)"),
    (r"\{1\},2", "(1,2)"),
    (r"5 \text{ or more}", "5"),
    (r"2 \text{ hours } 30 \text{ minutes}", r"2 \text{ hours } 20 \text{ minutes}"),
    (r"x \equiv 1 \pmod 3", r"x \equiv 2 \pmod 3"),
    ("x(3)", "4x"),
    ("f(2)", "2g"),
    ("u(u+1)", "u^2-u"),
    ("f(x+1)", "f(x)+f(1)"),
    ("1", ""),
    ("", "1"),
    ("", "x"),
    ("$$", "x+1"),
    ("", ""),
    ("{}", "{}"),
    ("$$", "."),
]

OPEN = [
    ("٤٢", "42"),  # Digits of another script are not read as numbers.
    ("1/2x", "x/2"),
    (r"\log 100", "2"),
    (r"x\%", "x"),
    (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "-2"),
]


@pytest.mark.parametrize(
    ("candidate", "gold", "expected"),
    [(*pair, verdict) for pairs, verdict in ((SAME, True), (DIFFERENT, False), (OPEN, None)) for pair in pairs],
)
def test_answers_are_the_same_different_or_left_open(candidate, gold, expected):
    assert compare_quickly(candidate, gold) is expected
    assert compare_quickly(gold, candidate) is expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("candidate", "gold", "accuracy"),
    [
        (r"\log 100", "2", 1.0),
        (r"2\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}2\\4\end{pmatrix}", 1.0),
        (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "-2", 1.0),
        (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "2", 0.0),
        (r"2\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}2\\2\end{pmatrix}", 0.0),
    ],
)
def test_what_is_left_open_is_settled_by_the_verifier(candidate, gold, accuracy):
    assert compare_quickly(candidate, gold) is None
    assert grade(rf"\boxed{{{candidate}}}", gold) == accuracy


def test_what_is_too_large_to_compute_is_an_error_unless_the_text_is_the_same():
    assert compare_quickly("9^{9^{9^9}}", "9^{9^{9^9}}") is True
    for pair in (("9^{9^{9^9}}", "1"), ("1", "9^{9^{9^9}}")):
        with pytest.raises(TooLarge):
            compare_quickly(*pair)


PIECES = r"""
1 2 12 0 28 0.5 .5 1,234 1,5 x y e i n AB C (C) \pi \frac{1}{2} \frac12 \dfrac{x}{2} \sqrt{2} \sqrt[3]{x} + - * / ^ ^{2}
_ _5 ! ( ) [ ] { } \{ \} , ; = < > \le \ge \ne \in \cup \pm \% % \text{cm} cm \text{or} or and \infty \cdot \times
\left(
\right) \sin \ln \log \log_2 ^\circ \begin{pmatrix} \end{pmatrix} & \\ $ \$ \approx \mid | : ' \binom{5}{2} . odd \, \!
million 10^{10} \mathbb{R} ° ² f(x) \overline{AB} \int
"""
pieced = st.lists(st.sampled_from([*PIECES.split(), " "]), max_size=8).map("".join)
answers = pieced | st.text(max_size=60)


def verdict_on(candidate, gold):
    try:
        return compare_quickly(candidate, gold)
    except TooLarge:
        return "too large"


@pytest.mark.slow
@settings(max_examples=400)
@given(answers, answers)
def test_any_two_texts_are_compared_without_another_error_and_alike_from_both_sides(candidate, gold):
    verdicts = [verdict_on(candidate, gold), verdict_on(gold, candidate)]
    assert set(verdicts) <= {True, False, None, "too large"}
    # A decimal comma and a choice letter depend on the side.
    if "," not in candidate + gold and not any(letter in candidate + gold for letter in "ABCDEFGHIJ"):
        assert (verdicts[0] is True) == (verdicts[1] is True)


@given(answers)
def test_a_text_that_is_not_blank_equals_itself(answer):
    assert compare_quickly(f"1{answer}", f"1{answer}") is True

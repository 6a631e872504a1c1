"""Answers in words: choice letters, names, and words within a formula."""

import pytest

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.equivalence.words import compare_words, is_different_in_words

SAME = [
    ("C", "C"),
    ("(C)", "C"),
    ("(J)", "J"),
    ("C.", "C"),
    ("C)", "C"),
    ("C:", "C"),
    (r"\text{C}", "C"),
    (r"\textbf{(C)}", "C"),
    ("(C) 42", "C"),
    ("C. x=42", "(C)"),
    (r"\text{(C) } x", "C"),
    ("odd", "odd"),
    ("odd", "Odd"),
    (r"\text{odd}", "odd"),
    ("even", "EVEN"),
    (r"\text{Saint Louis}", "saint louis"),
    ("O'Brien", "o'brien"),
    ("two-sided", "Two-sided"),
    ("III", "III"),
    (r"\text{no}", "no"),
]

DIFFERENT = [
    ("C. x=42", "D. x=42"),  # labels of the same text
    ("D", "C"),
    ("(D)", "C"),
    ("D. x=42", "C"),
    ("(D) 42", "(C)"),
    ("even", "odd"),
    ("oddd", "odd"),
    ("even", "5"),
    (r"\text{no}", r"\text{yes}"),
    (r"\text{no}", "5"),
    ("III", "II"),
    ("III", "iii"),
    ("IV", "4"),
    ("Saint Louis", "Saint Paul"),
    ("C or D", "C"),
]

NO_WORDS = [
    ("5", "6"),
    ("x", "y"),
    ("x", "C"),
    ("C. or D", "C"),
    ("C. not D", "C"),
    ("neither (C)", "C"),
    ("(C) is not right", "C"),
    ("(C) D", "C"),
    ("a b c", "5"),
    ("A, C", "C"),
    ("K", "C"),
    ("C 42", "C"),
    ("xyz", "abc"),
    ("ab", "ba"),
    ("sin x + 1", "5"),
    (r"\text{a}", "b"),
]


@pytest.mark.parametrize(
    ("candidate", "gold", "expected"),
    [(*pair, verdict) for pairs, verdict in ((SAME, True), (DIFFERENT, False), (NO_WORDS, None)) for pair in pairs],
)
def test_words_and_choice_letters_are_the_same_different_or_no_such(candidate, gold, expected):
    assert compare_words(candidate, gold) is expected
    assert compare_words(gold, candidate) is expected


SETTLED = [
    # what math-verify passes over
    (r"x \equiv 1 \pmod 3", "x"),
    (r"x \equiv 1", "1"),
    (r"17 \mod 5", "2"),
    (r"17 \bmod 5", "2"),
    (r"1, 2, \ldots, n", "1"),
    (r"a \mid b", "1"),
    (r"\forall x", "1"),
    (r"\exists x", "1"),
    (r"\overline{AB}", "AB"),
    (r"\vec{v}", "v"),
    (r"\hat v", "v"),
    (r"\operatorname{lcm} x", "x"),
    (r"\{x : x>1\}", "1"),
    (r"2 \text{ hours } 30 \text{ minutes}", r"2 \text{ hours } 20 \text{ minutes}"),
    (r"2 \mathrm{ hours } 30", "2"),
    # other words
    (r"5 \text{ apples}", r"5 \text{ pears}"),
    (r"x \text{ is even}", "x is odd"),
    (r"5 \text{ or more}", "5"),
    ("5 only", "5"),
    (r"5 \text{ wrong}", "5"),
    (r"5 \text{ at least}", "5"),
]

NOT_SETTLED = [
    ("5", "6"),
    ("x+1", "1+x"),
    (r"\frac{1}{2}", "0.5"),
    (r"\sin x", r"\cos x"),
    (r"\begin{pmatrix}1\end{pmatrix}", r"\begin{bmatrix}1\end{bmatrix}"),
    (r"\begin{array}{cc}1&2\end{array}", "1"),
    (r"\begin{array}{cc}x&\text{ab}\end{array}", r"\text{ab}"),
    (r"5 \text{ apples}", r"6 \text{ Apples}"),
    (r"x \text{ apples}", "apples x"),
    (r"\vector", "v"),
    (r"\text{a} 5", "5"),
]


@pytest.mark.parametrize(("candidate", "gold"), SETTLED)
def test_other_words_and_what_is_passed_over_settle_a_comparison(candidate, gold):
    assert is_different_in_words(candidate, gold)
    assert is_different_in_words(gold, candidate)


@pytest.mark.parametrize(("candidate", "gold"), NOT_SETTLED)
def test_the_same_words_or_none_settle_nothing(candidate, gold):
    assert not is_different_in_words(candidate, gold)
    assert not is_different_in_words(gold, candidate)


@pytest.mark.parametrize(
    ("candidate", "gold", "verdict"),
    [
        (r"\textbf{(B)}\ 20", "20", True),
        (r"\text{(C) 28}", "28", True),
        (r"(E) 3+2\sqrt{2}", r"3+2\sqrt{2}", True),
        ("(B) 21", "20", False),
        ("(A) or (B)", "20", False),
        ("(C) 42", "(D) 42", False),
        ("(C) 42", "(C) 42", True),
        ("(A)", "A", True),
    ],
)
def test_the_label_of_a_choice_does_not_matter_where_the_reference_has_none(candidate, gold, verdict):
    assert compare_quickly(candidate, gold) is verdict

"""Phrases, times, choices, congruences, names and TeX: spellings of one answer, and near misses."""

import pytest

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.math_reward import grade

SPELLINGS = [
    ["does not exist", r"\text{DNE}", "Does not exist"],
    ["No solution", r"\emptyset", r"\text{no solutions}", r"\{\}", r"\varnothing"],
    [r"\text{4:30 p.m.}", r"4:30 \text{ PM}", "4:30pm"],
    ["5am", "5:00 AM"],
    ["3:30", "3{:}30"],
    ["ACD", "A, C, D", r"(A)(C)(D)", r"A, C \text{ and } D"],
    ["(1)(3)(4)", "(1), (3), (4)", "①③④"],
    ["six", "6", "6 (six)"],
    ["42", r"\text{The answer is } 42", r"\textcolor{blue}{42}", r"{\color{blue} 42}", r"\ 42\ ", r"\hspace{1mm}42"]
    + [r"42 \quad \checkmark", r"42\tag{1}", r"42\phantom{1}"],
    [r"\frac{1}{2}", r"\sfrac{1}{2}", r"\nicefrac{1}{2}"],
    [r"\frac{1}{6}", r"0.1\dot{6}"],
    [r"\frac{4}{11}", r"0.\dot{3}\dot{6}"],
    [r"\frac{41}{333}", r"0.\dot{1}2\dot{3}"],
    [r"\max(a,b)", r"\max\{a,b\}"],
    [r"x \equiv 2 \pmod{5}", r"x \equiv 2 \pmod 5", r"x\equiv 2 \bmod 5", r"x \equiv 2 \ (\text{mod } 5)"]
    + [r"x \equiv 2, 7 \pmod{10}", r"x \equiv -3 \pmod{5}"],
    [r"m \equiv 2, 5, 7, 10 \pmod{12}", r"m \equiv \pm 2, \pm 5 \pmod{12}", r"m \equiv 10, 7, 5, 2 \pmod{12}"],
    ["x=2, y=4, z=5", "(x,y,z)=(2,4,5)", r"\begin{cases} x=2 \\ y=4 \\ z=5 \end{cases}", "(2,4,5)"],
    ["x=y=4, z=2", "x=4, y=4, z=2"],
    ["a=1 or a=-2", "a_1=1, a_2=-2"],
    [r"y^2=2x+1, a=\frac{3}{4}", "a=0.75, y^2-2x=1"],
    [r"x=\frac{2\pi k}{3}", r"x=\frac{2k\pi}{3}, k \in \mathbb{Z}", r"x=\frac{2k\pi}{3} (k\in\mathbb{Z})"],
    [r"\frac{1}{x}=2", "2x=1", "x=1/2"],
    ["ab=1", "a=1/b", r"b=\frac{1}{a}"],
    [r"\langle 1, 2\rangle", "(1,2)", r"\begin{pmatrix}1\\2\end{pmatrix}"],
    [r"2\mathbf{i}+3\mathbf{j}", r"2\hat{i}+3\hat{j}", r"3\vec{j}+2\vec{i}"],
    ["f(x)=x^2", "y=x^2"],
]
DIFFERENT = [
    ("does not exist", r"\emptyset"),
    ("DNE", "0"),
    ("no solution", "0"),
    ("4:30 pm", "4:30 am"),
    ("4:30", "4:31"),
    ("5am", "5:01 am"),
    ("ACD", "A, C"),
    ("ACD", "A, B, D"),
    ("(1)(3)(4)", "(1)(3)"),
    ("CAB", "ABC"),
    ("six", "7"),
    (r"\phantom{17}", "17"),
    (r"0.1\dot{6}", "0.16"),
    (r"0.\dot{3}\dot{6}", r"\frac{36}{100}"),
    (r"x \equiv 2 \pmod{5}", r"x \equiv 3 \pmod{5}"),
    (r"x \equiv 2 \pmod{5}", r"x \equiv 2 \pmod{7}"),
    (r"x \equiv 2 \pmod{5}", r"y \equiv 2 \pmod{5}"),
    (r"x \equiv 2 \pmod{5}", r"x \equiv 2 \pmod{10}"),
    (r"x \equiv 2 \pmod{5}", "2"),
    (r"x \equiv \pm 2 \pmod{5}", r"x \equiv 2 \pmod{5}"),
    ("(x,y)=(1,0)", "x=0, y=1"),
    ("(x,y)=(1,0)", "(0,1)"),
    (r"\begin{cases} x=1 \\ y=2 \end{cases}", "x=2, y=1"),
    ("x=y=4, z=2", "x=4, y=2, z=2"),
    (r"\frac{1}{x}=2", "x=2"),
    ("ab=1", "a=b"),
    ("ab=1", "a=-1/b"),
    ("x(y-1)=0", "x=0"),
    ("x^2=1", "x=1"),
    (r"\langle 1, 2\rangle", r"\langle 2, 1\rangle"),
    (r"2\mathbf{i}+3\mathbf{j}", r"3\hat{i}+2\hat{j}"),
    (r"2\hat{i}", "2i"),
    (r"x=2\pi k, k \in \mathbb{Z}", r"x=\pi k"),
    ("f(x)=x^2", "y=x^3"),
]


@pytest.mark.parametrize("spellings", SPELLINGS, ids=[spellings[0] for spellings in SPELLINGS])
def test_every_spelling_of_an_answer_equals_every_other(spellings):
    for one in spellings:
        for other in spellings:
            assert compare_quickly(one, other) is True, (one, other)


@pytest.mark.parametrize(("candidate", "gold"), DIFFERENT)
def test_near_misses_are_different(candidate, gold):
    for one, other in ((candidate, gold), (gold, candidate)):
        verdict = compare_quickly(one, other)
        assert verdict is False or (verdict is None and grade(rf"\boxed{{{one}}}", other) == 0.0)

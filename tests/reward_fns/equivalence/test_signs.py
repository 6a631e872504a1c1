"""Signs of Unicode become LaTeX; none of them is flattened into its neighbours."""

import pytest

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.equivalence.signs import translate_signs
from reward_fns.math_reward import grade

SAME = [
    ("10⁴", "10000"),
    ("10⁻³", "10^{-3}"),
    ("2⁵", "32"),
    ("2¹⁰", "1024"),
    ("2ⁿ", "2^n"),
    ("x⁽¹⁺²⁾", "x^3"),
    ("x₁₂", "x_{12}"),
    ("¾", r"\frac{3}{4}"),
    ("3¾", r"\frac{15}{4}"),
    ("2⅓", r"\frac{7}{3}"),
    ("1⁄2", "0.5"),
    ("ℝ", r"\mathbb{R}"),
    ("√5", r"\sqrt{5}"),
    ("2√3", r"2\sqrt{3}"),
    ("√(x+1)", r"\sqrt{x+1}"),
    ("∛8", "2"),
    ("2·3", "6"),
    ("−½", "-0.5"),  # noqa: RUF001
    ("θ", r"\theta"),
    ("②③", r"\textcircled{2}\textcircled{3}"),
    ("x=1或x=2", r"x=1 \text{ or } x=2"),
]
DIFFERENT = [
    ("10⁴", "104"),
    ("2¹", "21"),
    ("2¹⁰", "210"),
    ("10⁻³", "10-3"),
    ("3¾", "33/4"),
    ("x⁺¹", "x+1"),
    ("x₁", "x_2"),
    ("√5", "5"),
    ("2√3", r"\sqrt{23}"),
    ("②③", r"\textcircled{2}\textcircled{4}"),
    ("²", "2"),
]


@pytest.mark.parametrize(("candidate", "gold"), SAME)
def test_signs_mean_what_their_latex_means(candidate, gold):
    assert compare_quickly(candidate, gold) is True
    assert compare_quickly(gold, candidate) is True


@pytest.mark.parametrize(("candidate", "gold"), DIFFERENT)
def test_signs_are_not_flattened(candidate, gold):
    for one, other in ((candidate, gold), (gold, candidate)):
        assert compare_quickly(one, other) is not True
        assert grade(rf"\boxed{{{one}}}", other) == 0.0


def test_plain_text_is_not_changed():
    assert translate_signs(r"\frac{1}{2} + x^2") == r"\frac{1}{2} + x^2"

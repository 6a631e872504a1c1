"""Sets of real numbers in all their spellings, and near misses of each."""

import pytest

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.math_reward import grade

SPELLINGS = [
    [r"1<x<3", "3>x>1", "(1,3)", "]1,3[", r"x>1 \text{ and } x<3", r"x \in (1,3)", r"\{x \mid 1<x<3\}", "1<x, x<3"]
    + [r"\{x : 1<x<3\}", r"\{x \in \mathbb{R} \mid 1<x<3\}", "|x-2|<1", "2<2x<6", r"(1,\infty)\cap(-\infty,3)"],
    [
        r"x \ge 5",
        r"[5,\infty)",
        r"5 \le x < \infty",
        r"x \not< 5",
        r"x \in [5,+\infty)",
        r"\{x \mid x \geq 5\}",
        "-x<=-5",
    ],
    [r"x>4 \text{ or } x \leqslant -1", r"(-\infty,-1] \cup (4,\infty)", r"x \in (4,\infty) \cup (-\infty,-1]"]
    + [r"\mathbb{R} \setminus (-1,4]"],
    [r"(-\infty,\infty)", r"\text{all real numbers}", r"\mathbb{R}", r"x \in \mathbb{R}"],
    [
        r"x \ne 0, 4",
        r"(-\infty,0)\cup(0,4)\cup(4,\infty)",
        r"\mathbb{R} \setminus \{0,4\}",
        r"x \ne 0 \text{ and } x \ne 4",
    ],
    [r"a \in \{-2,1\}", r"a=1 \text{ or } a=-2", "a=1, -2"],
    [r"\{1,2,3\}", r"\{n \in \mathbb{N} : 1 \le n \le 3\}", r"\{n \in \mathbb{Z} \mid 0<n<4\}"],
    [r"[1,3]", r"[1,2] \cup [2,3]", r"1 \le x \le 3"],
    [r"m \ge \sqrt{2}", r"m \in [\sqrt{2}, +\infty)", r"[\sqrt{2},\infty)"],
]
DIFFERENT = [
    ("1<x<3", r"1 \le x<3"),
    ("1<x<3", "[1,3]"),
    ("]1,3[", "[1,3]"),
    ("]1,3]", "(1,3)"),
    ("1<x<3", "1<y<3"),
    ("1<x<3", "(1,4)"),
    (r"x>1 \text{ or } x<3", "(1,3)"),
    (r"x>4 \text{ or } x<-1", r"x>4 \text{ and } x<-1"),
    (r"x \ge 5", r"(5,\infty)"),
    (r"x \not< 5", r"x<5"),
    (r"(1,2) \cup (2,3)", "(1,3)"),
    (r"\{x \mid x>5\}", r"\{x \mid x<5\}"),
    (r"x \ne 0,4", r"x \ne 0,5"),
    ("|x|<2", "x<2"),
    ("|x|<2", r"|x| \le 2"),
    ("|x|>2", "-2<x<2"),
    (r"\mathbb{R}", r"\{0\}"),
    (r"\text{all real numbers}", r"\text{no real solution}"),
    (r"\{n \in \mathbb{N} : 1 \le n \le 3\}", r"\{1,2\}"),
    (r"a \in \{-2,1\}", r"a \in \{2,1\}"),
    (r"[1,\infty)", r"[2^{\frac{1}{2^{1000}}}, \infty)"),
    (r"m \ge \sqrt{2}", r"m \ge 1.4142135623730951"),
]
OPEN_TO_OTHERS = [("(1,2)", "(1,2,3)"), ("x<a", "(0,a)"), ("x^3<8", "(-2,2)")]


@pytest.mark.parametrize("spellings", SPELLINGS, ids=[spellings[0] for spellings in SPELLINGS])
def test_every_spelling_of_a_set_equals_every_other(spellings):
    for one in spellings:
        for other in spellings:
            assert compare_quickly(one, other) is True, (one, other)


def test_no_spelling_of_a_set_equals_one_of_another_set():
    for place, spellings in enumerate(SPELLINGS):
        for others in SPELLINGS[:place]:
            assert not [(one, other) for one in spellings for other in others if compare_quickly(one, other) is True]


@pytest.mark.parametrize(("candidate", "gold"), DIFFERENT)
def test_near_misses_are_different(candidate, gold):
    for one, other in ((candidate, gold), (gold, candidate)):
        verdict = compare_quickly(one, other)
        assert verdict is False or (verdict is None and grade(rf"\boxed{{{one}}}", other) == 0.0)


@pytest.mark.parametrize(("candidate", "gold"), OPEN_TO_OTHERS)
def test_what_is_no_set_of_numbers_is_never_called_the_same(candidate, gold):
    assert compare_quickly(candidate, gold) is not True

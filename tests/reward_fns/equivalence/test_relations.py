"""Inequalities are the same up to a positive factor, and no values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.equivalence.relations import compare_relations, name_set

SAME = [
    ("x<1", "x<1"),
    ("x<1", "1>x"),
    (r"x\lt 1", "x<1"),
    (r"x\gt 1", "x>1"),
    ("x<=1", r"x\le 1"),
    (r"x\leq 1", r"x\le 1"),
    (r"x\geq 1", r"x\ge 1"),
    (r"x\geq 1", "x>=1"),
    (r"x\neq 1", r"x\ne 1"),
    ("x!=1", r"x\ne 1"),
    (r"x\ne 1", r"1\ne x"),
    (r"x\ne 1", r"-x\ne -1"),
    ("-x>-1", "x<1"),
    ("2x<2", "x<1"),
    ("x-1<0", "x<1"),
    (r"\pi x \ge \pi", r"x \ge 1"),
    ("x+y>2", "2-x<y"),
]

DIFFERENT = [
    ("x<1", "x>1"),
    ("x<1", "-x<-1"),
    ("x<1", r"x\le 1"),
    ("x<1", r"x\ne 1"),
    (r"x\le 1", r"x\ge 1"),
    ("x<1", "x<2"),
    ("x<1", "y<1"),
    ("x<1", "5"),
    ("x<1", "x"),
    (r"x\ne 1", "x!=2"),
]

OPEN = [
    ("1<x<3", "1<x<3"),
    ("1<x<3", "x<3"),
    (r"x\equiv 1", r"x\equiv 1"),
    (r"x\in A", "x<1"),
    ("x<1", "x=1"),
    ("x<=1", "x==1"),
    ("x<1", "(1,2)"),
    ("x<1", "wxyz"),
    ("x<wxyz", "x<1"),
    ("x<", "x<1"),
    (r"x \mid 6", r"x \mid 6"),
    (r"a \sim b", "a<b"),
    (r"A \subset B", "A<B"),
    (r"A \cong B", "A<B"),
]


@pytest.mark.parametrize(
    ("candidate", "gold", "expected"),
    [(*pair, verdict) for pairs, verdict in ((SAME, True), (DIFFERENT, False), (OPEN, None)) for pair in pairs],
)
def test_inequalities_are_the_same_different_or_left_open(candidate, gold, expected):
    assert compare_relations(candidate, gold) is expected
    assert compare_relations(gold, candidate) is expected


SIGNS = {"<": ">", r"\le ": r"\ge ", ">": "<", r"\ge ": r"\le ", r"\ne ": r"\ne "}
factors = st.integers(-9, 9).filter(bool)


@given(st.integers(-9, 9), st.sampled_from(sorted(SIGNS)), factors, st.booleans())
def test_a_factor_keeps_an_inequality_and_turns_its_sign_if_it_is_negative(bound, sign, factor, is_turned):
    multiplied = SIGNS[sign] if (factor < 0) != is_turned else sign
    is_same = not is_turned or sign == r"\ne "
    assert compare_relations(f"{factor}x{multiplied}{factor * bound}", f"x{sign}{bound}") is is_same


@given(st.integers(-9, 9), st.sampled_from(sorted(SIGNS)), st.sampled_from(sorted(SIGNS)))
def test_only_the_turned_sign_is_the_same_the_other_way_round(bound, sign, other):
    assert compare_relations(f"x{sign}{bound}", f"{bound}{other}x") is (SIGNS[sign] == other)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (r"x \in (0,1]", "(0,1]"),
        (r"x\in\mathbb{R}", r"\mathbb{R}"),
        (r"f(x) \in A", "A"),
        (r"x+y \in (0,1)", r"x+y \in (0,1)"),
        (r"2 \in x", r"2 \in x"),
        (r"x \infty", r"x \infty"),
        ("0<x<1", "0<x<1"),
        ("5", "5"),
    ],
)
def test_what_names_a_variable_describes_a_set(answer, expected):
    assert name_set(answer, "(0,1)") == expected


@pytest.mark.parametrize(
    "other", ["y<1", r"y \in A", "0<y<1", "y=1", r"y \equiv 1", r"a \mid b", r"a \sim b", r"A \cong B", r"A \subset B"]
)
def test_answers_that_both_name_something_keep_their_names(other):
    assert name_set(r"x \in A", other) == r"x \in A"

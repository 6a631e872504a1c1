"""Matrices, unions, lists, equations and tuples, part by part.

The comparison of the parts is a plain one: by text, and open where a part holds a question mark. So what is tested is
how verdicts on parts become one on the whole.
"""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.equivalence.lists import NO_SUCH, compare_lists, has_full_pairing
from reward_fns.equivalence.structures import compare_equations, compare_matrices, compare_tuples, compare_unions


def compare(candidate, gold):
    return None if "?" in candidate + gold else candidate == gold


def cases(same=(), different=(), left_open=(), absent=()):
    verdicts = ((same, True), (different, False), (left_open, None), (absent, NO_SUCH))
    return pytest.mark.parametrize(
        ("candidate", "gold", "expected"), [(*pair, verdict) for pairs, verdict in verdicts for pair in pairs]
    )


def matrix(*rows, kind="pmatrix"):
    return rf"\begin{{{kind}}}" + r"\\".join("&".join(row) for row in rows) + rf"\end{{{kind}}}"


@cases(
    same=[
        (matrix("12", "34"), matrix("12", "34", kind="bmatrix")),
        (matrix("1", "2"), matrix("1", "2", kind="matrix")),
    ],
    different=[
        (matrix("12", "34"), matrix("12", "35")),
        (matrix("12", "34"), matrix("13", "24")),
        (matrix("12"), matrix("1", "2")),
        (matrix("12", "3"), matrix("1", "23")),
        (matrix("?2"), matrix("13")),
        (matrix("12"), "5"),
        (matrix("12"), "x+1"),
    ],
    left_open=[
        (matrix("?2"), matrix("12")),
        (matrix("1", "2"), "wxyz"),
        (matrix("12", "34", kind="vmatrix"), "-2"),
        (matrix("12", kind="cases"), "1"),
        (matrix("12", kind="cases"), matrix("12", kind="cases")),
    ],
    absent=[("1", "2"), ("(1,2)", "(1,2)")],
)
def test_matrices(candidate, gold, expected):
    assert compare_matrices(candidate, gold, compare) is expected
    assert compare_matrices(gold, candidate, compare) is expected


@cases(
    same=[(r"(0,1)\cup(2,3)", r"(2,3)\cup(0,1)"), (r"A\cup B\cup C", r"C\cup A\cup B")],
    different=[
        (r"(0,1)\cup(2,3)", r"(0,1)\cup(2,4)"),
        (r"A\cup A", r"A\cup B"),
        (r"(0,1]\cup(1,2)", "(0,2)"),  # intervals count as they are written
    ],
    left_open=[(r"A\cup B\cup C", r"A\cup B"), (r"(0,1)\cup A", "(0,2)"), (r"A\cup ?", r"A\cup B")],
    absent=[("(0,1)", "(0,1)"), ("1", "2")],
)
def test_unions(candidate, gold, expected):
    assert compare_unions(candidate, gold, compare) is expected
    assert compare_unions(gold, candidate, compare) is expected


@cases(
    same=[
        ("1,2", "2,1"),
        ("1,2", r"\{2,1\}"),
        ("{1,2}", r"\{2,1\}"),
        ("1 and 2", "1;2"),
        (r"\{1\}", "1"),
        ("1,1,2", "1,2,1"),
        ("1,2,2", "2,1"),
        ("1,1,2", "1,2,2"),
        ("(1,2)", "1,2"),
        ("(1,2)", "1 and 2"),
        ("x=1,y=2", "y=2,x=1"),
        ("x<1,x>2", "x>2,x<1"),
        ("x<1 or x>2", "x>2 or x<1"),
        (r"\pm 2", "- 2,+ 2"),
        (r"1\pm 2", "1+ 2 or 1- 2"),
        (r"\pm 2, 5", "5, + 2, - 2"),
        (r"\{\}", r"\{\}"),
        ("x=1,y=2", "x=1,y=2"),
        ("x=1,y=2", "1,2"),
        ("n=1,2,3", "3,2,1"),
        ("n=1,2,3", "n=3,1,2"),
        ("x=1 or x=2", "x=2 or x=1"),
        ("x=1 or x=2", "2,1"),
        ("x=1,x=2", r"\{2,1\}"),
    ],
    different=[
        ("1,2", "1,3"),
        ("1,2", "1"),
        ("1,2", "1,2,3"),
        ("(2,1)", "1,2"),
        ("(1,2)", "1,2,3"),
        ("[1,2]", "1,2"),
        ("(1,2)", r"\{1,2\}"),
        (r"\{\{1\},\{2\}\}", "1,2"),
        (r"\{1,2\}", "1"),
        ("2", r"\pm 2"),
        (r"\{\}", "1"),
        ("x=2,y=1", "1,2"),
        ("x=1,y=2", "x=1,y=3"),
        ("x=1,y=2", "y=1,x=2"),
        ("x=1,y=2", "a=1,b=2"),
        ("x=1,y=2,3", "y=2,x=1,3"),  # the 3 belongs to the name before it
        ("x=1,y=2", "x=1"),
        ("1<x,x<2", "1,2"),
        ("n=1,2,3", "n=1,2,4"),
        ("x=1 or x=2", "1,3"),
    ],
    left_open=[
        ("1,?", "1,2"),
        ("x<1 or x>2", "x<1 and x>2"),
        ("x=y=1,z=2", "1,2"),
        ("x=1,y=2,3", "x=1,y=2"),
    ],
    absent=[("1", "2"), ("(1,2)", "(1,2)"), ("x=1", "1"), ("{1}", "1")],
)
def test_lists_and_sets(candidate, gold, expected):
    assert compare_lists(candidate, gold, compare) is expected
    assert compare_lists(gold, candidate, compare) is expected


@cases(
    same=[
        ("x=5", "5"),
        ("x=5", "x=5"),
        ("x=5", r"x\approx 5"),
        ("2+3=5", "5"),
        ("f(x)=x^2", "x^2"),
        ("a=b=5", "5"),
        (r"x=5\approx 4.9", "5"),
        (r"5 \approx 4.9", "5"),
        (r"\lim_{x\to 0} f(x)=1", "1"),
        ("2x+4y=6", "x+2y=3"),
        ("x+2y=3", "3=x+2y"),
        ("y=2x+1", "2x-y+1=0"),
    ],
    different=[
        ("x=5", "6"),
        ("x=5", "x=6"),
        ("x=5", "y=5"),
        (r"x=5\approx 4.9", "4.9"),
        ("x+2y=3", "x+2y+1=3"),
        ("2x+z=5", "2x+z=6"),
        ("2x+z=5", "5"),
        ("7=11a+c", "7"),
    ],
    left_open=[
        ("x=?", "5"),
        ("x=y=5", "x+y=z=5"),
        ("2x+z=5", "wxyz+abcd=5"),
    ],
    absent=[("5", "5"), ("x<=5", "x<=5")],
)
def test_equations(candidate, gold, expected):
    assert compare_equations(candidate, gold, compare) is expected
    assert compare_equations(gold, candidate, compare) is expected


@cases(
    same=[("(1,2)", "(1,2)"), ("(1, 2]", "(1; 2]"), ("(1,2,3)", "(1,2,3)")],
    different=[
        ("(1,2)", "(2,1)"),
        ("(1,2)", "(1,2,3)"),
        ("(1,2)", "[1,2]"),
        ("(1,2]", "(1,2)"),
        ("(?,2)", "(1,3)"),
        ("(1,2)", "5"),
        ("(1,2)", "x+1"),
        ("(1,2)", "(5)"),
        ("(1,2,3)", "[1,2,3]"),
    ],
    left_open=[
        ("(?,2)", "(1,2)"),
        ("(1,2)", "wxyz"),
    ],
    absent=[("1", "2"), ("(1)", "(1)"), ("(1)", "1"), ("1,2", "1,2")],
)
def test_tuples_and_intervals(candidate, gold, expected):
    verdicts = [compare_tuples(candidate, gold, compare), compare_tuples(gold, candidate, compare)]
    assert verdicts == [expected] * 2


members = st.sampled_from(
    # Without a percentage, which equals two numbers that do not equal each other.
    ["1", "2", "-3", "0.28", "28", r"\frac{1}{2}", "0.5", "x", "x+1", "1+x", r"\sqrt{2}"]
)


@st.composite
def permuted_lists(draw):
    gold = draw(st.lists(members, min_size=2, max_size=4))
    candidate = draw(st.permutations(gold) | st.lists(members, min_size=len(gold), max_size=len(gold)))
    return candidate, draw(st.permutations(candidate)), gold, draw(st.permutations(gold))


@pytest.mark.slow
@settings(max_examples=150)
@given(permuted_lists())
def test_the_verdict_on_a_list_set_or_union_does_not_depend_on_its_order(lists):
    candidate, candidate_permuted, gold, gold_permuted = lists
    for opening, separator, closing in (("", " , ", ""), (r"\{", ";", r"\}"), ("(0,", r") \cup (0,", ")")):
        verdicts = {
            compare_quickly(opening + separator.join(left) + closing, opening + separator.join(right) + closing)
            for left, right in ((candidate, gold), (candidate_permuted, gold), (candidate, gold_permuted))
        }
        assert len(verdicts) == 1


def test_a_member_with_two_equals_leaves_the_other_one_to_whom_it_is_the_only_one():
    # 28% is 28 and 0.28, by convention, and 28 is 28 only.
    for candidate in (r"28\%, 28", r"28, 28\%"):
        for gold in ("28, 0.28", "0.28, 28"):
            assert compare_quickly(candidate, gold) is True
            assert compare_quickly(gold, candidate) is True


@given(st.lists(st.integers(-99, 99), min_size=2, max_size=5), st.data())
def test_the_verdict_on_a_tuple_depends_on_its_order(numbers, data):
    permuted = data.draw(st.permutations(numbers))
    answers = ["(" + ", ".join(map(str, each)) + ")" for each in (numbers, permuted)]
    assert compare_quickly(*answers) is (numbers == permuted)


@pytest.mark.parametrize("length", [24, 25, 40])
def test_a_long_list_is_never_wrong_for_its_order(length):
    numbers = [str(number) for number in range(length)]
    in_order, reversed_order = ", ".join(numbers), ", ".join(reversed(numbers))
    assert compare_lists(in_order, in_order, compare) is True
    assert compare_lists(in_order, reversed_order, compare) is (True if length <= 24 else None)


@pytest.mark.parametrize(
    ("is_pair", "expected"),
    [
        ([], True),
        ([[True]], True),
        ([[False]], False),
        ([[True, True], [True, False]], True),  # the first row has to leave the first column to the second
        ([[True, False], [True, False]], False),  # both rows want the first column
        ([[True, True, False], [True, False, False], [False, True, False]], False),  # three rows, two columns
    ],
)
def test_every_row_gets_a_column_of_its_own(is_pair, expected):
    assert has_full_pairing(is_pair) is expected


@given(
    st.integers(1, 5).flatmap(
        lambda size: st.lists(st.lists(st.booleans(), min_size=size, max_size=size), min_size=size, max_size=size)
    )
)
def test_it_finds_a_pairing_exactly_where_trying_all_orders_does(is_pair):
    size = len(is_pair)
    exists = any(all(is_pair[row][order[row]] for row in range(size)) for order in permutations(range(size)))
    assert has_full_pairing(is_pair) is exists

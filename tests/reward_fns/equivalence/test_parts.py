"""How the outermost structure of an answer is taken apart."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.equivalence.parts import (
    Bracketed,
    expand_plus_or_minus,
    find_connectives,
    has_answer_on_right,
    is_name,
    is_relation,
    split_at,
    split_brackets,
    split_equation,
    split_list,
    split_matrix,
    split_set,
    split_union,
)


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("1", ["1"]),
        ("1,2", ["1", "2"]),
        ("1; 2", ["1", "2"]),
        ("1 and 2", ["1", "2"]),
        ("1 or 2", ["1", "2"]),
        (r"1 \text{ or } 2", ["1", "2"]),
        (r"1 \text{, and } 2", ["1", "2"]),
        (r"1,\text{and}\ 2", ["1", r"\ 2"]),
        (r"1 \mathrm{or} 2 \mbox{or} 3 \textrm{or} 4", ["1", "2", "3", "4"]),
        ("1, 2, and 3", ["1", "2", "3"]),
        ("1,,2,", ["1", "2"]),
        ("(1,2),(3,4)", ["(1,2)", "(3,4)"]),
        (r"\frac{1,2}{3}", [r"\frac{1,2}{3}"]),
        ("[1;2)", ["[1;2)"]),
        ("floor", ["floor"]),
        (r"\sand", [r"\sand"]),
        ("band", ["band"]),
        ("order", ["order"]),
        ("", []),
    ],
)
def test_a_list_is_split_at_separators_outside_of_brackets(answer, parts):
    assert split_list(answer) == parts


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        (r"\{1,2\}", ["1", "2"]),
        (r"\{1\}", ["1"]),
        (r"\{\}", []),
        ("{1,2}", ["1", "2"]),
        (r"\{(1,2),(3,4)\}", ["(1,2)", "(3,4)"]),
        ("{1}", None),  # a group of LaTeX
        ("1,2", None),
        ("(1,2)", None),
        (r"\{1,2", None),
        (r"\{1\},\{2\}", None),
        ("{1},{2}", None),
        (r"\{x \mid x>1\}", None),
        (r"\{x | x>1\}", None),
        (r"\{x : x>1\}", None),
    ],
)
def test_a_set_is_what_one_pair_of_braces_encloses(answer, parts):
    assert split_set(answer) == parts


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("(1,2)", Bracketed("(", ("1", "2"), ")")),
        ("[1; 2)", Bracketed("[", ("1", "2"), ")")),
        ("(1)", Bracketed("(", ("1",), ")")),
        ("((1,2),3]", Bracketed("(", ("(1,2)", "3"), "]")),
        ("(,)", Bracketed("(", ("", ""), ")")),
        ("()", Bracketed("(", ("",), ")")),
        ("(1)(2)", None),
        ("(1),(2)", None),
        ("(1,2", None),
        ("(1,2)x", None),
        ("{1,2}", None),
        ("(", None),
        ("", None),
        ("((1)", None),
    ],
)
def test_brackets_count_if_they_enclose_the_whole_answer(answer, expected):
    assert split_brackets(answer) == expected


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        (r"(0,1) \cup [2,3]", ["(0,1)", "[2,3]"]),
        (r"A\cup B\cup C", ["A", "B", "C"]),
        (r"(A \cup B)", [r"(A \cup B)"]),
        (r"\cupola", [r"\cupola"]),
    ],
)
def test_a_union_is_split_at_its_signs(answer, parts):
    assert split_union(answer) == parts


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", [["1", "2"], ["3", "4"]]),
        (r"\begin{bmatrix}1\\2\\\end{bmatrix}", [["1"], ["2"]]),
        (r"\begin{Bmatrix}1\end{Bmatrix}", [["1"]]),
        (r"\begin{matrix}1&2\end{matrix}", [["1", "2"]]),
        (r"\begin{smallmatrix}1&2\end{smallmatrix}", [["1", "2"]]),
        ("\\begin{pmatrix}1\n\\\\2\\end{pmatrix}", [["1"], ["2"]]),
        (r"(\begin{matrix}1\\2\end{matrix})", [["1"], ["2"]]),
        (r"[\begin{array}{c|c} 1 & 2 \\ 3 & 4 \end{array}]", [["1", "2"], ["3", "4"]]),
        ("[\\begin{array}{c}1\n\\\\2\\end{array}]", [["1"], ["2"]]),
        (r"(\begin{matrix}1\\2\end{matrix},3)", None),
        (r"\begin{array}{cc}1&2\end{array}", None),
        (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", None),  # a determinant
        (r"\begin{cases}1\\2\end{cases}", None),
        (r"2\begin{pmatrix}1\end{pmatrix}", None),
        (r"\begin{pmatrix}\begin{pmatrix}1\end{pmatrix}\end{pmatrix}", None),
        ("1", None),
        ("(1,2)", None),
    ],
)
def test_a_matrix_is_read_by_rows(answer, rows):
    assert split_matrix(answer) == rows


@pytest.mark.parametrize(
    ("answer", "signs"),
    [
        (r"\pm 2", ("+ 2", "- 2")),
        (r"1 \pm\sqrt{2}", (r"1 +\sqrt{2}", r"1 -\sqrt{2}")),
        (r"\pm 1 \pm 2", ("+ 1 + 2", "+ 1 - 2", "- 1 + 2", "- 1 - 2")),
        (r"\pm 1 \mp 2", ("+ 1 - 2", "- 1 + 2")),
        (r"\pm 1 \pm 2 \pm 3 \pm 4", None),
        (r"\pmod 3", None),
        ("2", None),
    ],
)
def test_a_sign_of_plus_or_minus_stands_for_two_answers(answer, signs):
    assert expand_plus_or_minus(answer) == signs


@pytest.mark.parametrize(
    ("answer", "sides"),
    [
        ("5", ["5"]),
        ("x=5", ["x", "5"]),
        ("2+3 = 5", ["2+3", "5"]),
        ("a=b=c", ["a", "b", "c"]),
        ("f(x=1)", ["f(x=1)"]),
        ("5 = x", ["x", "5"]),
        ("x = y", ["x", "y"]),
        ("5 = 2+3", ["5", "2+3"]),
        ("x<=5", ["x<=5"]),
        ("x>=5", ["x>=5"]),
        ("x!=5", ["x!=5"]),
        ("x:=5", ["x:=5"]),
        ("x==5", ["x==5"]),
        (r"1/3 \approx 0.33", ["1/3"]),
        (r"1/3 ≈ 0.33", ["1/3"]),
        (r"1/3 \simeq 0.33", ["1/3"]),
        (r"x=1/3 \approx 0.33", ["x", "1/3"]),
        (r"x \approx 0.33", ["x", "0.33"]),
        (r"x+1 \approx 0.33", ["x+1"]),
        (r"\approxeq 5", [r"\approxeq 5"]),
    ],
)
def test_an_equation_has_sides_and_an_approximation_counts_only_if_it_is_all_there_is(answer, sides):
    assert split_equation(answer) == sides


def test_an_approximation_of_nothing_is_all_there_is():
    assert split_equation(r"\approx 5")[-1] == "5"


@pytest.mark.parametrize(
    "side",
    [
        "x",
        "AB",
        "x_1",
        "x_{max}",
        "x'",
        "f(x)",
        "f(-1)",
        "P(X=2)",
        "|AB|",
        r"\overline{AB}",
        r"\frac{BD}{DC}",
        "f(1,2)",
        "f^{-1}(x)",
        r"\theta",
        r"\angle ABC",
        r"a_{n}",
        "area",
    ],
)
def test_a_name_is_a_letter_or_word_with_an_index_or_an_argument(side):
    assert is_name(side)


@pytest.mark.parametrize("side", ["", "2", "2x", "x+y", "x^2", "xy=1", "f(x)+1", "f(x+1)", "longname", "x/y", "3_5"])
def test_a_product_a_sum_or_a_number_is_no_name(side):
    assert not is_name(side)


@pytest.mark.parametrize(
    "sides",
    [
        ["5"],
        ["x", "5"],
        ["x", "y+1"],
        ["f(x)", "x^2"],
        ["2+3", "5"],
        ["a", "2+3", "5"],
        [r"e^{i\pi}", "-1"],
        [r"\lim_{x\to0} x", "a"],
        [r"\int x", "x^2/2"],
        [r"\sum_{k} k", "n"],
        [r"\prod_{k} k", "n!"],
        [r"\det A", "a"],
        [r"\begin{vmatrix}a\end{vmatrix}", "a"],
        ["17 mod 5", "2"],
    ],
)
def test_an_equation_with_a_name_a_number_or_a_computation_on_its_left_gives_a_value(sides):
    assert has_answer_on_right(sides)


@pytest.mark.parametrize("sides", [["2x+z", "5"], ["x^2", "4"], ["x+y", "z"], ["7", "11a+c"], ["2ei", "1"]])
def test_another_equation_gives_none(sides):
    assert not has_answer_on_right(sides)


SIGNS = r"< > <= >= != \le \leq \ge \geq \lt \gt \ne \neq \in \equiv \sim \cong \mid \subset"


@pytest.mark.parametrize("answer", [f"x {sign} 1" for sign in SIGNS.split()])
def test_inequalities_and_memberships_are_relations(answer):
    assert is_relation(answer)


@pytest.mark.parametrize(
    "answer", ["x=1", "x", r"\left(1", r"\leftarrow", r"\infty", r"\negthinspace", r"\ln x", r"\simeq", "1!"]
)
def test_other_commands_and_equations_are_no_relations(answer):
    assert not is_relation(answer)


def test_the_connectives_of_an_answer_are_its_words_and_and_or():
    assert find_connectives("x<1 or x>2 and y or z") == ["or", "and", "or"]
    assert find_connectives("x<1, x>2") == find_connectives("floor band order android") == []


brackets_and_commas = st.text(alphabet="(){}[],x", max_size=30)


@given(brackets_and_commas)
def test_splitting_loses_nothing_but_the_separators(answer):
    assert ",".join(split_at(re.compile(","), answer)) == answer


@given(st.lists(st.sampled_from(["1", "x+1", "(1,2)", r"\frac{1}{2}", "[a;b)", r"f(x)"]), min_size=1, max_size=5))
def test_a_list_that_is_joined_is_split_into_the_same_parts(parts):
    assert split_list(", ".join(parts)) == parts
    assert split_set(r"\{" + ";".join(parts) + r"\}") == parts
    assert split_brackets("(" + ", ".join(parts) + "]") == Bracketed("(", tuple(parts), "]")

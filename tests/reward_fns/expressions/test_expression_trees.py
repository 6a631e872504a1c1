"""The evaluation of rendered expressions against that of the trees from which they were rendered.

The evaluation of the trees is as plain as can be and shares nothing with the one under test. Trees are rendered with as
few brackets as the rules of precedence allow, or with more, and in different styles.
"""

import math
import operator
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_fns.equivalence.text import clean
from reward_fns.expressions.points import evaluate
from reward_fns.expressions.values import Undefined, make_rounded

VARIABLES = {"x": Fraction(2, 3), "y": Fraction(-5), r"\alpha": Fraction(7, 4), "n_1": Fraction(3)}


def value_of(name):
    return VARIABLES.get(name) or VARIABLES["\\" + name]


@dataclass(frozen=True)
class Node:
    """A number or variable without children, or an operation on its children; `style` chooses how it is written."""

    operation: str
    children: tuple = ()
    style: int = 0


OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def value(node):
    """The value of a tree as a Fraction, or as a float where it has a function. Raises ZeroDivisionError, ValueError or
    OverflowError where there is none."""
    arguments = [value(child) for child in node.children]
    if not arguments:
        return VARIABLES[node.operation] if node.operation in VARIABLES else Fraction(node.operation)
    if node.operation == "negative":
        return -arguments[0]
    if node.operation == "^":
        exponent = int(arguments[1])
        result = Fraction(1)
        for _ in range(abs(exponent)):
            result *= arguments[0]
        return 1 / result if exponent < 0 else result
    if node.operation in FUNCTIONS:
        if abs(arguments[0]) > 50:
            raise OverflowError("floats lose too many digits")
        return FUNCTIONS[node.operation](arguments[0])
    return OPERATIONS[node.operation](*arguments)


# How tightly an expression holds together: a sum, a product, a signed power, a power, an operand.
SUM, PRODUCT, SIGNED, POWER, OPERAND = range(5)


def rendered(node):
    """The tree as LaTeX, and how tightly that holds together."""
    if not node.children:
        return node.operation, OPERAND
    style = node.style
    if node.operation in FUNCTIONS:
        return function_rendered(node)
    if node.operation == "negative":
        return "-" + bracketed(node.children[0], POWER, style), SIGNED
    if node.operation == "^":
        base, (exponent, _) = bracketed(node.children[0], OPERAND, style), rendered(node.children[1])
        plain = [f"^{exponent}", f"**{exponent}"]
        return base + (plain[style % 2] if style % 3 == 0 else f"^{{{exponent}}}"), POWER
    left, right = node.children
    if node.operation == "/":
        if style % 2:
            return f"\\{('', 'd', 't')[style % 3]}frac{{{rendered(left)[0]}}}{{{rendered(right)[0]}}}", OPERAND
        return bracketed(left, PRODUCT, style) + ("/", r"\div ")[style % 4 // 2] + bracketed(
            right, SIGNED, style
        ), PRODUCT
    if node.operation == "*":
        return product_rendered(left, right, style), PRODUCT
    return f"{bracketed(left, SUM, style)}{node.operation}{bracketed(right, PRODUCT, style)}", SUM


def product_rendered(left, right, style):
    first, second = bracketed(left, PRODUCT, style), bracketed(right, SIGNED, style)
    is_divided = left.operation == "/" and "frac" not in first
    is_mixed_number = first[-1].isdigit() and second.startswith((r"\frac", r"\dfrac", r"\tfrac"))
    is_applied = first[-1].isalnum() and second.startswith(("(", r"\left("))  # f(0) is no product
    is_signless = style % 4 == 0 and second[0] not in "-0123456789["
    if is_signless and not (is_divided or is_mixed_number or is_applied):
        return f"{first} {second}"
    return first + ("*", r"\cdot ", r"\times ", " * ")[style % 4] + second


def bracketed(node, needed, style):
    text, tightness = rendered(node)
    if tightness >= needed and style % 5:
        return text
    opening, closing = (("(", ")"), ("{", "}"), (r"\left(", r"\right)"), ("[", "]"))[style % 4]
    return opening + text + closing


numbers = st.builds(Node, st.integers(0, 12).map(str) | st.sampled_from(["0.5", "2.25", "100"]))
leaves = numbers | st.builds(Node, st.sampled_from(sorted(VARIABLES)))
styles = st.integers(0, 59)


def larger(children):
    pair = st.tuples(children, children)
    exponents = st.builds(Node, st.integers(0, 4).map(str)) | st.builds(
        Node, st.just("negative"), st.tuples(st.builds(Node, st.integers(1, 3).map(str)))
    )
    return (
        st.builds(Node, st.sampled_from("+-*/"), pair, styles)
        | st.builds(Node, st.just("negative"), st.tuples(children), styles)
        | st.builds(Node, st.just("^"), st.tuples(children, exponents), styles)
    )


rational_trees = st.recursive(leaves, larger, max_leaves=8)


@pytest.mark.slow
@settings(max_examples=400)
@given(rational_trees)
def test_a_rational_expression_has_the_value_of_its_tree(tree):
    text = clean(rendered(tree)[0])
    try:
        expected = value(tree)
    except ZeroDivisionError:
        with pytest.raises(Undefined):
            evaluate(text, value_of)
        return
    result = evaluate(text, value_of)
    assert isinstance(result, Fraction)
    assert result == expected


FUNCTIONS = {
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "arctan": math.atan,
    "sinh": math.sinh,
    "tanh": math.tanh,
    "exp": math.exp,
    "ln": math.log,
    r"\log_{2}": math.log2,
}


def function_rendered(node):
    text, _ = rendered(node.children[0])
    if node.operation == "sqrt":
        return f"\\sqrt{{{text}}}", OPERAND
    name = node.operation if node.operation.startswith("\\") else "\\" + node.operation
    opening, closing = ("()", "{}", (r"\left(", r"\right)"))[node.style % 3]
    return f"{name}{opening}{text}{closing}", PRODUCT


function_trees = st.recursive(
    st.builds(Node, st.integers(1, 3).map(str)) | st.builds(Node, st.sampled_from(["x", r"\alpha"])),
    lambda children: (
        st.builds(Node, st.sampled_from("+*/"), st.tuples(children, children), styles)
        | st.builds(Node, st.sampled_from(sorted(FUNCTIONS)), st.tuples(children), styles)
    ),
    max_leaves=5,
)


@pytest.mark.slow
@settings(max_examples=300)
@given(function_trees)
def test_an_expression_with_functions_has_the_value_of_its_tree(tree):
    text = clean(rendered(tree)[0])
    try:
        expected = float(value(tree))
    except (ZeroDivisionError, ValueError, OverflowError):
        return
    if not 1e-3 < abs(expected) < 1e6:  # Sixteen digits are all that the plain evaluation has.
        return
    try:
        result = make_rounded(evaluate(text, value_of))
    except Undefined:
        return
    assert abs(result - expected) < 1e-6 * abs(expected)

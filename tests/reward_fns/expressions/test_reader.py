"""Which expressions are read, which value they have, and what is refused because readers take it in two ways."""

from fractions import Fraction

import pytest

from reward_fns.expressions.points import evaluate
from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import ROUNDED, TooLarge, Undefined, are_equal
from reward_fns.limits import MAX_NESTING

VALUES = {"x": Fraction(1, 3), "y": Fraction(5), "z": Fraction(-2), "x_1": Fraction(7), "x_10": Fraction(11)}


def value_of(name):
    return VALUES[name]


def value(text):
    return evaluate(text, value_of)


# x is 1/3, y is 5, z is -2.
EXACT = [
    # numbers
    ("42", 42),
    (".5", Fraction(1, 2)),
    ("5.", 5),
    ("1.25", Fraction(5, 4)),
    ("1,234,567.5", Fraction(2_469_135, 2)),
    ("1e3", 1000),
    ("2.5e-1", Fraction(1, 4)),
    ("1E+2", 100),
    ("2\\frac{1}{2}", Fraction(5, 2)),
    ("-2\\frac{1}{2}", Fraction(-5, 2)),
    ("4-2\\frac{1}{2}", Fraction(3, 2)),
    ("2.5\\frac{1}{2}", Fraction(5, 4)),  # no mixed number, but a product
    ("2\\frac{x}{2}", Fraction(1, 3)),
    ("x\\frac{1}{2}", Fraction(1, 6)),
    ("x^2\\frac{1}{2}", Fraction(1, 18)),
    # sums, products, signs
    ("1+2-3-4", -4),
    ("\t1 +\n 2 ", 3),
    ("1-2*3", -5),
    ("8/4/2", 1),
    ("8/4*2", 4),
    ("2*-3", -6),
    ("--3", 3),
    ("-+-3", 3),
    ("2--3", 5),
    ("+3", 3),
    (r"2\cdot3\times4\ast 5", 120),
    (r"6\div3", 2),
    ("2x", Fraction(2, 3)),
    ("xyz", Fraction(-10, 3)),
    ("x y", Fraction(5, 3)),
    ("2(3)(4)", 24),
    ("(1+2)(3+4)", 21),
    ("[1+2]{3}", 9),
    ("x(y+1)", 2),
    ("2x/3", Fraction(2, 9)),
    ("1/2*x", Fraction(1, 6)),
    ("1/2*x y", Fraction(5, 6)),
    (r"\frac{1}{2}x", Fraction(1, 6)),
    # powers and factorials
    ("2^3", 8),
    ("2^10", 1024),
    ("2^{10}", 1024),
    ("2**3", 8),
    ("2**10", 1024),
    ("2^{3^2}", 512),
    ("-2^2", -4),
    ("(-2)^2", 4),
    ("2^-1", Fraction(1, 2)),
    ("2^{-1}", Fraction(1, 2)),
    ("2^-{3}", Fraction(1, 8)),
    ("2^10y", 5120),
    ("2*3^2", 18),
    ("2x^2", Fraction(2, 9)),
    ("2^z", Fraction(1, 4)),
    ("2^{1+2}y", 40),
    ("3!", 6),
    ("2^{3!}", 64),
    ("3!^2", 36),
    ("2*3!", 12),
    ("0!", 1),
    # names
    ("x_1", 7),
    ("x_{10}", 11),
    ("x_{1 0}", 11),
    (r"\mathrm{x}", Fraction(1, 3)),
    (r"\text{ x }y", Fraction(5, 3)),
    # a number of degrees by itself
    (r"30^\circ", 30),
    (r"30^{\circ}", 30),
    ("30°+1", 31),
]


@pytest.mark.parametrize(("text", "expected"), EXACT, ids=[case[0] for case in EXACT])
def test_an_expression_of_fractions_has_an_exact_value(text, expected):
    result = value(text)
    assert isinstance(result, Fraction)
    assert result == expected


ROUNDED_VALUES = [
    (r"\pi", ROUNDED.pi),
    ("2pi", 2 * ROUNDED.pi),
    (r"\pi^2", ROUNDED.pi**2),
    ("e", ROUNDED.e),
    ("e^2", ROUNDED.exp(2)),
    (r"e^{i\pi}", -1),
    ("i^2", -1),
    ("(1+i)(1-i)", 2),
    (r"\cos 60^\circ", 0.5),
    (r"\cos(60^{\circ})", 0.5),
    (r"\cos 60°", 0.5),
    (r"\cos{60^\circ}+60^\circ", 60.5),  # degrees outside of the function are a number again
    (r"\ln 2y", ROUNDED.ln(10)),  # the argument is the whole product,
    (r"\ln(2)y", 5 * ROUNDED.ln(2)),  # but a group by itself
    (r"\ln{2}y", 5 * ROUNDED.ln(2)),
    (r"\sin 1 \cos 1", ROUNDED.sin(2) / 2),  # and ends before the next function
    (r"2\sin 1 * \cos 1", ROUNDED.sin(2)),
    (r"2\sin 1 \cdot \cos 1", ROUNDED.sin(2)),
    (r"\ln 4 \div 2", ROUNDED.ln(2)),
    (r"\ln 2\log_2 8", 3 * ROUNDED.ln(2)),
    ("log_2(8)", 3),
    ("ln(2)", ROUNDED.ln(2)),
    ("2sin(1)", 2 * ROUNDED.sin(1)),
    ("2siny", 2 * ROUNDED.sin(5)),
    ("piy", 5 * ROUNDED.pi),
    (r"y\operatorname{sin}y", 5 * ROUNDED.sin(5)),
    (r"\text{sin}(1)", ROUNDED.sin(1)),
    (r"\operatorname{ln} 2", ROUNDED.ln(2)),
    (r"\mathrm{e}", ROUNDED.e),
]


@pytest.mark.parametrize(("text", "expected"), ROUNDED_VALUES, ids=[case[0] for case in ROUNDED_VALUES])
def test_an_expression_with_constants_or_functions_has_a_rounded_value(text, expected):
    assert abs(value(text) - expected) < ROUNDED.mpf("1e-45")


UNREADABLE = [
    ("", "nothing"),
    ("+", "nothing after a sign"),
    ("1+", "nothing after a sign"),
    ("*2", "no first factor"),
    ("2**", "no exponent"),
    ("1/2x", "(1/2)x or 1/(2x)"),
    ("1/2(3)", "(1/2)(3) or 1/(2(3))"),
    (r"6\div 2(3)", "the same with another sign"),
    ("1/2\\pi", "the same with a constant"),
    ("2 3", "two numbers or 23"),
    ("x2", "x times 2 or x with an index"),
    (r"\frac{1}{2}3", "a product or a slip"),
    (r"2^3^4", "two superscripts"),
    ("(1+2", "a bracket is missing"),
    ("(1+2]", "the wrong bracket"),
    ("{1}}", "a bracket too many"),
    (r"\sin(x)^2", "the power of the argument or of the function"),
    (r"\ln(3)!", "the factorial of the argument or of the function"),
    (r"\unknown", "an unknown command"),
    (r"\alphabet", "an unknown command that begins like a letter"),
    ("wxyz", "a word"),
    ("or", "a short word"),
    ("gcd(2,3)", "a short word"),
    ("Max", "a short word"),
    ("yes", "a short word"),
    ("x,y", "a list"),
    ("1 234", "two numbers or a number with separators"),
    ("12,34", "a list or a decimal comma"),
    ("1,2345", "a list or a decimal comma"),
    ("x=1", "an equation"),
    ("x<1", "an inequality"),
    ("|x", "a bar is missing"),
    ("||x||", "bars within bars"),
    ("1e1000", "an exponent of four digits"),
    ("1e3x", "1000x or e times 3x"),
    ("٣", "a digit of another script"),
    ("(-1)!", "no whole number"),
    ("3!!!", "the triple factorial"),
]


@pytest.mark.parametrize("text", [case[0] for case in UNREADABLE], ids=[f"{case[0]}: {case[1]}" for case in UNREADABLE])
def test_what_is_outside_the_grammar_or_ambiguous_is_not_read(text):
    with pytest.raises(Unreadable):
        value(text)


@pytest.mark.parametrize("text", ["1/0", r"\frac{1}{1-1}", "0^{-1}", r"\ln 0", r"\cot 0", r"\log_1 2"])
def test_an_expression_at_a_pole_has_no_value(text):
    with pytest.raises(Undefined):
        value(text)


@pytest.mark.parametrize("text", ["5001!", "10^{65536}", "7^{7^{7^7}}", "(((3!)!)!)!"])
def test_a_value_beyond_the_bounds_is_too_large(text):
    with pytest.raises(TooLarge):
        value(text)


def test_each_evaluation_has_its_own_allowance():
    # 2^32767 has 32768 bits, its denominator one: 31 of them and their sums are within 2^20 bits, 100 are not.
    text = "+".join(["2^{32767}"] * 10)
    assert value(text) == value(text) == 10 * Fraction(2) ** 32767
    with pytest.raises(TooLarge):
        value("+".join(["2^{32767}"] * 100))


@pytest.mark.parametrize(
    ("opening", "closing"),
    [(r"\sqrt{", "}"), (r"\exp ", ""), ("x^", ""), (r"\frac1{", "}")],
    ids=["roots", "functions", "exponents", "fractions"],
)
def test_depth_is_bounded_where_no_bracket_shows_it(opening, closing):
    assert value(opening * 3 + "1" + closing * 3)
    with pytest.raises(Unreadable):
        value(opening * (MAX_NESTING + 2) + "1" + closing * (MAX_NESTING + 2))


def test_as_many_nested_commands_as_brackets_are_read():
    assert value(r"\sqrt{" * MAX_NESTING + "1" + "}" * MAX_NESTING) == 1
    with pytest.raises(Unreadable):
        value(r"\sqrt{" * (MAX_NESTING + 1) + "1" + "}" * (MAX_NESTING + 1))


def test_functions_side_by_side_are_not_nested():
    assert value("+".join([r"\sqrt{4}"] * (2 * MAX_NESTING))) == 4 * MAX_NESTING


@pytest.mark.parametrize(
    "name", ["x", "A", "x_1", "x_n", "x_{ab}", "x'", "x''", r"\alpha", r"\alpha_1", r"\varphi", r"\infty"]
)
def test_a_variable_is_known_by_its_whole_name(name):
    seen = []

    def collect(variable):
        seen.append(variable)
        return Fraction(1)

    evaluate(f"2{name}+1", collect)
    expected = {"x_{ab}": "x_ab", r"\alpha_1": "alpha_1"}.get(name, name.removeprefix("\\"))
    assert seen == [expected]


SYMBOLS = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi rho sigma tau upsilon phi varphi
chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega infty ell hbar
"""


@pytest.mark.parametrize("name", SYMBOLS.split())
def test_every_letter_of_a_command_is_a_variable(name):
    seen = []
    evaluate(f"2\\{name}", lambda variable: seen.append(variable) or Fraction(1))
    assert seen == [name]


def test_a_number_with_a_base_is_known_by_how_it_is_written():
    seen = []

    def collect(variable):
        seen.append(variable)
        return Fraction(1)

    evaluate("4210_5+4210_{6}", collect)
    assert seen == ["4210_5", "4210_6"]


def test_a_rounded_value_is_near_to_but_not_the_number_it_nearly_is():
    assert are_equal(value(r"e^{\pi\sqrt{163}}"), Fraction(262_537_412_640_768_744)) is False
    assert are_equal(value(r"e^{\pi\sqrt{163}}"), value(r"\exp(\pi\sqrt{163})")) is True

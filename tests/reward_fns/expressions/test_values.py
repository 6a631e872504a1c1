"""Values: exact as long as possible, bounded, and compared to some 38 digits beyond."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.expressions.scanner import Unreadable
from reward_fns.expressions.values import ROUNDED, Arithmetic, TooLarge, Undefined, are_equal, is_complex, make_rounded
from reward_fns.limits import MAX_EXACT_BITS, MAX_FACTORIAL, MAX_MAGNITUDE_BITS, MAX_TOTAL_BITS

fractions = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000)


@pytest.fixture
def arithmetic():
    return Arithmetic()


def is_exactly(value, expected):
    return isinstance(value, Fraction) and value == expected


@given(fractions, fractions, st.integers(-6, 6))
def test_operations_on_fractions_are_exact(left, right, exponent):
    arithmetic = Arithmetic()
    assert is_exactly(arithmetic.add(left, right), left + right)
    assert is_exactly(arithmetic.multiply(left, right), left * right)
    if right:
        assert is_exactly(arithmetic.divide(left, right), left / right)
    if left:
        assert is_exactly(arithmetic.raise_to_power(left, Fraction(exponent)), left**exponent)


@given(st.fractions(min_value=0, max_value=100, max_denominator=100), st.integers(1, 6))
def test_roots_that_come_out_even_are_exact(root, degree):
    assert is_exactly(Arithmetic().raise_to_power(root**degree, Fraction(1, degree)), root)


@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [
        (Fraction(8, 27), Fraction(2, 3), Fraction(4, 9)),  # the cube root 2/3, squared
        (Fraction(8, 27), Fraction(-2, 3), Fraction(9, 4)),
        (Fraction(0), Fraction(0), 1),
        (Fraction(0), Fraction(5), 0),
        (Fraction(0), Fraction(1, 2), 0),
        (Fraction(2**64), Fraction(1, 64), 2),  # the highest degree that is tried
        (Fraction(2**1022), Fraction(1, 2), 2**511),  # 1023 bits, the most of which a root is tried is 1024
    ],
)
def test_powers_that_are_exact(arithmetic, base, exponent, expected):
    assert is_exactly(arithmetic.raise_to_power(base, exponent), expected)


@pytest.mark.parametrize(
    ("base", "exponent", "expected"),
    [
        (Fraction(2), Fraction(1, 2), "1.4142135623730950488016887242096980785696718753769"),
        (Fraction(2**65), Fraction(1, 65), "2"),  # beyond degree 64 a root is rounded
        (Fraction(2**1024), Fraction(1, 1024), "2"),
        (Fraction(9, 2), Fraction(1, 2), "2.1213203435596425732025330863145471178545078130654"),  # 3 / sqrt(2)
    ],
)
def test_other_roots_are_rounded_to_fifty_digits(arithmetic, base, exponent, expected):
    value = arithmetic.raise_to_power(base, exponent)
    assert not isinstance(value, Fraction)
    assert abs(value - ROUNDED.mpf(expected)) < ROUNDED.mpf("1e-48")


def test_the_root_of_a_number_of_more_than_1024_bits_is_rounded(arithmetic):
    assert not isinstance(arithmetic.raise_to_power(Fraction(2**1024), Fraction(1, 2)), Fraction)


def test_the_root_of_a_negative_number_is_complex(arithmetic):
    # The square root of -4 is 2i; the principal cube root of -8 is 2 (cos 60 + i sin 60) = 1 + 1.732i, and not -2.
    square, cube = (
        arithmetic.raise_to_power(Fraction(base), Fraction(1, degree)) for base, degree in ((-4, 2), (-8, 3))
    )
    assert are_equal(square, ROUNDED.mpc(0, 2))
    assert is_complex(cube) and are_equal(ROUNDED.re(cube), Fraction(1))


@pytest.mark.parametrize("exponent", [Fraction(-1), ROUNDED.mpf(2), ROUNDED.mpc(0, 1)])
def test_zero_has_powers_with_exact_exponents_from_zero_only(arithmetic, exponent):
    with pytest.raises(Undefined):
        arithmetic.raise_to_power(Fraction(0), exponent)


@pytest.mark.parametrize("divisor", [Fraction(0), ROUNDED.mpf(0)])
def test_nothing_is_divided_by_zero(arithmetic, divisor):
    with pytest.raises(Undefined):
        arithmetic.divide(Fraction(1), divisor)


@pytest.mark.parametrize("argument", [Fraction(-1), ROUNDED.mpf(-3), ROUNDED.mpc(0, 1)])
def test_negative_and_complex_numbers_have_no_factorial(arithmetic, argument):
    with pytest.raises(Unreadable):
        arithmetic.compute_factorial(argument)


def test_between_the_whole_numbers_the_factorial_is_the_gamma_function(arithmetic):
    # (1/2)! = gamma(3/2) = sqrt(pi) / 2
    assert are_equal(arithmetic.compute_factorial(Fraction(1, 2)), ROUNDED.sqrt(ROUNDED.pi) / 2)


def test_factorials_are_exact_up_to_the_bound(arithmetic):
    assert is_exactly(arithmetic.compute_factorial(Fraction(0)), 1)
    # 2006! / 2004! = 2005 * 2006 = 4022030
    quotient = arithmetic.divide(
        arithmetic.compute_factorial(Fraction(2006)), arithmetic.compute_factorial(Fraction(2004))
    )
    assert is_exactly(quotient, 4_022_030)
    assert is_exactly(Arithmetic().compute_factorial(Fraction(MAX_FACTORIAL)), math.factorial(MAX_FACTORIAL))
    with pytest.raises(TooLarge):
        Arithmetic().compute_factorial(Fraction(MAX_FACTORIAL + 1))


@pytest.mark.parametrize(
    ("base", "largest_exponent"),
    [
        (Fraction(2), 32_768),  # 2 has 2 bits, and 2 * 32768 = 65536
        (Fraction(3), 32_768),
        (Fraction(-255), 8_192),  # 8 bits; 8 * 8192 = 65536
        (Fraction(1, 255), 8_192),
        (Fraction(4, 3), 21_845),  # 3 bits; 3 * 21845 = 65535
    ],
)
def test_a_power_may_have_as_many_bits_as_an_exact_number(arithmetic, base, largest_exponent):
    assert MAX_EXACT_BITS == 65_536
    assert is_exactly(arithmetic.raise_to_power(base, Fraction(largest_exponent)), base**largest_exponent)
    for exponent in (largest_exponent + 1, -largest_exponent - 1):
        with pytest.raises(TooLarge):
            Arithmetic().raise_to_power(base, Fraction(exponent))


def test_powers_of_one_cost_nothing(arithmetic):
    assert is_exactly(arithmetic.raise_to_power(Fraction(1), Fraction(10**18)), 1)
    assert is_exactly(arithmetic.raise_to_power(Fraction(-1), Fraction(10**18 + 1)), -1)


def test_an_exact_result_may_have_twice_that_many_bits_in_numerator_and_denominator_together(arithmetic):
    # 2^131070 has 131071 bits, its denominator 1 has 1: together 2 * 65536.
    largest = arithmetic.multiply(Fraction(2**65_535), Fraction(2**65_535))
    assert is_exactly(largest, 2**131_070)
    with pytest.raises(TooLarge):
        arithmetic.multiply(Fraction(2**65_536), Fraction(2**65_535))


def test_the_exact_results_of_one_evaluation_add_up(arithmetic):
    # Eight results of 2^17 bits are 2^20 bits, all that there is; a ninth of 2 bits is too much, unless it starts anew.
    assert MAX_TOTAL_BITS == 8 * 2**17
    for _ in range(8):
        arithmetic.multiply(Fraction(2**65_535), Fraction(2**65_535))
    with pytest.raises(TooLarge):
        arithmetic.add(Fraction(0), Fraction(1))
    assert Arithmetic().add(Fraction(0), Fraction(1)) == 1


@pytest.mark.parametrize(
    "operation",
    [
        lambda arithmetic: arithmetic.raise_to_power(Fraction(2), Fraction(32_768)),  # 32770 bits with its denominator
        lambda arithmetic: arithmetic.compute_factorial(Fraction(MAX_FACTORIAL)),  # some 54000 bits
        lambda arithmetic: arithmetic.divide(Fraction(1), Fraction(2**65_535)),
    ],
    ids=["powers", "factorials", "quotients"],
)
def test_results_of_all_operations_count(arithmetic, operation):
    operation(arithmetic)
    with pytest.raises(TooLarge):
        for _ in range(32):
            operation(arithmetic)


def test_a_rounded_power_is_bounded_by_its_binary_exponent(arithmetic):
    # 2 lies below 2^2, so the exponent counts 3 times: 3 * 349525.25 = 1048575.75, and 2^20 = 1048576.
    assert MAX_MAGNITUDE_BITS == 1_048_576
    assert ROUNDED.isfinite(arithmetic.raise_to_power(Fraction(2), Fraction(1_398_101, 4)))
    for exponent in (Fraction(699_051, 2), Fraction(-699_051, 2)):  # 3 * 349525.5 = 1048576.5
        with pytest.raises(TooLarge):
            arithmetic.raise_to_power(Fraction(2), exponent)
    # The magnitude of 2^-1000 is -999, so that the exponent counts 1000 times.
    assert ROUNDED.isfinite(arithmetic.raise_to_power(ROUNDED.mpf(2) ** -1000, Fraction(2_097, 2)))
    with pytest.raises(TooLarge):
        arithmetic.raise_to_power(ROUNDED.mpf(2) ** -1000, Fraction(5_243, 5))


def test_the_argument_of_a_function_is_bounded_from_both_sides(arithmetic):
    # mpmath's magnitude is the least m with |x| < 2^m: of 2^127 it is 128, of 2^-129 it is -128.
    for argument in (Fraction(2**127), Fraction(-(2**127)), Fraction(1, 2**129), Fraction(0)):
        assert ROUNDED.isfinite(arithmetic.apply(ROUNDED.sin, argument))
    for argument in (Fraction(2**128), Fraction(-(2**128)), Fraction(1, 2**130)):
        with pytest.raises(TooLarge):
            arithmetic.apply(ROUNDED.sin, argument)


@pytest.mark.parametrize("function", [ROUNDED.ln, ROUNDED.cot, ROUNDED.csc])
def test_a_function_has_no_value_at_its_pole(arithmetic, function):
    with pytest.raises(Undefined):
        arithmetic.apply(function, Fraction(0))


def test_rounded_operations_are_those_of_mpmath(arithmetic):
    root = arithmetic.raise_to_power(Fraction(2), Fraction(1, 2))
    assert are_equal(arithmetic.multiply(root, root), Fraction(2))
    assert are_equal(arithmetic.add(root, Fraction(1)), ROUNDED.sqrt(2) + 1)
    assert are_equal(arithmetic.divide(Fraction(2), root), root)
    assert arithmetic.raise_to_power(root, Fraction(1)) is root


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (Fraction(1, 2**98), Fraction(1, 2**99), False),
        (Fraction(1, 2**98), Fraction(1, 2**98), True),
        (Fraction(10**60), Fraction(10**60 + 1), False),  # exact numbers are never rounded
        (Fraction(1, 3), make_rounded(Fraction(1, 3)), True),
        # Around 1e-38 and 1e-34, relative to the larger one.
        (Fraction(1), ROUNDED.mpf(1) + ROUNDED.mpf("9e-39"), True),
        (Fraction(1), ROUNDED.mpf(1) + ROUNDED.mpf("2e-38"), None),
        (Fraction(1), ROUNDED.mpf(1) + ROUNDED.mpf("9e-35"), None),
        (Fraction(1), ROUNDED.mpf(1) + ROUNDED.mpf("2e-34"), False),
        (ROUNDED.mpf("1e-20"), ROUNDED.mpf("1e-20") + ROUNDED.mpf("9e-59"), True),
        (ROUNDED.mpf("1e-20"), ROUNDED.mpf("1e-20") + ROUNDED.mpf("2e-54"), False),
        # Below 1e-38 a rounded result may be the error of a difference, and says nothing.
        (ROUNDED.mpf("9e-39"), Fraction(0), None),
        (ROUNDED.mpf("9e-39"), ROUNDED.mpf("1e-39"), None),
        (ROUNDED.mpf("9e-39"), ROUNDED.mpf("9e-39"), True),
        (ROUNDED.mpf("2e-38"), Fraction(0), False),
        (ROUNDED.mpc(0, 1), ROUNDED.mpc(0, -1), False),
        (ROUNDED.mpc(0, 1), ROUNDED.mpc(0, 1), True),
    ],
)
def test_values_are_equal_different_or_too_close_to_tell(left, right, expected):
    assert are_equal(left, right) is expected
    assert are_equal(right, left) is expected


def test_a_number_that_is_nearly_whole_is_not_whole():
    # e^(pi sqrt(163)) = 262537412640768743.99999999999925...: relative to 2.6e17 the difference is 2.9e-30.
    ramanujan = ROUNDED.exp(ROUNDED.pi * ROUNDED.sqrt(163))
    assert are_equal(ramanujan, Fraction(262_537_412_640_768_744)) is False


def test_only_numbers_off_the_real_line_are_complex():
    assert is_complex(ROUNDED.mpc(1, 1))
    assert not any(map(is_complex, (Fraction(1), ROUNDED.mpf(1), ROUNDED.mpc(1, 0))))


def test_the_precision_is_fifty_digits_and_its_own():
    import mpmath

    assert ROUNDED.dps == 50
    assert ROUNDED is not mpmath.mp

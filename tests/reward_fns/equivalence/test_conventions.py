"""The conventions of `reward_fns.equivalence`: every line of its table, what it calls the same and what different."""

import pytest

from reward_fns.equivalence.compare import compare_quickly
from reward_fns.math_reward import grade

# Each line is (same, different), pairs of a candidate and a gold.
CONVENTIONS = {
    "percent": (
        [(r"28\%", "28 percent"), (r"28\%", "28"), ("28 percent", "28"), (r"28\%", "0.28"), ("28 percent", "0.28")],
        [("28", "0.28"), (r"28\%", "2800"), (r"28\%", r"2800\%"), (r"28\%", "2.8"), (r"28\%", "-28")],
    ),
    "thousands separators": (
        [(text, "1234") for text in ("1,234", r"1\,234", "1{,}234", "1 234", r"1,\!234")]
        + [("1,234", "1 234"), (r"1\,234.5", "1234.5"), ("1,000,000", "10^6"), (r"2,000 \text{ m}", r"2 \times 10^3")]
        + [("10^3", "1,000"), (r"1,500+\pi", r"\pi+1500")],
        [
            ("1,000,000", "10^5"),
            ("1,000", "1^3"),
            ("1, 234", "1234"),
            ("12,34", "1234"),
            ("1,234", "1235"),
            ("1,2345", "12345"),
        ],
    ),
    "repeating decimals and words for numbers": (
        [(r"0.\overline{3}", "1/3"), ("5 million", "5000000"), (r"-0.1\overline{6}", "-1/6"), ("2 dozen", "24")],
        [
            ("0.333...", "1/3"),
            ("0.333", "1/3"),
            (r"0.\overline{3}", "0.333"),
            ("5 million", "5"),
            ("0.333...", "0.333"),
        ],
    ),
    "mixed numbers": (
        [(r"1\frac{4}{5}", "9/5"), ("1 4/5", "9/5"), (r"1\frac{4}{5}", "1 4/5"), (r"-1\frac{4}{5}", "-1.8")],
        [("1 4/5", "4/5"), (r"1\frac{4}{5}", "4/5"), (r"1\frac{4}{5}", "0.8"), (r"-1\frac{4}{5}", "-0.2")],
    ),
    "degrees": (
        [(r"90^\circ", "90"), ("90 degrees", "90"), (r"90^\circ", "90 degrees"), ("90°", r"90^{\circ}")],
        [(r"\sin 90^\circ", r"\sin 90"), (r"90^\circ", "91"), (r"\sin 90^\circ", "90")],
    ),
    "units": (
        [
            (r"5\text{ cm}", "5"),
            ("5 cm", "5"),
            (r"5\text{ cm}", "5 cm"),
            (r"\$5", "5"),
            ("-$5", "-5"),
            ("5 cm²", r"5\text{ cm}^2"),
        ],
        [
            ("5 cm", "5 m"),
            (r"5\text{ cm}", r"5\text{ m}"),
            (r"5\text{ cm}^2", r"5\text{ cm}^3"),
            ("5 cm", "6"),
            (r"\$5", "€5"),
        ],
    ),
    "names and results": (
        [
            ("x=5", "5"),
            (r"x\approx 5", "5"),
            ("x=5", r"x\approx 5"),
            ("x=5", "x=5.0"),
            ("5=x", "5"),
            ("5=x", "x=5"),
            ("2+3=5", "5"),
        ],
        [("y=5", "x=5"), ("5", "2x+z=5"), ("x=5", "6"), ("2+3=5", "2"), (r"\approx 5", r"\approx 6")],
    ),
    "approximations": (
        [(r"1/3 \approx 0.33", "1/3"), (r"x = 1/3 \approx 0.33", "1/3")],
        [(r"1/3 \approx 0.33", "1/4"), (r"1/3 \approx 0.33", "0.34")],
    ),
    "rounded": (
        [
            ("0.6666667", "2/3"),
            ("0.666667", "2/3"),
            ("0.666666", "2/3"),
            ("3.1415927", r"\pi"),
            ("1.4142136", r"\sqrt{2}"),
        ],
        [("0.667", "2/3"), ("0.66667", "2/3"), ("0.666668", "2/3"), ("0.000000", "1/30000000"), ("3.14159", r"\pi")],
    ),
    "sets and lists in any order": (
        [(r"\{1,2\}", r"\{2,1\}"), (r"\{1,2\}", "{1,2}"), ("1,2", "2,1"), (r"\{1,2\}", "2,1"), ("{2,1}", "1, 2")],
        [("(1,2)", "(2,1)"), ("[1,2]", "[2,1]"), (r"\{1,2\}", r"\{1,3\}"), (r"\{1,2\}", r"\{1,2,3\}")],
    ),
    "all members": (
        [("1 and 2", "1 or 2"), ("1 and 2", "1;2"), ("1;2", "1,2"), (r"1 \text{ or } 2", "2 and 1"), ("1,2,2", "1,2")],
        [("1 or 2", "1"), ("1", "1 or 2"), ("1,2", "1,2,3"), ("1 and 2", "2")],
    ),
    "lists and tuples": (
        [("(1,2)", "1,2"), ("(1,2)", "1 and 2")],
        [("(2,1)", "1,2"), ("(1,2)", r"\{1,2\}"), ("(1,2)", "1,2,3"), ("[1,2]", "1,2")],
    ),
    "plus and minus": (
        [
            (r"\pm 2", "2,-2"),
            (r"\pm 2", "-2 or 2"),
            (r"1\pm\sqrt{2}", r"1-\sqrt{2}, 1+\sqrt{2}"),
            (r"\pm 2", r"\pm\sqrt{4}"),
        ],
        [("2", r"\pm 2"), (r"\pm 2", "2"), (r"\pm 2", r"\pm 3")],
    ),
    "named lists": (
        [
            ("x=1,y=2", "1,2"),
            ("x=1,y=2", "y=2,x=1"),
            (r"x=1 \text{ and } y=2", "1,2"),
            ("x=1 or x=2", "x=2 or x=1"),
            ("x=1 or x=2", "2,1"),
        ],
        [("x=2,y=1", "1,2"), ("x=1,y=2", "1,3"), ("x=1 or x=2", "1,3")],
    ),
    "brackets": (
        [("(0,1]", "(0,1]"), ("(0, 1]", r"\left(0,1\right]"), ("(0.5,1]", r"(\frac{1}{2},1]")],
        [("(0,1]", "[0,1]"), ("(0,1]", "(0,1)"), ("[0,1]", "(0,1)"), ("(0,1]", "(0,2]")],
    ),
    "inequalities": (
        [("-x > -1", "x < 1"), ("1 > x", "x < 1"), ("-x > -1", "1 > x")],
        [("x < 1", r"x \le 1"), ("x < 1", "x > 1"), ("x < 1", "y < 1"), ("x < 1", "1")],
    ),
    "intervals": (
        [
            (r"0 < x \le 1", "(0,1]"),
            (r"x \in (0,1]", "(0,1]"),
            (r"1 \ge x > 0", "(0,1]"),
            (r"x \ge 1", r"[1,\infty)"),
            ("x < 1", r"(-\infty,1)"),
            ("1 < x", r"(1,\infty)"),
        ],
        [
            (r"0 \le x \le 1", "(0,1]"),
            (r"0 < x \le 2", "(0,1]"),
            (r"x \in (0,1)", "(0,1]"),
            ("x > 1", r"[1,\infty)"),
            ("x > 1", r"(-\infty,1)"),
        ],
    ),
    "equations up to a factor": (
        [("2x+4y=6", "x+2y=3"), ("3=x+2y", "x+2y=3"), ("-x-2y=-3", "x+2y=3"), ("y=2x+1", "2x-y+1=0")],
        [("x+2y=3", "x+2y+1=3"), ("x+2y=3", "x+3y=3")],
    ),
    "words": (
        [(r"\text{odd}", "odd"), ("odd", "Odd"), (r"\text{even}", r"\textbf{EVEN}"), ("Saint Louis", "saint louis")],
        [(r"\text{oddd}", r"\text{odd}"), ("odd", "even"), ("odd", "1"), ("odd", "x"), ("ABC", "abc")],
    ),
    "real roots and positive variables": (
        [(r"\sqrt[3]{-8}", "-2"), (r"\sqrt[3]{-x}", r"-\sqrt[3]{x}"), (r"\sqrt{x^2}", "x"), ("|x|", r"\sqrt{x^2}")],
        [("|x|", "x"), (r"\sqrt[3]{-8}", "2"), (r"\sqrt{x^2}", "-x"), (r"\sqrt{-4}", "-2")],
    ),
    "other bases": (
        [("4210_5", "4210_5"), ("4210_{5}", "4210_5")],
        [("4210_6", "4210_5"), ("4210", "4210_5"), ("4211_5", "4210_5")],
    ),
}

CONVENTIONS |= {
    "residues and periods": (
        [
            ("x=5k+2", r"x \equiv 2 \pmod 5"),
            (r"x=k\pi", r"x=n\pi"),
            (r"n \text{ is odd}", r"n=2k+1, k \in \mathbb{Z}"),
            (r"n \text{ is divisible by } 3", r"3 \mid n"),
            (r"x=\pm\frac{\pi}{3}+2k\pi", r"x=\frac{\pi}{3}+2k\pi, x=\frac{5\pi}{3}+2k\pi"),
        ],
        [("x=5k+2", r"x \equiv 2 \pmod{10}"), (r"x=k\pi", r"x=2k\pi"), ("2k+2", r"\text{even}"), ("y=2n+1", "y=2n-1")],
    ),
    "signs of plus and minus": (
        [(r"(\pm 1, 0)", "(1,0), (-1,0)"), (r"1 \mp \sqrt{2}", r"1 \pm \sqrt{2}")],
        [(r"(\pm 1, \pm 2)", "(1,2), (-1,-2)"), (r"\pm(1+i)", r"1 \pm i")],
    ),
    "unit vectors": (
        [
            (r"\langle 1,2 \rangle", r"\mathbf{i}+2\mathbf{j}"),
            (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\hat{i}+2\hat{j}"),
        ],
        [(r"\langle 1,2 \rangle", r"2\mathbf{i}+\mathbf{j}"), (r"\hat{i}", "i")],
    ),
    "functions in pieces": (
        [
            (
                r"\begin{cases} x & x>0 \\ 0 & \text{otherwise} \end{cases}",
                r"\begin{cases} 0, & \text{else} \\ x, & \text{if } x>0\end{cases}",
            )
        ],
        [
            (
                r"\begin{cases} x & x>0 \\ 0 & \text{otherwise} \end{cases}",
                r"\begin{cases} x & x>1 \\ 0 & \text{otherwise} \end{cases}",
            )
        ],
    ),
    "sets in words": (
        [
            (r"m \in [\sqrt{2}, \infty)", r"m \ge \sqrt{2}"),
            (r"-2 \le x \le 7", r"x \in [-2,7]"),
            (r"\text{all real numbers except } 2", r"x \ne 2"),
            (r"x \text{ is at least } 2", r"x \ge 2"),
        ],
        [(r"\text{all real numbers greater than } 3", r"[3,\infty)"), (r"\text{at least } 2", "2")],
    ),
    "whole numbers": (
        [(r"\mathbb{N}", r"\mathbb{Z}^+"), (r"\text{all positive integers}", r"\mathbb{N}"), (r"\cos(n\pi)", "(-1)^n")],
        [(r"\mathbb{N}", r"\mathbb{Z}"), ("(2n)!", "2n!"), ("n!!", "(n!)!"), (r"\cos(x\pi)", "1")],
    ),
    "remarks": (
        [
            (r"2x^3 \text{ for any real constant}", "2x^3"),
            (r"f(x)=cx \text{ for some constant } c", "f(x)=cx"),
            (r"x=5 \text{ only}", "5"),
            (r"\text{The answer is } 5", "5"),
        ],
        [(r"\text{not } 5", "5"), (r"5 \text{ if } x>0", "5"), (r"5 \text{ wrong}", "5")],
    ),
    "ratios and times": (
        [("3:10", r"\frac{3}{10}"), ("17:00", r"5 \text{ p.m.}")],
        [("10:30", "10/30"), ("3'", "3"), ("3:10", "10:3")],
    ),
    "computations": ([(r"\gcd(12,18)", "6")], [(r"\int_0^1 x^2\,dx", r"\frac{1}{3}"), (r"\lim_{x \to 0} x", "0")]),
    "metres behind a space": ([(r"576\pi\;m^{2}", r"576\pi")], [("10 m", "10"), ("3x m^2", "3x")]),
}

# Lines that tell the candidate from the gold.
ONE_WAY_CONVENTIONS = {
    "an approximation that the reference gives": (
        [("-0.891", r"\cos 207^\circ \approx -0.891"), ("0.33", r"1/3 \approx 0.33")],
        [("0.33", "1/3"), ("0.34", r"1/3 \approx 0.33"), (r"1/3 \approx 0.33", "0.33")],
    ),
    "a decimal comma": (
        [("1000,99", "1000.99"), ("0.111", "0,111"), ("1,3", "1.3"), ("0,123", "0.123")],
        [("1,2", "1.3"), ("0.1", "0,1"), ("0.112", "0,111"), ("1000,99", "1000.98"), ("0,123", "123")],
    ),
    "choice letters": (
        [
            (text, "C")
            for text in ("C", "(C)", r"\textbf{C}", "C. x=42", "C)", r"\textbf{(C)}", "(C) 42", r"\text{C: } 42")
        ],
        [(text, "C") for text in ("c", "D", "(D)", "D. x=42", "D. not C", "C or D", "A, C", "C. or D.")],
    ),
}


ALL = CONVENTIONS | ONE_WAY_CONVENTIONS


@pytest.mark.parametrize("line", ALL)
def test_what_a_convention_calls_the_same_is_right(line):
    assert [pair for pair in ALL[line][0] if compare_quickly(*pair) is not True] == []


@pytest.mark.slow
@pytest.mark.parametrize("line", ALL)
def test_what_a_convention_calls_different_is_wrong(line):
    verdicts = {pair: compare_quickly(*pair) for pair in ALL[line][1]}
    assert [pair for pair, verdict in verdicts.items() if verdict is True] == []
    # What is left open counts with what becomes of it.
    left_open = [pair for pair, verdict in verdicts.items() if verdict is None]
    assert [(one, gold) for one, gold in left_open if grade(rf"\boxed{{{one}}}", gold) != 0.0] == []


@pytest.mark.parametrize("line", CONVENTIONS)
def test_the_verdict_does_not_depend_on_which_side_is_the_reference(line):
    same, different = CONVENTIONS[line]
    assert [pair for pair in same if compare_quickly(*pair[::-1]) is not True] == []
    assert [pair for pair in different if compare_quickly(*pair[::-1]) is True] == []

"""The kind of an answer; the examples are answers of Hard-1K and of the evaluation suite."""

import pytest

from data_prep.quality.answer_kinds import KINDS, kind_of

EXAMPLES = {
    "integer": [
        "25",
        "025",
        "-50",
        "27,720",
        r"11,\! 111,\! 111,\! 100",
        r"\(\boxed{77}\)",
        r"\[ 1979 \]",
        "$69$",
        "$782",
    ],
    "decimal": ["507024.5", ".0000672", "-0.2", "$0.10", r"\$18.90"],
    "fraction": [
        r"\frac{14}{3}",
        r"\frac43",
        r"\frac 59",
        r"-\frac{30}{17}",
        r"1\frac{4}{5}",
        "-3/2",
        r"$\frac{1}{2}$",
    ],
    "list": ["1, 5, 9", "1, 100, 101, 201", "$69$,$84$", "(3, 2)", r"f(x) = 0 \text{ and } f(x) = x", "E_1, E_2"],
    "text": [r"\text{Evelyn}", r"\text{(C)}", "(A)", "east", "All of them."],
    "expression": [
        r"2\sqrt{3}",
        r"60^\circ",
        "x = 5",
        "n",
        r"\alpha",
        "1:36",
        r"30 \%",
        r"\frac{2\pi}{3}",
        r"\boxed{a=170}",
    ],
}


@pytest.mark.parametrize(("kind", "answer"), [(kind, answer) for kind in EXAMPLES for answer in EXAMPLES[kind]])
def test_an_answer_has_this_kind(kind, answer):
    assert kind_of(answer) == kind


def test_every_kind_has_examples():
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize(
    "answer", ["", "$$", r"\text{}", "\\boxed{" * 5000, "{" * 100_000, "1," * 50_000, "$" * 100_000]
)
def test_any_text_has_a_kind(answer):
    assert kind_of(answer) in KINDS

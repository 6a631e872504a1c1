"""What the readers of answers and solutions make of odd values; test_presets.py has whole rows."""

import pytest

from data_prep.presets.answers import read_last_box, repair_gold
from data_prep.presets.gsm8k import read_after_hashes, read_gsm8k_solution
from data_prep.presets.solutions import read_correct_generation, without_thinking


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("#### 72", "72"),
        ("a #### 1\nb\n####-1,234,567.5", "-1234567.5"),
        ("#### $1,080", "$1080"),
        ("#### 1,2", "1,2"),
        ("#### 5 \n\nmore", "5"),
        ("#### three", "three"),
    ],
)
def test_the_answer_stands_behind_the_last_hashes(value, answer):
    assert read_after_hashes(value, {}) == answer


@pytest.mark.parametrize(
    ("value", "gold"),
    [
        ("72", "72"),
        (72, 72),
        (0.5, 0.5),
        ("a b\n#### 1,080", "1080"),
        (r"so \boxed{1} or \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        ('["34"]', ["34"]),
        (r'["\\frac{1}{2}", "$0.5$"]', [r"\frac{1}{2}", "$0.5$"]),
        (["#### 3", r"\boxed{4}"], ["3", "4"]),
        ("[1, 2]", "[1, 2]"),
        ("[0,1)", "[0,1)"),
        ('["34"', '["34"'),
        ("[]", "[]"),
        ("[" * 100_000, "[" * 100_000),
        ('{"a": 1}', '{"a": 1}'),
        ("", ""),
    ],
)
def test_a_gold_becomes_the_answer_alone(value, gold):
    assert repair_gold(value, {}) == gold


def test_a_box_without_braces_is_read():
    assert read_last_box(r"It is $\boxed 12.$", {}) == "12"
    assert read_last_box(r"First \boxed 1, then \boxed{2}.", {}) == "2"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("It is 2.", "It is 2."),
        (" kept \n", " kept \n"),
        ("<think>a</think>It is 2. ", "It is 2."),
        ("a</think>\n\nIt is 2.", "It is 2."),
        ("<think>a</think>b<think>c</think>It is 2.", "It is 2."),
        ("<think>a</think>It is 2.<think>And", "It is 2."),
        ("<think>It is", ""),
        ("<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>2<|end_of_solution|>", "2"),
    ],
)
def test_what_stands_behind_the_thoughts_is_kept(text, rest):
    assert without_thinking(text) == rest


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"correctness_math_verify": [False, True]}, "second"),
        ({"correctness_math_verify": [True, True]}, "first"),
        ({"correctness_math_verify": [True, True], "is_reasoning_complete": [False, True]}, "second"),
        ({"correctness_math_verify": [False, False], "correctness_llama": [True, True]}, None),
        ({"correctness_math_verify": None, "correctness_llama": [False, True]}, "second"),
        ({"correctness_math_verify": [], "correctness_llama": [False, True]}, "second"),
        ({"correctness_math_verify": [None, None], "correctness_llama": [True]}, "first"),
        ({"correctness_math_verify": [None, True]}, "second"),
        ({"correctness_math_verify": "yes"}, None),
        ({}, None),
    ],
)
def test_the_first_generation_that_its_own_lists_call_correct_is_taken(lists, expected):
    assert read_correct_generation(["first", "second"], lists) == expected


def test_a_gsm8k_solution_needs_its_answer_and_gives_it_without_commas():
    assert read_gsm8k_solution("72", {}) is None
    assert read_gsm8k_solution("a <<1+1=2>>2 b<c>>d\n####  1,234,567 ", {}) == (
        "a 2 b<c>>d\nThe final answer is \\boxed{1234567}"
    )
    assert read_gsm8k_solution("#### 72", {}) == "The final answer is \\boxed{72}"

"""How much an answer may ask for: the last accepted value of each limit, and the first refused one."""

import pytest

from reward_fns.limits import MAX_CHARACTERS, MAX_DIGIT_RUN, MAX_NESTING, exceeds_text_limits, measure_nesting


@pytest.mark.parametrize(
    ("accepted", "refused"),
    [
        ("x" * MAX_CHARACTERS, "x" * (MAX_CHARACTERS + 1)),
        ("(" * MAX_NESTING + ")" * MAX_NESTING, "(" * (MAX_NESTING + 1)),
        ("{" * MAX_NESTING + "}" * MAX_NESTING, "{" * (MAX_NESTING + 1)),
        ("[" * MAX_NESTING + "]" * MAX_NESTING, "[" * (MAX_NESTING + 1)),
        ("([" * (MAX_NESTING // 2), "([" * (MAX_NESTING // 2) + "{"),
        ("1" * MAX_DIGIT_RUN + "." + "1" * 99, "x" + "1" * (MAX_DIGIT_RUN + 1)),
    ],
    ids=["length", "parentheses", "braces", "square brackets", "mixed brackets", "digits"],
)
def test_each_limit_on_the_text_is_the_last_value_accepted(accepted, refused):
    assert not exceeds_text_limits(accepted)
    assert exceeds_text_limits(refused)


def test_brackets_side_by_side_are_not_nested():
    assert not exceeds_text_limits("(){}[]" * (MAX_NESTING + 1))


def test_depth_is_that_of_the_deepest_place():
    assert measure_nesting("") == measure_nesting("1") == 0
    assert measure_nesting("(1)(2)") == 1
    assert measure_nesting("{[(1)]}(2)") == 3
    assert measure_nesting("((1)") == 2

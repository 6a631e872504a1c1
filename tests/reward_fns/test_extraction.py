"""Which part of a response counts as its answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.extraction import TAIL_CHARACTERS, last_boxed

CASES = [
    ("a single box", r"so \boxed{42}.", "42"),
    ("the last of several boxes", r"\boxed{41}, no wait, \boxed{42}", "42"),
    ("nested braces stay in the answer", r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    ("of nested boxes the inner one", r"\boxed{x=\boxed{7}}", "7"),
    ("an empty last box does not hide an earlier one", r"\boxed{5} put it inside \boxed{}", "5"),
    ("a blank box is empty", "\\boxed{ \n }", None),
    ("a box that is never closed does not count", r"\boxed{3} then \boxed{4", "3"),
    ("closed groups inside an unclosed box do not close it", r"\boxed{\frac{1}{2}", None),
    ("stray opening braces before the box do no harm", r"{{{ \boxed{42}", "42"),
    ("stray closing braces before the box do no harm", r"}}} \boxed{42}", "42"),
    ("printed braces do not count as groups", r"\boxed{\{1,2\}}", r"\{1,2\}"),
    ("a half-open printed brace does not count either", r"\boxed{\left\{ x \right.}", r"\left\{ x \right."),
    ("a line break before the closing brace is not a printed brace", r"\boxed{1\\2\\}", r"1\\2\\"),
    ("a space before the brace", r"\boxed {42}", "42"),
    ("a box escaped twice", r"\\boxed{42}", "42"),
    ("a box after a line break", r"x\\\boxed{42}", "42"),
    ("outer spaces are removed", r"\boxed{ 4 2 }", "4 2"),
    ("no braces, no box", r"\boxed 42", None),
    ("reversed braces", r"\boxed}42{", None),
    ("another command that begins alike", r"\boxedx{42}", None),
    ("no text", "", None),
    ("NUL and lone surrogates are ordinary characters", "\x00\ud800 \\boxed{\x00}", "\x00"),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_answer_is_the_last_balanced_non_empty_box(text, expected):
    assert last_boxed(text) == expected


def test_only_the_tail_is_searched():
    box = r"\boxed{42}"
    assert last_boxed(box + "x" * (TAIL_CHARACTERS - len(box))) == "42"
    # One character more and the backslash lies before the tail.
    assert last_boxed(box + "x" * (TAIL_CHARACTERS - len(box) + 1)) is None


@pytest.mark.parametrize("piece", [r"\boxed{", "{", r"\boxed{}", r"\boxed ", "}", r"\boxed{ ", r"\boxed{{"])
def test_a_long_repetition_of_marks_is_read_without_recursion_or_error(piece):
    assert last_boxed(piece * 100_000) is None


@given(st.text(alphabet=list("\\{}boxed 1$"), max_size=200))
def test_whatever_is_found_is_balanced_non_empty_and_part_of_the_text(text):
    answer = last_boxed(text)
    if answer is not None:
        assert answer.strip() == answer != ""
        assert answer in text
        printed = answer.replace(r"\\", "").replace(r"\{", "").replace(r"\}", "")
        assert printed.count("{") == printed.count("}")

"""Which part of a response counts as its answer."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_fns.extraction import TAIL_CHARACTERS, last_boxed

CASES = [
    ("a single box", r"so \boxed{42}.", "42"),
    ("the last of several boxes", r"\boxed{41}, no wait, \boxed{42}", "42"),
    ("a frame is a box", r"so \fbox{42}.", "42"),
    ("the last of a box and a frame", r"\boxed{41} or \fbox{42}", "42"),
    ("the last of a frame and a box", r"\fbox{41} or \boxed{42}", "42"),
    ("nested braces stay in the answer", r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    ("of nested boxes the inner one", r"\boxed{x=\boxed{7}}", "7"),
    ("of nested boxes the inner one, though the outer one goes on", r"\boxed{\boxed{7} + 1}", "7"),
    ("an empty last box hides an earlier one", r"\boxed{5} put it inside \boxed{}", None),
    ("a blank last box hides an earlier one", "\\boxed{5} \\boxed{ \n }", None),
    ("an empty last frame hides an earlier box", r"\boxed{5} \fbox{}", None),
    ("a last box of invisible characters hides an earlier one", "\\boxed{5} \\boxed{\u200b\x00}", None),
    ("a blank box is empty", "\\boxed{ \n }", None),
    ("a box that is never closed does not count", r"\boxed{3} then \boxed{4", "3"),
    ("closed groups inside an unclosed box do not close it", r"\boxed{\frac{1}{2}", None),
    ("stray opening braces before the box do no harm", r"{{{ \boxed{42}", "42"),
    ("stray closing braces before the box do no harm", r"}}} \boxed{42}", "42"),
    ("stray closing braces after the box do no harm", r"\boxed{42} }}}", "42"),
    ("printed braces do not count as groups", r"\boxed{\{1,2\}}", r"\{1,2\}"),
    ("a half-open printed brace does not count either", r"\boxed{\left\{ x \right.}", r"\left\{ x \right."),
    ("a line break before the closing brace is not a printed brace", r"\boxed{1\\2\\}", r"1\\2\\"),
    ("a space before the brace", r"\boxed {42}", "42"),
    ("a box escaped twice", r"\\boxed{42}", "42"),
    ("a frame escaped twice", r"\\fbox{42}", "42"),
    ("a box after a line break", r"x\\\boxed{42}", "42"),
    ("outer spaces are removed", r"\boxed{ 4 2 }", "4 2"),
    ("no braces, a number", r"is $\boxed 42$.", "42"),
    ("no braces, a word", r"\boxed five", None),
    ("the last of both kinds", r"\boxed{1} and \boxed -2.5.", "-2.5"),
    ("reversed braces", r"\boxed}42{", None),
    ("another command that begins alike", r"\boxedx{42}", None),
    ("another command that ends alike", r"\mbox{42}", None),
    ("no text", "", None),
    ("tabs and line breaks can be seen", "\\boxed{1\t2\n3\r4}", "1\t2\n3\r4"),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_answer_is_the_last_balanced_box(text, expected):
    assert last_boxed(text) == expected


INVISIBLE = "\x00\x08\x0b\x1f\x7f\x9f\xad\u200b\u200f\u202a\u202e\u2060\u2064\ufeff\ud800\udfff"


@pytest.mark.parametrize("character", INVISIBLE)
def test_invisible_characters_are_removed_from_the_answer(character):
    assert last_boxed(f"\\boxed{{{character}4{character}2 {character}}}") == "42"


def test_only_the_tail_is_searched():
    assert TAIL_CHARACTERS == 2**16
    box = r"\boxed{42}"
    assert last_boxed(box + "x" * (TAIL_CHARACTERS - len(box))) == "42"
    # One character more and the backslash lies before the tail.
    assert last_boxed(box + "x" * (TAIL_CHARACTERS - len(box) + 1)) is None


@pytest.mark.parametrize(
    "piece", [r"\boxed{", "{", r"\boxed{}", r"\boxed ", "}", r"\boxed{ ", r"\boxed{{", "\\", "\\\\"]
)
def test_a_megabyte_of_marks_is_read_without_recursion_or_error(piece):
    assert last_boxed(piece * (2**20 // len(piece))) is None


@pytest.mark.parametrize("before", ["x", "{", "}", r"\boxed{", r"\boxed{1}", "\\\\", "\ud800"])
def test_a_megabyte_before_the_box_changes_nothing(before):
    assert last_boxed(before * (2**20 // len(before)) + r" \boxed{42}") == "42"


def test_the_innermost_of_many_thousand_nested_boxes_is_found():
    depth = TAIL_CHARACTERS // len(r"\boxed{}") - 1
    assert last_boxed(r"\boxed{" * depth + "42" + "}" * depth) == "42"


def content_of_the_box_at(text, start):
    """What follows `start` up to the brace that closes it, found by counting; None if nothing closes it."""
    depth, position = 1, start
    while position < len(text):
        if text[position] == "\\" and text[position + 1 : position + 2] in ("\\", "{", "}"):
            position += 2
            continue
        depth += (text[position] == "{") - (text[position] == "}")
        if depth == 0:
            return text[start:position].strip()
        position += 1
    return None


PIECES = [r"\boxed{", r"\fbox {", r"\boxed", "{", "}", "}", r"\{", r"\}", r"\\", "+", " "]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_the_answer_is_that_of_a_search_that_counts_braces_from_every_box(text):
    contents = [content_of_the_box_at(text, box.end()) for box in re.finditer(r"\\(?:boxed|fbox) *\{", text)]
    closed = [content for content in contents if content is not None]
    assert last_boxed(text) == ((closed[-1] or None) if closed else None)


@given(st.text(alphabet=list("\\{}boxed 1$\x00\u200b"), max_size=200))
def test_whatever_is_found_is_balanced_and_not_blank(text):
    answer = last_boxed(text)
    if answer is not None:
        assert answer.strip() == answer != ""
        printed = answer.replace(r"\\", "").replace(r"\{", "").replace(r"\}", "")
        assert printed.count("{") == printed.count("}")

r"""Hints, as pure functions: what of a solution a prompt shows, and where; hand-worked."""

import numpy
import pytest

from recipe.edge_grpo.correction.hints import add_to_last_user_message, growing_hints, hint_of, hint_text

# 4 words before the one with the box
SOLUTION = "7+5=12\nthen 12-3=9\nso $\\boxed{9}$ is it"


@pytest.mark.parametrize(
    ("share", "shown"),
    # 0.24 * 4 = 0.96, 0.25 * 4 = 1, 0.74 * 4 = 2.96, 0.75 * 4 = 3; 1 * 4 stops before the box
    [
        (0.24, None),
        (0.25, "7+5=12"),
        (0.74, "7+5=12\nthen"),
        (0.75, "7+5=12\nthen 12-3=9"),
        (1, "7+5=12\nthen 12-3=9\nso"),
    ],
)
def test_a_share_of_the_words_before_the_box_is_shown_rounded_down(share, shown):
    assert hint_of(SOLUTION, share) == shown


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("solution", ["", "   ", "9", "\\boxed{9}", "\\boxed{9} as was to be shown"])
def test_a_solution_of_which_nothing_can_be_shown_gives_no_hint(solution, share):
    assert hint_of(solution, share) is None


def test_without_a_box_the_last_word_is_never_shown():
    assert hint_of("7+5=12 12-3=9 Answer: 9", 1.0) == "7+5=12 12-3=9 Answer:"


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_a_box_with_blanks_in_it_is_not_shown_in_part(share):
    assert "boxed" not in (hint_of("a b c \\boxed{1 + x} d e f g h", share) or "")


def test_hints_grow_and_none_is_given_twice():
    hints = growing_hints(SOLUTION, [0.1, 0.25, 0.3, 0.5, 0.6, 1.0])
    assert hints == ["7+5=12", "7+5=12\nthen", "7+5=12\nthen 12-3=9\nso"]
    assert all(longer.startswith(shorter) for shorter, longer in zip(hints, hints[1:], strict=False))


def test_the_hint_stands_in_the_last_message_and_the_row_is_not_changed():
    messages = numpy.array([{"role": "system", "content": "s"}, {"role": "user", "content": "q"}])  # as verl has them
    hinted = add_to_last_user_message(messages, " h")
    assert hinted == [{"role": "system", "content": "s"}, {"role": "user", "content": "q h"}]
    assert messages[1] == {"role": "user", "content": "q"}


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "q"}]}],
        [{"role": "user"}],
    ],
    ids=["none", "another's", "parts", "no content"],
)
def test_there_is_no_place_for_a_hint_but_a_text_of_the_user_at_the_end(messages):
    assert add_to_last_user_message(messages, " h") is None


def test_braces_of_a_solution_are_left_alone():
    assert hint_text("[{hint}]", r"\frac{1}{2} {hint}") == r"[\frac{1}{2} {hint}]"

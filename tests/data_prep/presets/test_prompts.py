"""What the readers of chats, problems and options make of odd values."""

import pytest

from data_prep.presets.chats import has_system_message, read_messages, read_question
from data_prep.presets.choices import read_option_solution, read_problem_with_options, read_right_option
from data_prep.presets.fields import BadRow
from data_prep.presets.prompts import read_problem, read_text


def user(content):
    return [{"role": "user", "content": content}]


def test_parts_of_a_message_are_joined():
    parts = [{"type": "text", "text": "What"}, "is", {"type": "input_text", "text": "1+1?"}]
    assert read_question([{"role": "developer", "content": "Think."}, *user(parts)]) == "What\nis\n1+1?"


def test_a_message_that_only_calls_a_tool_is_empty():
    assert read_messages([{"role": "assistant", "content": None}]) == [("assistant", "")]


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        (user([{"type": "image_url", "image_url": {"url": "x"}}]), "image"),
        (user([{"type": "image"}, {"type": "text", "text": "What is it?"}]), "image"),
        (user([{"type": "audio"}]), "not a text"),
        (user(5), "not a text"),
        (user("1?") + user("2?"), "several turns"),
        ([], "no problem"),
        ([{"role": "system", "content": "Think."}], "no problem"),
        ([{"role": "tool", "content": "4"}, *user("1?")], "unknown role"),
        ([{"content": "1?"}], "unknown role"),
        (["1?"], "not a chat"),
        (5, "not a text"),
        ({"text": "1?"}, "not a text"),
        (user("See <image>"), "image"),
        ("See <image_1> and", "image"),
        ("See <image 2>", "image"),
        ("See ![a](https://x.y/z.png).", "image"),
    ],
)
def test_a_problem_that_is_no_single_text_is_refused_with_a_reason(prompt, reason):
    with pytest.raises(BadRow) as caught:
        read_problem(prompt, {})
    assert caught.value.reason == reason
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("column", ["image", "images", "decoded_image"])
@pytest.mark.parametrize("image", [b"x", "path.png", [b"x"], {"bytes": b"x", "path": None}])
def test_an_image_beside_the_problem_is_refused_unless_it_is_empty(column, image):
    with pytest.raises(BadRow, match=f"comes with an image in column '{column}'") as caught:
        read_text("1+1?", {column: image})
    assert caught.value.reason == "image"
    for empty in (None, "", b"", [], [None], {"bytes": None, "path": None}):
        assert read_text("1+1?", {column: empty}) == "1+1?"


@pytest.mark.parametrize("column", ["options", "choices"])
def test_choices_that_would_be_lost_are_refused(column):
    for choices in (["2", "4"], {"text": ["2"]}, "A) 2", ["1"]):
        with pytest.raises(BadRow) as caught:
            read_problem("Which is even?", {column: choices})
        assert caught.value.reason == "choices in another column"
    for kept in (None, [], "", ["1+1", "5"]):
        assert read_problem("1+1 or 5?", {column: kept}) == "1+1 or 5?"


def test_options_keep_their_letters_where_one_in_the_middle_is_missing():
    record = {"options": ["3", "N/A", "4", "5"], "answer": "C"}
    assert read_problem_with_options("Even?", record) == "Even?\nA. 3\nC. 4\nD. 5"
    assert read_right_option(2, record) == ("C", "4")


def test_a_text_that_is_another_letter_is_not_accepted():
    assert read_right_option(0, {"options": ["B", "C"]}) == ("A",)


@pytest.mark.parametrize("position", [-1, 3, 1.5, float("nan"), "1", None])
def test_a_position_without_option_is_refused(position):
    with pytest.raises(BadRow) as caught:
        read_right_option(position, {"options": ["1", "2", "3"]})
    assert caught.value.reason == "no such option"


@pytest.mark.parametrize("options", [None, [], ["1"], ["1", "N/A"], "AB", [1, 2], ["x"] * 27])
def test_options_that_are_none_are_refused(options):
    with pytest.raises(BadRow) as caught:
        read_problem_with_options("Which?", {"options": options})
    assert caught.value.reason == "no options"


def test_an_empty_explanation_is_no_solution():
    assert read_option_solution("", {"answer": "A"}) is None


@pytest.mark.parametrize(
    ("record", "has_one"),
    [
        ({"prompt": user("1?")}, False),
        ({"prompt": [{"role": "system", "content": "x"}, *user("1?")]}, True),
        ({"messages": [{"role": "developer", "content": "x"}]}, True),
        ({"conversations": [{"from": "system", "value": "x"}]}, True),
        ({"system": "Think.", "conversations": []}, True),
        ({"system": "", "prompt": "a text"}, False),
        ({"messages": ["odd"]}, False),
    ],
)
def test_system_messages_are_noticed(record, has_one):
    assert has_system_message(record) is has_one

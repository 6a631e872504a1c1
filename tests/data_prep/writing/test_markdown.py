"""Tables in Markdown."""

import pytest

from data_prep.writing.markdown import aligned_table


def test_a_table_is_aligned_with_whole_numbers_on_the_right():
    assert aligned_table([["rows", "number"], ["in", 1000], ["a | b", 7]]) == "\n".join(
        ["| rows   | number |", "| ------ | -----: |", "| in     |  1,000 |", "| a \\| b |      7 |"]
    )


def test_columns_beyond_those_on_the_left_are_aligned_right_whatever_they_hold():
    lines = ["| name |   x |", "| ---- | --: |", "| 1    | 1.5 |"]
    assert aligned_table([["name", "x"], ["1", "1.5"]], num_left=1).splitlines() == lines


@pytest.mark.parametrize("text", ["two\nlines", "two\r\nlines", "two\x85lines", "two\u2028lines"])
def test_no_text_ends_a_line_or_a_cell(text):
    *_, row = aligned_table([["name", "other"], [text + " | x", "|"]]).split("\n")
    assert row == r"| two lines \| x | \|    |"
    assert row.splitlines() == [row]

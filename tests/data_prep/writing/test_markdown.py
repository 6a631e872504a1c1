"""Tables in Markdown."""

from data_prep.writing.markdown import markdown_table


def test_a_table_is_aligned_with_numbers_on_the_right():
    assert markdown_table(["rows", "number"], [["in", 1000], ["a | b", 7]]) == "\n".join(
        ["| rows   | number |", "| ------ | -----: |", "| in     |  1,000 |", "| a \\| b |      7 |"]
    )

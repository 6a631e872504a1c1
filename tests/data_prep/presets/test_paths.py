"""Values are found by paths into nested records."""

import pytest

from data_prep.presets.paths import check_path, find_value, has_value_or_null

RECORD = {
    "answer": None,
    "a.b": "the column",
    "a": {"b": "the path", "c": [10, [20, 30]], "d": None},
    "messages": [{"content": "1+1?"}, {"content": "2"}],
    "0": {"value": "zero"},
    "x[0]": "odd",
    "empty": [],
}


@pytest.mark.parametrize(
    ("path", "value", "is_there"),
    [
        ("answer", None, True),
        ("a.b", "the column", True),
        ("a.c[0]", 10, True),
        ("a.c[-1][1]", 30, True),
        ("a.c[2]", None, True),
        ("a.c[-3]", None, True),
        ("a.d.e", None, True),
        ("a.e", None, False),
        ("a.b.c", None, False),
        ("a[0]", None, False),
        ("messages[0].content", "1+1?", True),
        ("messages[-1].content", "2", True),
        ("messages.content", None, False),
        ("messages[0].content[0]", None, False),
        ("0.value", "zero", True),
        ("x[0]", "odd", True),
        ("empty[0].content", None, True),
        ("absent", None, False),
        ("absent.deep[3]", None, False),
    ],
)
def test_a_path_gives_a_value_or_none(path, value, is_there):
    assert find_value(RECORD, path) == value
    assert has_value_or_null(RECORD, path) is is_there


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[", "a[]", "a[x]", "[0]", "a]b", "a[0]b", "a[1e9]"])
def test_what_is_no_path_is_refused_by_name(path):
    for use in (check_path, lambda path: find_value({"b": 1}, path)):
        with pytest.raises(ValueError, match="is not a path; expected") as caught:
            use(path)
        assert repr(path) in str(caught.value)


def test_a_column_of_any_name_is_found():
    assert find_value({"a[": 1, "": 2}, "a[") == 1

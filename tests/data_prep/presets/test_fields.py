"""A field says where a value is, how it is read, and what is read where there is none."""

import pickle

import pytest

from data_prep.presets.fields import BadRow, Field


def refuse(value, record):
    raise BadRow("image", f"is a picture of {value}")


def test_the_first_path_that_has_a_value_is_read():
    field = Field(("a", "b.c"))
    assert field.value({"a": 1, "b": {"c": 2}}) == 1
    assert field.value({"a": None, "b": {"c": 0}}) == 0
    assert field.value({"a": None, "b": None}) is None
    assert field.value({}) is None


def test_a_reader_has_the_value_and_the_whole_record():
    field = Field(("a",), lambda value, record: value + record["b"])
    assert field.value({"a": 1, "b": 2}) == 3


def test_where_a_reader_finds_nothing_the_next_path_and_then_the_other_field_is_read():
    field = Field(("a", "b"), lambda value, record: value or None, otherwise=Field(("c",)))
    assert field.value({"a": "", "b": "x", "c": "y"}) == "x"
    assert field.value({"a": "", "b": "", "c": "y"}) == "y"
    assert field.value({"a": ""}) is None


def test_what_is_bad_is_named_with_its_path_and_reason():
    with pytest.raises(BadRow) as caught:
        Field(("x", "b.c"), refuse).value({"b": {"c": "7"}})
    assert (caught.value.reason, str(caught.value)) == ("image", "b.c is a picture of 7")
    assert isinstance(caught.value, ValueError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.reason, str(again)) == ("image", "b.c is a picture of 7")


def test_cleaning_can_be_switched_off_and_what_it_leaves_empty_is_none():
    field = Field(("a",), clean=lambda text: text.strip("-"), otherwise=Field(("b",), clean=str.upper))
    assert field.value({"a": "-x-", "b": "y"}) == "x"
    assert field.value({"a": "--", "b": "y"}) == "Y"
    assert field.value({"a": 5}) == 5
    assert field.without_cleaning().value({"a": "--", "b": "y"}) == "--"
    assert field.without_cleaning().value({"b": "y"}) == "y"


def test_a_null_column_is_a_column():
    field = Field(("a.b",), otherwise=Field(("c",)))
    assert field.has_column({"a": {"b": None}})
    assert field.has_column({"c": None})
    assert not field.has_column({"a": {"c": 1}})
    assert field.find_columns({"a": {"b": 1}, "c": 2, "d": 3}) == {"a.b", "c"}

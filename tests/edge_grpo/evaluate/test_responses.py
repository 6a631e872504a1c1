"""Graded responses and the file that holds them."""

import dataclasses
import random

import pyarrow
import pyarrow.parquet
import pytest

from recipe.edge_grpo.evaluate.responses import SCHEMA, GradedResponse, read_responses, write_responses

NOT_FINITE = (float("nan"), float("inf"))


@pytest.fixture
def responses(graded):
    """Two benchmarks, two temperatures, a continuation, and text that is easily damaged; in order of the keys."""
    return [
        graded(1.0, benchmark="aime24", problem_index=2, mean_entropy=0.25),
        graded(0.0, benchmark="aime24", problem_index=10, response="π |\n\r\n\x00 \u2028"),
        graded(1.0, benchmark="aime24", problem_index=10, reflection_text="", num_tokens=0),
        graded(0.0, benchmark="aime24", problem_index=10, reflection_text="Wait!", finish_reason="length"),
        graded(1.0, benchmark="aime24", problem_index=10, temperature=1.2, has_box=False, mean_entropy=-1e-9),
        graded(1.0, benchmark="amc", problem_index=0, ground_truth='["1", "2"]'),
    ]


def rewrite(path, change):
    """Replaces the table in `path` by what `change` makes of it."""
    pyarrow.parquet.write_table(change(pyarrow.parquet.read_table(path)), path)


def test_what_is_written_is_read_again_with_every_field(responses, tmp_path):
    path = tmp_path / "rollouts.parquet"
    write_responses(responses, path)
    assert read_responses(path) == responses


def test_the_schema_has_the_fields_of_a_response_in_their_order():
    assert SCHEMA.names == [field.name for field in dataclasses.fields(GradedResponse)]


def test_equal_responses_give_equal_bytes_in_whatever_order_they_come(responses, tmp_path):
    write_responses(responses, tmp_path / "first.parquet")
    random.Random(0).shuffle(responses)
    write_responses(responses, tmp_path / "second.parquet")
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "second.parquet").read_bytes()


def test_the_schema_does_not_depend_on_which_cells_are_empty(graded, tmp_path):
    for name, response in (("empty", graded()), ("filled", graded(reflection_text="Wait!", mean_entropy=1.0))):
        write_responses([response], tmp_path / name)
    empty, filled = (pyarrow.parquet.read_schema(tmp_path / name) for name in ("empty", "filled"))
    assert empty == filled == SCHEMA


def test_no_responses_make_a_file_without_rows(tmp_path):
    write_responses([], tmp_path / "none.parquet")
    assert read_responses(tmp_path / "none.parquet") == []


def test_two_responses_of_the_same_key_are_not_written_and_the_key_is_named(graded, tmp_path):
    twice = [graded(1.0, problem_index=7), graded(0.0, problem_index=7)]
    with pytest.raises(ValueError, match=r"2 responses have the same key: .*'aime24', problem_index=7, sample_index=0"):
        write_responses(twice, tmp_path / "rollouts.parquet")
    assert list(tmp_path.iterdir()) == []


def test_two_responses_of_the_same_key_in_a_file_are_refused_with_file_and_key(graded, tmp_path):
    path = tmp_path / "rollouts.parquet"
    write_responses([graded(problem_index=7)], path)
    rewrite(path, lambda table: pyarrow.concat_tables([table, table]))
    with pytest.raises(
        ValueError, match=r"rollouts\.parquet is no file .*2 responses have the same key.*problem_index=7"
    ):
        read_responses(path)


def test_a_write_that_fails_leaves_the_earlier_file_and_nothing_else(graded, tmp_path, monkeypatch):
    path = tmp_path / "rollouts.parquet"
    write_responses([graded()], path)
    before = path.read_bytes()

    def disk_full(table, where):
        where.write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pyarrow.parquet, "write_table", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_responses([graded(0.0)], path)
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == before


def test_a_missing_column_is_named_with_the_file(graded, tmp_path):
    path = tmp_path / "rollouts.parquet"
    write_responses([graded()], path)
    rewrite(path, lambda table: table.drop_columns(["accuracy", "num_tokens"]))
    with pytest.raises(ValueError, match=r"rollouts\.parquet is no file of graded .*no column accuracy, num_tokens"):
        read_responses(path)


def test_further_columns_and_another_order_of_columns_are_accepted(responses, tmp_path):
    path = tmp_path / "rollouts.parquet"
    write_responses(responses, path)
    rewrite(path, lambda table: table.select(SCHEMA.names[::-1]).append_column("note", [["x"] * len(responses)]))
    assert read_responses(path) == responses


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("num_tokens", "ten", "column num_tokens is string, not int64"),
        ("problem_index", 1.0, "column problem_index is double, not int64"),
        ("prompt", ["a list"], "column prompt is list.*, not large_string"),
        ("accuracy", 0.5, "accuracy must be 0 or 1, got 0.5"),
    ],
)
def test_a_column_of_another_kind_is_an_error_that_names_file_and_column(graded, tmp_path, column, cell, message):
    path = tmp_path / "rollouts.parquet"
    write_responses([graded()], path)
    number = SCHEMA.get_field_index(column)
    rewrite(path, lambda table: table.set_column(number, column, pyarrow.array([cell])))
    with pytest.raises(ValueError, match=rf"rollouts\.parquet is no file of graded responses: .*{message}"):
        read_responses(path)


@pytest.mark.parametrize("column", [field.name for field in SCHEMA if not field.nullable])
def test_an_empty_cell_is_an_error_that_names_file_and_column(graded, tmp_path, column):
    path = tmp_path / "rollouts.parquet"
    write_responses([graded()], path)
    number = SCHEMA.get_field_index(column)
    empty = pyarrow.array([None], SCHEMA.field(column).type)
    rewrite(path, lambda table: table.set_column(number, column, empty))
    with pytest.raises(ValueError, match=rf"rollouts\.parquet is no file of graded responses: .*{column}.*null"):
        read_responses(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"PAR1 and no more"])
def test_something_else_than_parquet_is_an_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "rollouts.parquet"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"rollouts\.parquet is no file of graded responses"):
        read_responses(path)


def test_damaged_content_is_an_error_that_names_the_file(graded, tmp_path):
    path = tmp_path / "rollouts.parquet"
    write_responses([graded(response="text " * 1000)], path)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"rollouts\.parquet is no file of graded responses"):
        read_responses(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="rollouts"):
        read_responses(tmp_path / "rollouts.parquet")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accuracy", 0.5),
        *((field, number) for field in ("accuracy", "temperature", "mean_entropy") for number in NOT_FINITE),
    ],
)
def test_a_number_that_no_statistic_can_use_is_refused_with_key_and_field(graded, field, value):
    with pytest.raises(ValueError, match=rf"ResponseKey\(benchmark='aime24', .*{field} must be"):
        graded(**{field: value})

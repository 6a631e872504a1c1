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


def test_what_is_written_is_read_again_with_every_field(responses, read_responses, tmp_path):
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


def test_no_responses_make_a_file_without_rows(read_responses, tmp_path):
    write_responses([], tmp_path / "none.parquet")
    assert read_responses(tmp_path / "none.parquet") == []


def test_two_responses_of_the_same_key_are_not_written_and_the_key_is_named(graded, tmp_path):
    twice = [graded(1.0, problem_index=7), graded(0.0, problem_index=7)]
    with pytest.raises(ValueError, match=r"2 responses have the same key: .*'aime24', problem_index=7, sample_index=0"):
        write_responses(twice, tmp_path / "rollouts.parquet")
    assert list(tmp_path.iterdir()) == []


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


def test_what_was_written_is_read_again(graded, tmp_path):
    responses = [graded(1.0), graded(0.0, sample_index=1, mean_entropy=0.5), graded(1.0, reflection_text="Wait!")]
    write_responses(responses, tmp_path / "responses.parquet")
    assert sorted(read_responses(tmp_path / "responses.parquet"), key=str) == sorted(responses, key=str)


def test_a_file_that_holds_no_responses_is_refused_by_its_name(tmp_path):
    (tmp_path / "text.parquet").write_text("no parquet")
    pyarrow.parquet.write_table(pyarrow.table({"problem": ["1+1?"]}), tmp_path / "others.parquet")
    for name in ("text.parquet", "others.parquet"):
        with pytest.raises(ValueError, match=f"{name}: no responses of an evaluation"):
            read_responses(tmp_path / name)
    with pytest.raises(OSError, match="missing.parquet"):
        read_responses(tmp_path / "missing.parquet")

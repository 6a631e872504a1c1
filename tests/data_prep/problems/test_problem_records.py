"""Records that keep their columns and get a rate."""

import json
from dataclasses import replace
from itertools import islice

import pyarrow.parquet
import pytest

from data_prep.presets.fields import Field
from data_prep.presets.table import COLUMNS_PRESET
from data_prep.problems.problem_records import encode, read_problem_records, write_records
from data_prep.sources.records import read_located
from data_prep.writing.rows import build_row, write_parquet

RAW = [
    {"problem": "What is 1+1?", "answer": 2.0, "solution": "Two.", "correctness_rate": 0.0, "source": {"book": 1}},
    {"problem": "What is 2+2?", "answer": ["4", "four"], "note": "é"},
]


def read(path, limit=None, **columns):
    preset = replace(COLUMNS_PRESET, **{field: Field((name,)) for field, name in columns.items()})
    return read_problem_records(islice(read_located([str(path)]), limit), preset)


@pytest.fixture
def raw_file(tmp_path):
    path = tmp_path / "raw.json"
    path.write_text(json.dumps(RAW))
    return path


def test_a_raw_record_becomes_a_message_and_its_answers(raw_file):
    first, second = read(raw_file)
    assert first.messages == [{"role": "user", "content": "What is 1+1?"}]
    assert (first.answers, second.answers) == (("2",), ("4", "four"))


def test_the_rate_replaces_or_adds_a_column_and_nothing_else_changes(raw_file):
    first, second = read(raw_file)
    assert first.with_rate(0.5) == RAW[0] | {"correctness_rate": 0.5}
    assert second.with_rate(0.25) == RAW[1] | {"correctness_rate": 0.25}
    assert first.record == RAW[0]


def test_the_rate_of_a_verl_row_goes_into_its_extra_info(tmp_path):
    row = build_row(data_source="x", problem="1+1?", answer=["2", "two"], solution="", index=4, split="train")
    write_parquet([row], tmp_path / "rows.parquet")
    (problem,) = read(tmp_path / "rows.parquet")
    assert problem.messages == row["prompt"]
    assert problem.answers == ("2", "two")
    assert problem.with_rate(0.5) == row | {"extra_info": row["extra_info"] | {"correctness_rate": 0.5}}


ONE_MESSAGE = [{"role": "user", "content": "1+1?"}]


@pytest.mark.parametrize(
    ("changes", "answers"),
    [
        ({"prompt": [{"role": "system", "content": "Think."}, *ONE_MESSAGE]}, ("2",)),
        ({"reward_model": {"ground_truth": 2}}, ("2",)),
        ({"reward_model": {"ground_truth": [["2"], "two"]}}, ("2", "two")),
        ({"reward_model": {"ground_truth": r"\boxed{2}", "style": None}}, ("2",)),
        ({"extra_info": None}, ("2",)),
        ({"extra_info": {"index": "8d2e-uuid"}}, ("2",)),
    ],
)
def test_whatever_row_can_be_trained_on_can_be_rated(tmp_path, changes, answers):
    row = {"prompt": ONE_MESSAGE, "reward_model": {"ground_truth": "2"}, **changes}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    (problem,) = read(tmp_path / "rows.jsonl")
    assert (problem.messages, problem.answers) == (row["prompt"], answers)
    assert problem.with_rate(0.5)["extra_info"]["correctness_rate"] == 0.5


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"reward_model": {"ground_truth": None}}, "ground_truth must be a text, a finite number or a list"),
        ({"reward_model": None}, "ground_truth must be a text"),
        ({"prompt": [{"role": "system", "content": "Think."}]}, "prompt must be a list of messages"),
        ({"prompt": "1+1?"}, "prompt must be a list of messages"),
    ],
)
def test_a_row_that_cannot_be_graded_or_put_is_named(tmp_path, changes, named):
    row = {"prompt": ONE_MESSAGE, "reward_model": {"ground_truth": "2"}, **changes}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(ValueError, match=f"rows.jsonl, row 1: {named}"):
        read(tmp_path / "rows.jsonl")


def test_columns_may_have_other_names(tmp_path):
    path = tmp_path / "raw.jsonl"
    path.write_text('{"question": "1+1?", "result": "2"}\n')
    (problem,) = read(path, problem="question", answer="result")
    assert (problem.messages[0]["content"], problem.answers) == ("1+1?", ("2",))


def test_a_limit_takes_the_first_rows_and_looks_at_no_other(tmp_path):
    path = tmp_path / "raw.jsonl"
    path.write_text('{"problem": "1+1?", "answer": "2"}\n{"problem": ""}\n')
    assert len(read(path, limit=1)) == 1
    with pytest.raises(ValueError, match=r"raw.jsonl, row 2: problem is missing or empty"):
        read(path)


def test_a_verl_row_at_fault_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"data_source": "x", "prompt": [], "reward_model": {}}\n')
    with pytest.raises(ValueError, match="rows.jsonl, row 1: prompt must be a list of messages"):
        read(path)


def test_no_rows_are_refused(tmp_path):
    (tmp_path / "empty.json").write_text("[]")
    with pytest.raises(ValueError, match="no rows"):
        read(tmp_path / "empty.json")


@pytest.mark.parametrize("name", ["out.json", "out.jsonl", "out.parquet"])
def test_what_is_written_can_be_read_again(raw_file, tmp_path, name):
    records = [problem.with_rate(0.5) for problem in read(raw_file)]
    records = [record | {"answer": "4"} for record in records]  # A column of a Parquet file has one type.
    path = tmp_path / "new" / name
    write_records(records, path)
    again = [{k: v for k, v in problem.record.items() if v is not None} for problem in read(path)]
    assert again == records
    assert [file.name for file in path.parent.iterdir()] == [name]


def test_columns_that_only_later_rows_have_are_written_to_parquet(tmp_path):
    write_records([{"a": 1}, {"a": 2, "b": "x"}], tmp_path / "out.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist() == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]


@pytest.mark.parametrize(
    ("name", "records", "message"),
    [
        ("out.txt", [{"a": 1}], "unknown kind of file; expected .json, .jsonl, .parquet"),
        ("out.parquet", [{"a": "x"}, {"a": ["x"]}], "out.parquet: .*"),
        ("out.json", [{"a": {1, 2}}], "out.json: .*set"),
        ("out.jsonl", [{"a": "\ud800"}], "out.jsonl: .*surrogates"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_with_the_name_of_the_file(tmp_path, name, records, message):
    with pytest.raises(ValueError, match=message):
        encode(records, tmp_path / name)
    with pytest.raises(ValueError, match=message):
        write_records(records, tmp_path / name)
    assert list(tmp_path.iterdir()) == []

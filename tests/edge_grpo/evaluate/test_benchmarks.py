"""Reading the problems of an evaluation from verl rows."""

import pyarrow
import pyarrow.parquet
import pytest

from data_prep.writing.rows import build_row, write_parquet
from recipe.edge_grpo.evaluate.benchmarks import read_benchmarks


def row(index=0, **fields):
    ordinary = {"data_source": "amc", "problem": f"Problem {index}?", "answer": "2", "solution": "", "split": "test"}
    return build_row(index=index, **(ordinary | fields))


def written(path, *rows):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    return path


def test_several_files_are_read_in_order_with_one_answer_or_several(tmp_path):
    write_parquet([row(0), row(7)], tmp_path / "amc.parquet")
    write_parquet([row(0, data_source="minerva", answer=["2", "two"])], tmp_path / "minerva.parquet")
    problems = read_benchmarks([tmp_path / "minerva.parquet", tmp_path / "amc.parquet"])
    assert [(each.benchmark, each.index) for each in problems] == [("minerva", 0), ("amc", 0), ("amc", 7)]
    assert [each.answers for each in problems] == [("2", "two"), ("2",), ("2",)]
    assert problems[2].messages == [{"role": "user", "content": "Problem 7?"}]
    assert problems[2].place == f"{tmp_path / 'amc.parquet'}, row 2"


def test_a_limit_holds_for_each_file(tmp_path):
    files = [
        written(tmp_path / f"{name}.parquet", *(row(n, data_source=name) for n in range(3))) for name in ("a", "b")
    ]
    assert [(each.benchmark, each.index) for each in read_benchmarks(files, limit=2)] == [
        ("a", 0), ("a", 1), ("b", 0), ("b", 1),
    ]  # fmt: skip


def test_what_an_evaluation_does_not_use_may_be_missing(tmp_path):
    bare = {key: row()[key] for key in ("data_source", "prompt", "reward_model")} | {"extra_info": {"index": 3}}
    (problem,) = read_benchmarks([written(tmp_path / "a.parquet", bare)])
    assert problem.index == 3


def test_a_problem_that_two_rows_are_is_refused_with_both_places(tmp_path):
    first, second = written(tmp_path / "a.parquet", row(1)), written(tmp_path / "b.parquet", row(0), row(1))
    with pytest.raises(ValueError, match=r"b.parquet, row 2: problem 1 of 'amc' is that of .*a.parquet, row 1 too"):
        read_benchmarks([first, second])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data_source": " "}, "row 2: data_source must be a text that is not empty"),
        ({"prompt": None}, "row 2: prompt must be a list of messages"),
        ({"prompt": [{"role": "user", "content": None}]}, "row 2: prompt must be a list of messages"),
        ({"reward_model": None}, "row 2: reward_model.ground_truth is missing or empty"),
        ({"reward_model": {"style": "rule", "ground_truth": ""}}, "row 2: reward_model.ground_truth is missing"),
        ({"extra_info": {"index": None}}, "row 2: extra_info.index must be an integer, got None"),
    ],
)
def test_a_row_at_fault_is_named_with_file_and_field(tmp_path, fields, message):
    with pytest.raises(ValueError, match=f"a.parquet, {message}"):
        read_benchmarks([written(tmp_path / "a.parquet", row(0), row(1) | fields)])


def test_files_that_are_no_parquet_or_empty_are_refused(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    (tmp_path / "b.parquet").write_text("no parquet")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row()]).slice(0, 0), tmp_path / "c.parquet")
    good = written(tmp_path / "d.parquet", row())
    for name, message in (
        ("a.json", "a.json: expected a .parquet file"),
        ("b.parquet", "b.parquet"),
        ("c.parquet", "c.parquet: no rows"),
    ):
        with pytest.raises(ValueError, match=message):
            read_benchmarks([good, tmp_path / name])

"""Reading the problems of an evaluation from rows of verl; tests of other rows are in test_own_problems.py."""

import json

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


def test_a_problem_that_two_rows_of_a_file_are_is_refused_with_both_places(tmp_path):
    file = written(tmp_path / "a.parquet", row(0), row(1), row(1))
    with pytest.raises(ValueError, match=r"a.parquet, row 3: problem 1 of 'amc' is that of .*a.parquet, row 2 too"):
        read_benchmarks([file])


def test_parts_of_one_benchmark_in_two_files_stay_one_benchmark(tmp_path):
    files = [written(tmp_path / f"part-{number}.parquet", row(number)) for number in range(2)]
    assert [(each.benchmark, each.index) for each in read_benchmarks(files)] == [("amc", 0), ("amc", 1)]


def test_two_files_with_the_same_problems_of_a_benchmark_have_results_of_their_own(tmp_path):
    first = written(tmp_path / "a.parquet", row(0), row(1), row(0, data_source="math"))
    second = written(tmp_path / "b.parquet", row(1), row(2))
    assert [(each.benchmark, each.index) for each in read_benchmarks([first, second])] == [
        ("amc (a)", 0), ("amc (a)", 1), ("math", 0), ("amc (b)", 1), ("amc (b)", 2),
    ]  # fmt: skip


def test_files_of_the_same_name_are_told_apart_by_their_folders(tmp_path):
    files = []
    for folder in ("mine", "yours"):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "own.jsonl")
        files[-1].write_text('{"problem": "1+1?", "answer": 2}\n')
    assert [each.benchmark for each in read_benchmarks(files)] == ["own (mine/own.jsonl)", "own (yours/own.jsonl)"]


def test_a_file_that_is_given_twice_under_two_names_is_refused(tmp_path):
    file = written(tmp_path / "a.parquet", row(0))
    (tmp_path / "b.parquet").symlink_to(file)
    with pytest.raises(ValueError, match="b.parquet: given twice; leave one out"):
        read_benchmarks([file, tmp_path / "b.parquet"])


CHAT = [
    {"role": "system", "content": "Think."},
    {"role": "user", "content": "1+1?"},
    {"role": "assistant", "content": "2"},
    {"role": "user", "content": "And twice that?"},
]


def test_a_row_of_verl_keeps_its_system_message_and_all_turns_in_any_kind_of_file(tmp_path):
    rows = [row(0, data_source="own") | {"prompt": CHAT}]
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps(each) + "\n" for each in rows))
    for file in (lines, written(tmp_path / "a.parquet", *rows)):
        (problem,) = read_benchmarks([file])
        assert problem.messages == CHAT
        assert (problem.benchmark, problem.answers) == ("own", ("2",))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data_source": " "}, "row 2: data_source must be a text that is not empty"),
        ({"prompt": None}, "row 2: prompt must be a list of messages"),
        ({"prompt": [{"role": "user", "content": None}]}, "row 2: prompt must be a list of messages"),
        ({"reward_model": None}, "row 2: reward_model.ground_truth is missing or empty"),
        ({"reward_model": {"style": "rule", "ground_truth": ""}}, "row 2: reward_model.ground_truth is missing"),
        ({"extra_info": {"index": None}}, "row 2: extra_info.index must be an integer, got None"),
        (
            {"reward_model": {"style": "rule", "ground_truth": "n/a"}},
            r"row 2: reward_model.ground_truth is no final answer \(placeholder as answer\): 'n/a'",
        ),
    ],
)
def test_a_row_at_fault_is_named_with_file_and_field(tmp_path, fields, message):
    with pytest.raises(ValueError, match=f"1 row cannot be evaluated; mend them.*\n.*a.parquet, {message}"):
        read_benchmarks([written(tmp_path / "a.parquet", row(0), row(1) | fields)])


def test_files_that_are_empty_damaged_folders_or_of_another_kind_are_refused(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    (tmp_path / "b.parquet").write_text("no parquet")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row()]).slice(0, 0), tmp_path / "c.parquet")
    (tmp_path / "e.txt").write_text("1+1?")
    (tmp_path / "f.jsonl").write_text('{"problem": "1+1?", "answer": 2}\n{"problem": ')
    (tmp_path / "folder").mkdir()
    good = written(tmp_path / "d.parquet", row())
    for name, message in (
        ("a.json", "a.json: no rows"),
        ("b.parquet", "b.parquet: damaged"),
        ("c.parquet", "c.parquet: no rows"),
        ("e.txt", "e.txt: unknown kind of file; expected .json"),
        ("f.jsonl", "f.jsonl, line 2: "),
        ("folder", "folder: is no file; give the files in it"),
    ):
        with pytest.raises(ValueError, match=message):
            read_benchmarks([good, tmp_path / name])

"""What a row for verl looks like, which rows are refused, and that a file is written whole or not at all."""

import copy
import os

import pyarrow.parquet
import pytest

from data_prep.writing import rows as rows_module
from data_prep.writing.rows import build_row, check_row, check_rows, write_parquet


def make_row(index=0, **extra_info):
    return build_row(
        data_source="arithmetic",
        problem="What is 1+1?",
        answer="2",
        solution=r"\boxed{2}",
        index=index,
        split="train",
        **extra_info,
    )


def test_a_row_has_exactly_the_fields_that_verl_reads():
    assert make_row(index=3, difficulty="easy") == {
        "data_source": "arithmetic",
        "prompt": [{"role": "user", "content": "What is 1+1?"}],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": "2"},
        "extra_info": {"index": 3, "solution": r"\boxed{2}", "split": "train", "difficulty": "easy"},
    }


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("data_source",), "", "data_source"),
        (("prompt",), [], "prompt"),
        (("prompt",), "What is 1+1?", "prompt"),
        (("prompt",), [{"role": "system", "content": "x"}], "prompt"),
        (("prompt",), ["What is 1+1?"], "prompt"),
        (("prompt", 0, "content"), " ", r"prompt\[0\].content"),
        (("ability",), None, "ability"),
        (("reward_model", "style"), "", "reward_model.style"),
        (("reward_model",), None, "reward_model.ground_truth"),
        (("reward_model", "ground_truth"), "", "reward_model.ground_truth"),
        (("reward_model", "ground_truth"), 2, "reward_model.ground_truth"),
        (("reward_model", "ground_truth"), [], "reward_model.ground_truth"),
        (("reward_model", "ground_truth"), ["2", " "], r"reward_model.ground_truth\[1\]"),
        (("extra_info",), None, "extra_info.index"),
        (("extra_info", "index"), "0", "extra_info.index"),
        (("extra_info", "index"), -1, "extra_info.index"),
        (("extra_info", "index"), True, "extra_info.index"),
        (("extra_info", "split"), None, "extra_info.split"),
        (("extra_info", "solution"), None, "extra_info.solution"),
    ],
)
def test_a_bad_row_is_refused_by_its_number_and_field(path, value, field):
    row = copy.deepcopy(make_row())
    target = row
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(ValueError, match=f"^row 7: {field} "):
        check_row(row, 7)


def test_a_row_without_reference_solution_is_accepted():
    row = make_row()
    row["extra_info"]["solution"] = ""
    check_row(row, 1)


def test_several_accepted_answers_become_a_list():
    row = build_row(data_source="a", problem="b", answer=("2", "two"), solution="", index=0, split="test")
    assert row["reward_model"]["ground_truth"] == ["2", "two"]
    check_row(row, 1)


def test_an_index_that_occurs_twice_is_refused_with_both_rows():
    with pytest.raises(ValueError, match="^row 3: extra_info.index 5 is that of row 1 too$"):
        list(check_rows([make_row(5), make_row(6), make_row(5)]))


def test_a_file_with_texts_and_lists_as_ground_truth_is_refused():
    row = make_row(1)
    row["reward_model"]["ground_truth"] = ["2"]
    with pytest.raises(ValueError, match="^row 2: reward_model.ground_truth is a list, in row 1 a text"):
        list(check_rows([make_row(0), row]))


def test_what_is_written_is_read_back(tmp_path):
    rows = [make_row(index) for index in range(3)]
    write_parquet(rows, tmp_path / "new" / "train.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "new" / "train.parquet").to_pylist() == rows


def test_a_column_without_values_in_the_first_rows_takes_its_type_from_later_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, "_NUM_ROWS_AT_ONCE", 2)
    rows = [make_row(index) for index in range(5)]
    for row, rate in zip(rows, [None, None, 0.5, None, 1.0], strict=True):
        row["extra_info"]["correctness_rate"] = rate
    write_parquet(rows, tmp_path / "train.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "train.parquet").to_pylist() == rows


def test_a_refused_row_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "train.parquet"
    write_parquet([make_row()], path)
    before = path.read_bytes()
    bad = make_row()
    bad["reward_model"]["ground_truth"] = ""
    with pytest.raises(ValueError, match="row 2"):
        write_parquet([make_row(), bad], path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["train.parquet"]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "train.parquet"
    write_parquet([make_row()], path)
    before = path.read_bytes()

    def interrupt(writer, table):
        raise KeyboardInterrupt  # when the beginning of the file is written

    monkeypatch.setattr(rows_module.pyarrow.parquet.ParquetWriter, "write_table", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_parquet([make_row(1)], path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["train.parquet"]


def test_no_rows_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no rows"):
        write_parquet([], tmp_path / "train.parquet")
    assert os.listdir(tmp_path) == []

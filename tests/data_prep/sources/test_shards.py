"""The files of a split are found in a folder by their names."""

from pathlib import Path

import pytest

from data_prep.sources.records import read_located
from data_prep.sources.shards import find_shards


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "test-data"  # The names above and of the folder itself are not looked at.


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('{"a": 1}\n')


def found(folder, split=None):
    return [str(path.relative_to(folder)) for path in find_shards(folder, split)]


def test_all_files_of_known_kinds_are_read_sorted_and_hidden_ones_are_not(folder):
    write(folder, "b.jsonl", "a/2.csv", "a/1.json.gz", "README.md", "LICENSE", "x.py", "dataset_infos.json")
    write(folder, ".a.jsonl", ".cache/a.jsonl", "a/.git/a.jsonl")
    assert found(folder) == found(folder, "train") == ["a/1.json.gz", "a/2.csv", "b.jsonl"]


def test_rows_of_shards_are_counted_in_each(folder):
    write(folder, "a.jsonl", "b.jsonl")
    assert [(Path(each.source).name, each.row) for each in read_located([str(folder)])] == [
        ("a.jsonl", 1),
        ("b.jsonl", 1),
    ]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00002.parquet", "train"),
        ("test.jsonl", "test"),
        ("data/validation-00000-of-00001.arrow", "validation"),
        ("val/part-0.json.gz", "validation"),
        ("train/dev.jsonl", "validation"),
        ("math_eval_2024.csv", "test"),
    ],
)
def test_the_names_of_files_and_folders_say_their_split(folder, name, split):
    write(folder, name, "other_train.jsonl", "other_test.jsonl", "other_validation.jsonl")
    assert sorted(found(folder, split)) == sorted([name, f"other_{split}.jsonl"])


def test_the_training_split_is_read_if_none_is_asked_for(folder):
    write(folder, "train-1.jsonl", "train-0.jsonl", "test.jsonl", "dev.jsonl")
    assert found(folder) == ["train-0.jsonl", "train-1.jsonl"]
    assert found(folder, "val") == ["dev.jsonl"]


def test_a_word_that_only_contains_the_name_of_a_split_is_none(folder):
    write(folder, "contest.jsonl", "latest.jsonl", "retrained.jsonl")
    assert len(found(folder)) == 3


@pytest.mark.parametrize(
    ("names", "split", "message"),
    [
        (["README.md"], None, "test-data: no file of a known kind in this folder; expected .json, "),
        (["test.jsonl", "dev.jsonl"], None, "test-data: no split 'train'; it has: test, validation; choose one with"),
        (["train.jsonl"], "aime", "test-data: no split 'aime'; it has: train"),
        (["a.jsonl"], "test", "test-data: no split 'test'; it has: train"),
        (["a.jsonl"], "train[:5]", r"test-data: --split train\[:5\] asks for part of a split"),
        (
            ["train.jsonl", "notes.json"],
            None,
            r"notes.json: names no split, as other files .*; give .*test-data/\*.json",
        ),
    ],
)
def test_a_folder_that_does_not_say_what_to_read_is_named(folder, names, split, message):
    write(folder, *names)
    with pytest.raises(ValueError, match=message):
        find_shards(folder, split)


def test_a_folder_that_may_not_be_opened_is_not_passed_over(public_folder, as_nobody):
    write(public_folder, "a/1.jsonl", "b/1.jsonl")
    (public_folder / "b").chmod(0)
    with as_nobody(), pytest.raises(OSError, match="Permission denied.*/b"):
        find_shards(public_folder)

"""Inputs are files, globs, folders and names; what is not there is named before anything is read."""

import os
from pathlib import Path

import pytest

from data_prep.sources.inputs import Part, expand_inputs
from data_prep.sources.records import read_located


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(f'{{"name": "{name}"}}\n')


def names_read(*inputs, **options):
    return [located.record["name"] for located in read_located(inputs, **options)]


def test_inputs_are_read_in_the_order_in_which_they_are_given(folder):
    write("b.jsonl", "a.jsonl", "c/x.jsonl")
    assert names_read("b.jsonl", "c", "a.jsonl") == ["b.jsonl", "c/x.jsonl", "a.jsonl"]


def test_a_tilde_is_the_home_folder(folder):
    write("a.jsonl")
    assert names_read("~/a.jsonl") == names_read("~/*.jsonl") == ["a.jsonl"]
    assert expand_inputs(["~/a.jsonl"]) == [Part(str(folder / "a.jsonl"), is_file=True)]
    with pytest.raises(ValueError, match="~nobody-here/a.jsonl: "):
        expand_inputs(["~nobody-here/a.jsonl"])


def test_a_glob_gives_its_files_sorted(folder):
    write("data/10.jsonl", "data/2.jsonl", "data/1.jsonl", "data/deep/3.jsonl", "data/.4.jsonl")
    assert names_read("data/*.jsonl") == ["data/1.jsonl", "data/10.jsonl", "data/2.jsonl"]
    assert names_read("data/**/[23].jsonl") == ["data/2.jsonl", "data/deep/3.jsonl"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(folder):
    write("a[1].jsonl", "a1.jsonl")
    assert names_read("a[1].jsonl") == ["a[1].jsonl"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("data/*.csv", OSError, "data/[*].csv: no file matches this pattern"),
        ("data/*", ValueError, "data/x.jsonl: matches data/[*] but is no file"),
        ("*.txt", ValueError, "notes.txt: unknown kind of file; expected .json, "),
        ("absent.jsonl", OSError, "absent.jsonl: there is no such file or folder"),
        ("owner/absent.csv.gz", OSError, "owner/absent.csv.gz: there is no such"),
        ("./absent", OSError, "./absent: there is no such"),
        ("/absent", OSError, "/absent: there is no such"),
        ("../absent", OSError, "../absent: there is no such"),
        ("a/b/c", OSError, "a/b/c: there is no such"),
        ("absent/", OSError, "absent/: there is no such"),
        ("name with spaces", OSError, "name with spaces: there is no such"),
        (" ", ValueError, "an input is empty"),
        ("", ValueError, "an input is empty"),
    ],
)
def test_an_input_that_is_not_there_is_named_before_another_is_read(folder, text, error, message):
    write("a.jsonl", "data/x.jsonl/y.jsonl")
    Path("notes.txt").touch()
    with pytest.raises(error, match=message):
        read_located(["a.jsonl", text])


def test_no_inputs_are_refused():
    with pytest.raises(ValueError, match="no inputs; give files, folders, or names"):
        read_located([])


@pytest.mark.parametrize(
    "inputs", [["a.jsonl", "*.jsonl"], ["d", "./d/b.jsonl"], ["x/y", "x/y"], ["a.jsonl", "l.jsonl"]]
)
def test_an_input_given_twice_would_give_its_rows_twice(folder, inputs):
    write("a.jsonl", "d/b.jsonl")
    os.symlink("a.jsonl", "l.jsonl")
    with pytest.raises(ValueError, match="(l.jsonl|b.jsonl|a.jsonl|x/y): given twice among the inputs"):
        expand_inputs(inputs)


@pytest.mark.parametrize("option", ["split", "config"])
@pytest.mark.parametrize("text", ["a.jsonl", "*.jsonl"])
def test_a_plain_file_has_neither_splits_nor_configurations(folder, text, option):
    write("a.jsonl")
    with pytest.raises(ValueError, match=f"a.jsonl: --{option} train is for datasets.*; leave out --{option}"):
        expand_inputs([text], **{option: "train"})


def test_the_name_of_a_dataset_is_kept_for_the_hub():
    assert expand_inputs(["owner/name-1.5", "gsm8k"], "test", "main") == [
        Part("owner/name-1.5", is_file=False),
        Part("gsm8k", is_file=False),
    ]

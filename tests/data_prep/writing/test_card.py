"""The dataset card."""

import os

import datasets
import pytest

from data_prep.writing.card import Card, describe_source, write_dataset
from data_prep.writing.files import sha256_of
from data_prep.writing.rows import build_row


def make_rows(size, split="train", answer="2"):
    return [
        build_row(data_source="a", problem="What is 1+1?", answer=answer, solution="", index=index, split=split)
        for index in range(size)
    ]


def write(folder, rows_by_file=None, **options):
    rows_by_file = rows_by_file or {"train.parquet": make_rows(2)}
    write_dataset(folder, rows_by_file, Card("deepscaler", options, sections=["Nothing more."]))
    return (folder / "README.md").read_text()


def test_the_card_names_command_options_rows_and_hashes(tmp_path):
    card = write(tmp_path, max_prompt_tokens=512, instruction="a|b\nc")
    assert "python -m data_prep.deepscaler" in card
    assert "| `--max-prompt-tokens` | 512 " in card
    assert r"| `--instruction`       | a\|b c |" in card
    assert f"| `train.parquet` |    2 | `{sha256_of(tmp_path / 'train.parquet')}` |" in card
    assert card.endswith("\n\nNothing more.\n")


def test_the_same_rows_and_options_give_the_same_bytes_in_another_folder(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, seed=1)
    for file in ("README.md", "train.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_each_file_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    write(
        tmp_path / "out", {"amc.parquet": make_rows(2, "test"), "minerva.parquet": make_rows(3, "test", ["2", "two"])}
    )
    loaded = datasets.load_dataset(str(tmp_path / "out"), "minerva")
    assert {name: len(split) for name, split in loaded.items()} == {"test": 3}
    assert loaded["test"][0]["reward_model"]["ground_truth"] == ["2", "two"]


def test_an_earlier_card_is_replaced(tmp_path):
    write(tmp_path, seed=1)
    assert "| `--seed` |     2 |" in write(tmp_path, seed=2)


def test_a_readme_that_is_no_card_is_never_replaced(tmp_path):
    (tmp_path / "README.md").write_text("# My project")
    with pytest.raises(ValueError, match="README.md is not a dataset card"):
        write(tmp_path)
    assert os.listdir(tmp_path) == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "# My project"


def test_a_file_that_cannot_be_written_leaves_all_old_ones(tmp_path):
    write(tmp_path, {"a.parquet": make_rows(1), "b.parquet": make_rows(1)})
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="no rows to write to b.parquet"):
        write(tmp_path, {"a.parquet": make_rows(2), "b.parquet": []})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_source_is_described_without_the_folders_above_it(tmp_path):
    (tmp_path / "in.json").write_text("abc")
    assert describe_source(str(tmp_path / "in.json")) == f"in.json (SHA-256 {sha256_of(tmp_path / 'in.json')})"
    assert describe_source(f"{tmp_path}/") == tmp_path.name
    assert describe_source("owner/name") == "owner/name"

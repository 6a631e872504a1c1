"""What the library `datasets` loads: saved folders, downloaded folders, and names where there is no network."""

import os
import subprocess
import sys

import datasets
import pytest

from data_prep.sources.hub import load_splits
from data_prep.sources.records import read_records

TRAIN = [{"problem": "x", "answer": 1.0}]
TEST = [{"problem": "y", "answer": 2.0}]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def splits():
    return datasets.DatasetDict({"train": datasets.Dataset.from_list(TRAIN), "test": datasets.Dataset.from_list(TEST)})


def test_a_saved_folder_gives_the_split_asked_for(tmp_path, splits):
    splits.save_to_disk(tmp_path / "data")
    assert list(read_records(str(tmp_path / "data"))) == TRAIN
    assert list(read_records(str(tmp_path / "data"), split="test")) == TEST


def test_a_saved_folder_without_splits_is_the_training_split(tmp_path, splits):
    splits["test"].save_to_disk(tmp_path / "data")
    assert list(read_records(str(tmp_path / "data"))) == TEST


def test_a_folder_as_downloaded_from_the_hub_is_read(tmp_path, splits):
    for name, split in splits.items():
        split.to_parquet(tmp_path / "data" / f"{name}-00000-of-00001.parquet")
    assert list(read_records(str(tmp_path / "data"), split="test")) == TEST


def test_one_of_several_configurations_is_chosen_by_name(tmp_path, splits):
    for name, split in splits.items():
        split.to_parquet(tmp_path / "data" / f"{name}.parquet")
    configs = "".join(f"- config_name: {name}\n  data_files: {name}.parquet\n" for name in splits)
    (tmp_path / "data" / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    with pytest.raises(ValueError, match="train.*test"):
        load_splits(str(tmp_path / "data"))
    assert list(read_records(str(tmp_path / "data"), config="test")) == TEST


def test_a_split_that_is_not_there_is_answered_with_those_that_are(tmp_path, splits):
    splits.save_to_disk(tmp_path / "data")
    with pytest.raises(ValueError, match="data: no split 'validation'; it has: train, test"):
        list(read_records(str(tmp_path / "data"), split="validation"))


def test_an_empty_folder_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: cannot be loaded"):
        list(read_records(str(tmp_path / "empty")))


def test_without_a_network_the_message_says_to_give_a_file(tmp_path):
    command = [sys.executable, "-m", "data_prep.deepscaler", "--input", "owner/absent", "--output-dir", str(tmp_path)]
    # The library reads this when it is imported, so that only a new process can be offline for certain.
    completed = subprocess.run(command, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True)
    assert completed.returncode == 2
    assert "owner/absent: cannot be loaded as a Hugging Face dataset" in completed.stderr
    assert "without a network, give a downloaded file" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert os.listdir(tmp_path) == []

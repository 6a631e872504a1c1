"""What the library `datasets` loads: saved folders, and folders with a card that names their files."""

import datasets
import pytest

from data_prep.sources.hub import load_splits
from data_prep.sources.records import LocatedRecord, read_located, read_records
from data_prep.writing.card import Card, write_dataset
from data_prep.writing.rows import build_row

TRAIN = [{"problem": f"x{number}", "answer": float(number)} for number in range(10)]
TEST = [{"problem": "y", "answer": 2.0}]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def splits():
    return datasets.DatasetDict({"train": datasets.Dataset.from_list(TRAIN), "test": datasets.Dataset.from_list(TEST)})


@pytest.fixture
def saved(tmp_path, splits):
    splits.save_to_disk(tmp_path / "data")
    return str(tmp_path / "data")


@pytest.fixture
def with_card(tmp_path, splits):
    for name, split in splits.items():
        split.to_parquet(tmp_path / "data" / f"{name}.parquet")
    configs = "".join(f"- config_name: {name}\n  data_files: {name}.parquet\n" for name in splits)
    (tmp_path / "data" / "README.md").write_text(f"---\nlicense: mit\nconfigs:\n{configs}---\n")
    return str(tmp_path / "data")


def read(source, **options):
    return [located.record for located in read_located([source], **options)]


def test_a_saved_folder_gives_the_split_asked_for(saved):
    assert read(saved) == list(read_records(saved)) == TRAIN
    assert read(saved, split="test") == list(read_records(saved, split="test")) == TEST
    assert list(read_located([saved], split="test")) == [LocatedRecord(TEST[0], saved, 1)]


def test_a_saved_folder_without_splits_is_the_training_split(tmp_path, splits):
    splits["test"].save_to_disk(tmp_path / "data")
    assert read(str(tmp_path / "data")) == TEST


def test_a_saved_folder_gives_plain_values_whatever_its_format(tmp_path, splits):
    splits["train"].with_format("numpy", columns=["answer"]).save_to_disk(tmp_path / "data")
    records = read(str(tmp_path / "data"))
    assert records == TRAIN
    assert type(records[0]["answer"]) is float


@pytest.mark.parametrize(
    ("split", "records"),
    [
        ("train[:3]", TRAIN[:3]),
        ("train[10%:20%]", TRAIN[1:2]),
        ("train[-2:]", TRAIN[-2:]),
        ("train[8:100]", TRAIN[8:]),
        ("test+train[:1]", TEST + TRAIN[:1]),
    ],
)
def test_a_part_of_a_split_is_read(saved, split, records):
    assert read(saved, split=split) == records


def test_a_folder_as_downloaded_from_the_hub_is_read(tmp_path, splits):
    for name, split in splits.items():
        split.to_parquet(tmp_path / "data" / f"{name}-00000-of-00001.parquet")
    (tmp_path / "data" / "README.md").write_text("---\nlicense: mit\n---\n# No configs:\nconfigs: none\n")
    assert list(read_records(str(tmp_path / "data"), split="test")) == TEST
    assert next(read_located([str(tmp_path / "data")])).source.endswith("train-00000-of-00001.parquet")


def test_one_of_several_configurations_is_chosen_by_name(with_card):
    with pytest.raises(ValueError, match="(?s)train.*test.*choose one with --config$"):
        load_splits(with_card)
    assert read(with_card, config="test") == list(read_records(with_card, config="test")) == TEST
    assert read(with_card, config="test", split="train[:1]") == TEST


def test_a_folder_that_this_package_wrote_is_read_by_its_card(tmp_path):
    row = build_row(data_source="x", problem="1+1?", answer="2", solution="", index=0, split="test")
    write_dataset(tmp_path / "data", {"aime.parquet": [row]}, Card("prepare", {}, []))
    assert read(str(tmp_path / "data"), split="test") == [row]
    with pytest.raises(ValueError, match="data: no split 'train'; it has: test"):
        read(str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "validation"}, "data: no split 'validation'; it has: train, test"),
        ({"split": "dev[:5]"}, "data: no split 'dev'; it has: train, test"),
        ({"split": "train[a:b]"}, r"data: --split train\[a:b\] cannot be used: .*; write it as train\[:100\] or"),
        ({"split": "train[5:5]"}, "data: no rows"),
        ({"config": "main"}, "data: cannot be loaded .*has no configurations; leave out --config"),
    ],
)
def test_a_part_that_is_not_there_is_named(saved, options, message):
    with pytest.raises(ValueError, match=message):
        read(saved, **options)


def test_a_saved_folder_that_lost_a_file_is_named(tmp_path, saved):
    next((tmp_path / "data" / "train").glob("*.arrow")).unlink()
    with pytest.raises(ValueError, match="data: cannot be loaded as a Hugging Face dataset: .*arrow"):
        read(saved)

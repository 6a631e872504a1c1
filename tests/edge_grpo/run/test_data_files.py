"""Parquet files that were damaged in the ways in which files are, named with their key."""

import pyarrow
import pyarrow.parquet
import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.run.data_checks import check_data_files


@pytest.fixture
def parquet(tmp_path):
    """parquet(name): a whole file of problems."""

    def make(name="train.parquet"):
        prompts = [[{"role": "user", "content": f"{number} + {number}"}] for number in range(200)]
        pyarrow.parquet.write_table(pyarrow.table({"prompt": prompts, "index": range(200)}), tmp_path / name)
        return tmp_path / name

    return make


def data(**files):
    return OmegaConf.create(files)


def cut_off(file):
    file.write_bytes(file.read_bytes()[:-100])


def emptied(file):
    file.write_bytes(b"")


def text(file):
    file.write_text('{"prompt": "1 + 1"}\n' * 9)


def zeroed_body(file):
    """As a disk that was full, or a copy that was interrupted, leaves it: the size is right, and the end is there."""
    content = file.read_bytes()
    file.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("damage", [cut_off, emptied, text])
def test_a_damaged_file_is_named_with_its_key(parquet, damage, whole):
    file = parquet()
    damage(file)
    with pytest.raises(ValueError) as refusal:
        check_data_files(data(train_files=str(file), val_files=None), whole)
    message = str(refusal.value)
    assert message.startswith(f"data.train_files: {file} is damaged (")
    assert "\n" not in message


def test_a_body_of_zeros_is_found_by_reading_all(parquet):
    file = parquet()
    zeroed_body(file)
    config = data(train_files=str(file), val_files=None)
    check_data_files(config)
    with pytest.raises(ValueError, match=r"data\.train_files: .*train\.parquet is damaged"):
        check_data_files(config, whole=True)


def test_a_file_without_permission_is_named_too(parquet, monkeypatch):
    file = parquet()

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pyarrow.parquet, "ParquetFile", refuse)  # whoever runs the tests may have every permission
    with pytest.raises(ValueError, match=r"train\.parquet is damaged \(.*Permission denied"):
        check_data_files(data(train_files=str(file)))


@pytest.mark.parametrize("whole", [False, True])
def test_whole_files_pass(parquet, whole):
    config = data(train_files=[str(parquet("a.parquet")), str(parquet("b.parquet"))], val_files=str(parquet()))
    check_data_files(config, whole)


def test_the_damaged_one_of_several_is_named_with_the_key_that_lists_it(parquet):
    train, whole, damaged = parquet(), parquet("whole.parquet"), parquet("damaged.parquet")
    cut_off(damaged)
    with pytest.raises(ValueError, match=rf"data\.val_files: {damaged} is damaged"):
        check_data_files(data(train_files=str(train), val_files=[str(whole), str(damaged)]))


def test_what_is_not_a_parquet_file_of_this_machine_is_left_to_verl(tmp_path):
    (tmp_path / "train.jsonl").write_text("{}\n")
    (tmp_path / "folder.parquet").mkdir()
    files = ["missing.parquet", "hdfs://host/train.parquet", "train.jsonl", "folder.parquet"]
    check_data_files(data(train_files=[str(tmp_path / name) for name in files], val_files="hdfs://host/val.parquet"))
    check_data_files(data(train_files=None))

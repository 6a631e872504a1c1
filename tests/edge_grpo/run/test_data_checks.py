"""Data files that cannot be read, and training rows that cannot be graded."""

import itertools
from types import SimpleNamespace

import pyarrow
import pyarrow.parquet
import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.run.data_checks import check_data_files, check_training_rows, checkable_rows


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


@pytest.mark.parametrize("damage", [cut_off, emptied, text, zeroed_body])
def test_a_damaged_file_is_named_with_its_key(parquet, damage):
    file = parquet()
    damage(file)
    with pytest.raises(ValueError) as refusal:
        check_data_files(data(train_files=str(file), val_files=None))
    message = str(refusal.value)
    assert message.startswith(f"data.train_files: {file} is damaged (")
    assert "\n" not in message


def test_a_file_without_permission_is_named_too(parquet, monkeypatch):
    file = parquet()

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pyarrow.parquet, "ParquetFile", refuse)  # whoever runs the tests may have every permission
    with pytest.raises(ValueError, match=r"train\.parquet is damaged \(.*Permission denied"):
        check_data_files(data(train_files=str(file)))


def test_whole_files_pass(parquet):
    config = data(train_files=[str(parquet("a.parquet")), str(parquet("b.parquet"))], val_files=str(parquet()))
    check_data_files(config)


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


indices = itertools.count()


def check(rows, corrects=True, needs_gold=True, seeds_responses=False, solution_in_every_group=False):
    gec = SimpleNamespace(enabled=corrects, solution_in_every_group=solution_in_every_group)
    check_training_rows(rows, SimpleNamespace(gec=gec, seeds_responses=seeds_responses), needs_gold)


def row(ground_truth="4", solution="2+2=4", index=None):
    """A row with an index of its own unless one is given."""
    index = next(indices) if index is None else index
    return {"reward_model": {"ground_truth": ground_truth}, "extra_info": {"solution": solution, "index": index}}


@pytest.mark.parametrize("bad", [row(None), row(""), row([]), {"extra_info": {}}, {"reward_model": None}])
def test_a_row_that_cannot_be_graded_is_refused_with_its_number(bad):
    with pytest.raises(ValueError, match=r"training row 2 \(from 0\) has no reward_model.ground_truth; add it or drop"):
        check([row(), row(), bad, row()], corrects=True)


@pytest.mark.parametrize("ground_truth", [0, 0.0, "0", ["4", "four"], 7])
def test_falsy_numbers_and_alternatives_are_answers(ground_truth):
    check([row(ground_truth)], corrects=True)


def test_rows_without_a_solution_are_counted_in_one_warning(caplog):
    rows = [row(), row(solution=""), row(solution=None)]
    check(rows, corrects=True)
    (record,) = caplog.records
    assert "2 of 3 training rows have no extra_info.solution" in record.getMessage()
    assert "edge_grpo/gec/answer_for_missing_solution" in record.getMessage()


@pytest.mark.parametrize(("rows", "corrects"), [([row(solution=None)], False), ([row()], True), ([], True)])
def test_there_is_no_warning_where_no_solution_is_needed_or_missing(caplog, rows, corrects):
    check(rows, corrects)
    assert not caplog.records


def test_rows_without_a_solution_leave_their_groups_alone_where_one_is_to_be_in_every_group(caplog):
    check([row(), row(solution=""), row(solution=None)], solution_in_every_group=True)
    (record,) = caplog.records
    assert "2 of 3 training rows have no extra_info.solution: their groups stay as they are" in record.getMessage()
    assert "edge_grpo/gec/skipped_no_solution" in record.getMessage()


def test_rows_of_which_none_has_a_solution_are_refused_where_one_is_to_be_in_every_group():
    rows = [row(solution=""), row(solution=None)]
    with pytest.raises(ValueError, match="solution_in_every_group=True, and none of 2 training rows has an extra_info"):
        check(rows, solution_in_every_group=True)
    check(rows, corrects=False, solution_in_every_group=True)  # which has no effect then


def test_where_only_solutions_are_put_in_no_answer_is_told_and_there_is_no_warning_of_one_that_is_missing(caplog):
    check([row(), row("")], needs_gold=False, solution_in_every_group=True)
    assert not caplog.records


def test_rows_of_a_real_dataset_are_read(tmp_path):
    from datasets import Dataset

    dataset = Dataset.from_list([row(), row(solution=None), row(ground_truth="")])
    with pytest.raises(ValueError, match="training row 2"):
        check(dataset, corrects=True)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(index=1), row(index=1), row(index=2)], "2 different ones in 3 rows"),
        ([{"reward_model": {"ground_truth": "4"}, "extra_info": {"solution": "4"}}] * 2, "0 different ones in 2 rows"),
    ],
)
def test_rows_that_would_draw_the_same_corrections_are_warned_of(caplog, rows, expected):
    check(rows, corrects=True)
    (record,) = caplog.records
    assert "extra_info.index is missing or repeated" in record.getMessage()
    assert expected in record.getMessage()


def test_without_correction_the_index_matters_for_seeds_only(caplog):
    check([row(index=1), row(index=1)], corrects=False)
    assert not caplog.records
    check([row(index=1), row(index=1)], corrects=False, seeds_responses=True)
    assert "1 different ones in 2 rows" in caplog.text


@pytest.mark.parametrize("bad", [row(None), {"reward_model": None}, {"extra_info": "text"}, {"extra_info": None}, {}])
def test_rows_without_an_answer_pass_where_none_is_needed(bad):
    check([row(), bad], corrects=True, needs_gold=False)


def test_rows_without_an_answer_are_counted_in_one_warning_where_none_is_needed(caplog):
    check([row(), row("", index=1), row([], index=2)], corrects=True, needs_gold=False)
    (record,) = caplog.records
    assert "2 of 3 training rows have no reward_model.ground_truth" in record.getMessage()
    assert "edge_grpo/gec/skipped_no_answer" in record.getMessage()


class Streamed:
    """A dataset of the user's, whose rows are made when they are asked for."""

    def __iter__(self):
        raise AssertionError("the rows of a stream are not to be used up")


def test_a_dataset_of_the_users_is_left_alone_and_verls_is_read():
    from datasets import Dataset

    assert checkable_rows(Streamed()) is None
    assert checkable_rows(SimpleNamespace(dataframe=Dataset.from_list([row()]).to_iterable_dataset())) is None
    rows = checkable_rows(SimpleNamespace(dataframe=Dataset.from_list([{**row(), "prompt": "1+1"}])))
    assert rows.column_names == ["reward_model", "extra_info"]
    assert list(checkable_rows(SimpleNamespace(dataframe=Dataset.from_list([{"prompt": "1+1"}] * 2)))) == [{}, {}]

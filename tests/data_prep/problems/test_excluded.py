"""Problems that must not be trained on are found in whatever file has them."""

import json

import datasets
import pytest
from support.datasets_as_published import PUBLISHED

from data_prep.problems.excluded import problem_text, read_excluded_texts


@pytest.mark.parametrize("preset", PUBLISHED)
def test_the_problem_of_every_published_dataset_is_found(preset):
    good = [row for row in PUBLISHED[preset] if row.is_bad is None]
    assert [problem_text(row.record) for row in good] == [row.problem for row in good]


def test_all_splits_of_a_dataset_are_read(tmp_path):
    splits = {name: datasets.Dataset.from_list([{"problem": f"{name}?", "answer": "2"}]) for name in ("aime", "math")}
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "suite")
    (tmp_path / "more.jsonl").write_text(json.dumps({"question": "more?", "label": 2}))
    found = read_excluded_texts([str(tmp_path / "suite"), str(tmp_path / "*.jsonl")])
    assert list(found) == ["aime?", "math?", "more?"]


def test_another_encoding_applies_to_texts_only(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(json.dumps({"problem": "für Ömer?"}, ensure_ascii=False).encode("latin-1"))
    datasets.Dataset.from_list([{"problem": "x?"}]).to_parquet(tmp_path / "b.parquet")
    inputs = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.parquet")]
    assert list(read_excluded_texts(inputs, "latin-1")) == ["für Ömer?", "x?"]


def test_a_record_without_a_problem_is_named_with_its_columns(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"problem": "x?"}\n{"label": 2, "name": "x"}\n')
    with pytest.raises(ValueError, match="a.jsonl, row 2: no problem in it to exclude; its columns are label, name"):
        list(read_excluded_texts([str(tmp_path / "a.jsonl")]))

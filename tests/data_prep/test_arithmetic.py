"""The command that writes the arithmetic dataset."""

import argparse
import collections
import os

import pyarrow.parquet
import pytest

from data_prep.arithmetic import main, parse_shares, split_by_shares


def run(output_dir, *arguments):
    main(["--output-dir", str(output_dir), "--train-size", "40", "--test-size", "10", *arguments])
    return {
        split: pyarrow.parquet.read_table(output_dir / f"{split}.parquet").to_pylist() for split in ("train", "test")
    }


def texts(rows):
    return [row["prompt"][0]["content"] for row in rows]


def first_equation(row):
    return row["extra_info"]["solution"].splitlines()[0]


def test_the_files_have_the_sizes_and_the_mix_asked_for(tmp_path):
    data = run(tmp_path, "--difficulty", "easy=0.5,medium=0.3,hard=0.2")
    counts = {split: collections.Counter(row["extra_info"]["difficulty"] for row in data[split]) for split in data}
    # 40 problems: 20, 12, 8. 10 problems: 5, 3, 2.
    assert counts == {
        "train": {"easy": 20, "medium": 12, "hard": 8},
        "test": {"easy": 5, "medium": 3, "hard": 2},
    }


def test_no_problem_text_occurs_twice(tmp_path):
    data = run(tmp_path, "--difficulty", "easy=1")
    all_texts = texts(data["train"]) + texts(data["test"])
    assert len(all_texts) == 50 == len(set(all_texts))


def test_no_computation_of_the_test_split_is_trained_on_in_other_words(tmp_path):
    # 126 computations are easy: 81 sums and 45 differences of two digits that are not zero.
    data = run(tmp_path, "--difficulty", "easy=1", "--train-size", "150", "--test-size", "60")
    computations = {split: {first_equation(row) for row in data[split]} for split in data}
    assert len(computations["test"]) > 40
    assert not computations["train"] & computations["test"]


def test_rows_carry_answer_solution_and_position(tmp_path):
    rows = run(tmp_path)["test"]
    assert [row["extra_info"]["index"] for row in rows] == list(range(10))
    for row in rows:
        assert row["extra_info"]["split"] == "test"
        assert row["extra_info"]["solution"].endswith(f"\\boxed{{{row['reward_model']['ground_truth']}}}")


def test_the_same_arguments_give_the_same_bytes_and_another_seed_another_training_split_only(tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        run(tmp_path / name, "--seed", seed)
    train, test = (
        [(tmp_path / name / f"{split}.parquet").read_bytes() for name in "abc"] for split in ("train", "test")
    )
    assert train[0] == train[1] != train[2]
    assert test[0] == test[1] == test[2]


def test_another_test_seed_gives_another_test_split(tmp_path):
    assert texts(run(tmp_path / "a", "--test-seed", "1")["test"]) != texts(run(tmp_path / "b")["test"])


def test_difficulties_are_mixed_and_not_one_after_the_other(tmp_path):
    difficulties = [row["extra_info"]["difficulty"] for row in run(tmp_path)["train"]]
    assert sum(a != b for a, b in zip(difficulties, difficulties[1:], strict=False)) > 10


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("easy=0.5,medum=0.5", "medum=0.5"),
        ("easy=0.5,easy=0.5", "easy=0.5"),
        ("easy=half,hard=0.5", "half"),
        ("easy", "easy"),
        ("easy=1.5,hard=-0.5", "easy=1.5"),
        ("easy=nan", "easy=nan"),
        ("easy=0.5,hard=0.4", "0.9"),
        ("", "expected"),
    ],
)
def test_a_bad_difficulty_is_refused_by_name(text, named):
    with pytest.raises(argparse.ArgumentTypeError, match=named):
        parse_shares(text)


def test_a_difficulty_that_is_not_named_has_no_share():
    assert parse_shares("easy=0.25, hard=0.75") == {"easy": 0.25, "hard": 0.75}


@pytest.mark.parametrize(
    ("size", "shares", "counts"),
    [
        (10, {"a": 0.5, "b": 0.5}, {"a": 5, "b": 5}),
        # 3.33, 3.33, 3.33: 3 each, and the one left over goes to the first.
        (10, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, {"a": 4, "b": 3, "c": 3}),
        # 0.4, 1.6: the larger remainder gets the one left over.
        (2, {"a": 0.2, "b": 0.8}, {"a": 0, "b": 2}),
        (0, {"a": 1.0}, {"a": 0}),
    ],
)
def test_sizes_are_divided_in_whole_numbers(size, shares, counts):
    assert split_by_shares(size, shares) == counts


def test_too_many_problems_of_a_kind_stop_with_its_name_and_write_nothing(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path, "--train-size", "9000", "--difficulty", "easy=1")
    assert "'easy'" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []

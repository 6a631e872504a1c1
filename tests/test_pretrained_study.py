"""tests/bench/pretrained_study.py: the problems that the pretrained model is trained on, the records of its runs."""

import json
import os
import re
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))  # Scripts, not a package.
from pretrained_study import EXAMPLES, SIZES, prepend_examples, record

from data_prep import arithmetic


@pytest.fixture
def data_folder(tmp_path):
    arithmetic.main(["--difficulty", "easy=1.0", *SIZES, "--output-dir", str(tmp_path)])
    return tmp_path


def rows_of(path):
    return pyarrow.parquet.read_table(path).to_pylist()


def test_two_solved_problems_stand_before_each_prompt_and_nothing_else_changes(data_folder):
    before = rows_of(data_folder / "train.parquet")
    after = rows_of(prepend_examples(data_folder / "train.parquet"))
    assert len(after) == len(before) == 400
    assert [turn["role"] for turn in after[0]["prompt"]] == ["user", "assistant"] * 2 + ["user"]
    assert after[0]["prompt"][1]["content"] == "2+5=7\n\\boxed{7}"
    assert [row | {"prompt": row["prompt"][-1:]} for row in after] == before


def test_no_sum_of_the_examples_is_among_those_of_validation(data_folder):
    held_out = [row["extra_info"]["solution"] for row in rows_of(data_folder / "test.parquet")]
    assert all(re.match(r"\d+[+-]\d+=\d+\n", solution) for solution in held_out)
    assert not {solution for _, solution in EXAMPLES} & set(held_out)


def test_a_record_has_the_settings_of_its_run_and_the_time_from_its_configuration_to_its_last_metrics(tmp_path):
    run = tmp_path / "grpo"
    run.mkdir()
    entries = [{"step": step, "data": {"val-core/arithmetic/acc/mean@1": step / 4}} for step in (0, 2)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    (run / "config.yaml").write_text("{actor_rollout_ref: {actor: {optim: {lr: 0.25}}}, edge_grpo: {seed: 3}}")
    for name, when in (("config.yaml", 1000), ("metrics.jsonl", 1090.5)):
        os.utime(run / name, (when, when))
    recorded = record(run)
    assert (recorded.job.method, recorded.job.num_steps, recorded.job.engine) == ("grpo", 2, "verl")
    assert (recorded.job.learning_rate, recorded.job.seed) == (0.25, 3)
    assert (recorded.accuracy, recorded.origin.seconds) == (0.5, 90.5)

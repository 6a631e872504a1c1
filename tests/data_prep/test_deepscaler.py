"""The command for DeepScaleR is a preset of the one for all datasets."""

import json

import pyarrow.parquet

from data_prep import deepscaler, prepare

RECORD = {"problem": "What is $1+1$?", "answer": "2", "correctness_rate": 0.125, "solution": r"It is \boxed{2}."}


def test_it_writes_what_the_preset_writes_with_the_problem_alone_as_prompt(tmp_path):
    (tmp_path / "in.json").write_text(json.dumps([RECORD]))
    source = ["--input", str(tmp_path / "in.json"), "--output-dir"]
    deepscaler.main([*source, str(tmp_path / "own")])
    prepare.main([*source, str(tmp_path / "preset"), "--preset", "deepscaler"])
    own, preset = (tmp_path / name / "train.parquet" for name in ("own", "preset"))
    assert own.read_bytes() == preset.read_bytes()
    assert pyarrow.parquet.read_table(own).to_pylist() == [
        {
            "data_source": "deepscaler",
            "prompt": [{"role": "user", "content": "What is $1+1$?"}],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": "2"},
            "extra_info": {"index": 0, "solution": r"It is \boxed{2}.", "split": "train", "correctness_rate": 0.125},
        }
    ]
    assert "python -m data_prep.deepscaler" in (tmp_path / "own/README.md").read_text()

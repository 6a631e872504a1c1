"""The command that converts the paper's training set."""

import json
from pathlib import Path

import pyarrow.parquet
import pytest

from data_prep.deepscaler import convert_record, main

AUTHORS_FILE = Path(__file__).parents[3] / "shared" / "data" / "deepscaler_hard-1k.json"
RECORD = {"problem": "What is $1+1$?", "answer": "2", "correctness_rate": 0.125, "solution": r"It is \boxed{2}."}


def convert(tmp_path, content, *arguments):
    source = tmp_path / "in.json"
    source.write_text(content if isinstance(content, str) else json.dumps(content))
    main(["--input", str(source), "--output-dir", str(tmp_path / "out"), *arguments])
    return pyarrow.parquet.read_table(tmp_path / "out" / "train.parquet").to_pylist()


def test_a_record_becomes_a_row_with_the_problem_alone_as_prompt(tmp_path):
    assert convert(tmp_path, [RECORD]) == [
        {
            "data_source": "deepscaler",
            "prompt": [{"role": "user", "content": "What is $1+1$?"}],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": "2"},
            "extra_info": {"index": 0, "solution": r"It is \boxed{2}.", "split": "train", "correctness_rate": 0.125},
        }
    ]


def test_an_instruction_follows_the_problem(tmp_path):
    (row,) = convert(tmp_path, [RECORD], "--instruction", r"Use \boxed{}.")
    assert row["prompt"][0]["content"] == r"What is $1+1$? Use \boxed{}."


def test_duplicates_and_rows_without_solution_are_kept_and_counted(tmp_path, capsys):
    without_solution = {"problem": "Another", "answer": 3}
    rows = convert(tmp_path, [RECORD, RECORD, without_solution])
    assert [row["extra_info"]["index"] for row in rows] == [0, 1, 2]
    assert rows[2]["reward_model"]["ground_truth"] == "3"
    assert rows[2]["extra_info"] == {"index": 2, "solution": "", "split": "train", "correctness_rate": None}
    assert "3 rows in, 3 rows out, 1 duplicate problems, 1 rows without solution" in capsys.readouterr().out


def test_the_correctness_rate_is_left_out_where_there_is_none():
    assert "correctness_rate" not in convert_record({"problem": "x", "answer": "1"}, 0)["extra_info"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([RECORD, {**RECORD, "answer": " "}], "row 2: answer"),
        ([{**RECORD, "problem": ""}], "row 1: problem"),
        ([RECORD, RECORD, {"answer": "2"}], "row 3: problem"),
        ([{**RECORD, "answer": None}], "row 1: answer"),
        (["text"], "row 1: expected an object"),
        ({"problem": "x"}, "expected a list"),
        ('[\n{"problem": "x",\n"answer" 2}\n]', "in.json, line 3"),
        ([], "no rows"),
    ],
)
def test_bad_input_stops_with_its_place_and_writes_nothing(tmp_path, capsys, content, named):
    with pytest.raises(SystemExit):
        convert(tmp_path, content)
    assert named in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*"))


def test_a_missing_file_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--input", str(tmp_path / "absent.json"), "--output-dir", str(tmp_path)])
    assert "absent.json" in capsys.readouterr().err


@pytest.mark.skipif(not AUTHORS_FILE.exists(), reason="the authors' file is not part of this repository")
def test_the_authors_file_is_converted_whole(tmp_path, capsys):
    main(["--input", str(AUTHORS_FILE), "--output-dir", str(tmp_path)])
    assert "1000 rows in, 1000 rows out, 10 duplicate problems, 0 rows without solution" in capsys.readouterr().out

"""What stops `data_prep.deepscaler`: the message names the place, and no file is written."""

import json
import os
import subprocess
import sys

import pyarrow
import pyarrow.parquet
import pytest

from data_prep.deepscaler import main

RECORD = {"problem": "What is $1+1$?", "answer": "2"}


def refused(tmp_path, capsys, name, *arguments):
    """Run the command, which must fail, and return its message."""
    with pytest.raises(SystemExit) as caught:
        main(["--input", str(tmp_path / name), "--output-dir", str(tmp_path / "out"), *arguments])
    assert caught.value.code == 2
    assert not list(tmp_path.glob("out/*"))
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("records", "named"),
    [
        ([RECORD, {**RECORD, "answer": " "}], "in.json, row 2: answer is missing or empty"),
        ([RECORD, RECORD, {"answer": "2"}], "in.json, row 3: problem is missing or empty"),
        ([{**RECORD, "problem": "x" * 10_000_000}], "row 1: problem has 10,000,000 characters; the limit is 1,000,000"),
        ([{"question": "x", "answer": "2"}], "in.json: no column 'problem'; it has: question, answer"),
        ([RECORD, "text"], "in.json, row 2: expected an object"),
        ({"problem": "x"}, "in.json: expected a list"),
        ([], "in.json: no rows"),
    ],
)
def test_bad_content_is_named_with_its_place(tmp_path, capsys, records, named):
    (tmp_path / "in.json").write_text(json.dumps(records))
    assert named in refused(tmp_path, capsys, "in.json")


def test_broken_json_is_named_with_its_line(tmp_path, capsys):
    (tmp_path / "in.json").write_text('[\n{"problem": "x",\n"answer" 2}\n]')
    assert "in.json, line 3: " in refused(tmp_path, capsys, "in.json")


def test_a_parquet_file_of_another_schema_is_answered_with_its_columns(tmp_path, capsys):
    table = pyarrow.table({"prompt": [["a"]], "label": [1]})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    assert "in.parquet: no column 'problem'; it has: prompt, label" in refused(tmp_path, capsys, "in.parquet")


def test_a_repeated_index_is_named_with_both_rows(tmp_path, capsys):
    (tmp_path / "in.json").write_text(json.dumps([{**RECORD, "id": 1}, {**RECORD, "problem": "x", "id": 1}]))
    message = refused(tmp_path, capsys, "in.json", "--index-column", "id")
    assert "in.json, row 2: id 1 is that of row 1 too" in message


def test_a_missing_file_is_named(tmp_path, capsys):
    assert "absent.json" in refused(tmp_path, capsys, "absent.json")


def test_if_no_row_is_left_the_message_says_where_they_went(tmp_path, capsys):
    (tmp_path / "in.json").write_text(json.dumps([{**RECORD, "correctness_rate": 1.0}]))
    message = refused(tmp_path, capsys, "in.json", "--subset", "hard")
    assert "no rows are left" in message
    assert "dropped: not hard" in message


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--subset", "random"], "--subset random needs --size"),
        (["--size", "5"], "--size needs --subset"),
        (["--subset", "random", "--size", "0"], "'0' is not a whole number of at least 1"),
        (["--subset", "random", "--size", "5"], "a subset of 5 was asked for, and 1 problems are left"),
        (["--subset", "hard"], "row 1 has no correctness rate"),
        (["--max-prompt-tokens", "5"], "--max-prompt-tokens needs --tokenizer"),
        (["--drop-long-prompts"], "--drop-long-prompts needs --max-prompt-tokens"),
        (["--drop-unverified", "--no-verification"], "exclude each other"),
        (["--rate-column", "rate"], "no column 'rate'"),
    ],
)
def test_options_that_do_not_fit_are_named(tmp_path, capsys, arguments, named):
    (tmp_path / "in.json").write_text(json.dumps([RECORD]))
    assert named in refused(tmp_path, capsys, "in.json", *arguments)


FULL_DISK = """
import resource, sys
from data_prep.deepscaler import main
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
main(sys.argv[1:])
"""


def test_a_full_disk_leaves_the_old_files_whole_and_no_half_written_ones(tmp_path):
    (tmp_path / "in.json").write_text(json.dumps([RECORD]))
    arguments = ["--input", str(tmp_path / "in.json"), "--output-dir", str(tmp_path / "out")]
    main(arguments)
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    (tmp_path / "in.json").write_text(json.dumps([{**RECORD, "problem": os.urandom(5000).hex()}]))
    completed = subprocess.run([sys.executable, "-c", FULL_DISK, *arguments], capture_output=True, text=True)
    assert completed.returncode == 2
    assert f"{tmp_path / 'out'}: " in completed.stderr
    assert "File too large" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before

"""What stops `data_prep.prepare`: the message names the place, and no file is written."""

import json
import os
import subprocess
import sys

import pyarrow
import pyarrow.parquet
import pytest

from data_prep.prepare import main
from recipe.edge_grpo.quickstart.tiny_policy.architecture import train_tokenizer

RECORD = {"problem": "What is $1+1$?", "answer": "2"}


def refused(tmp_path, capsys, name, *arguments):
    """Run the command, which must fail, and return its message."""
    with pytest.raises(SystemExit) as caught:
        main(["--input", str(tmp_path / name), "--output-dir", str(tmp_path / "out"), *arguments])
    assert caught.value.code == 2
    assert not list(tmp_path.glob("out/*"))
    return capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("records", "named"),
    [
        ([RECORD, {**RECORD, "answer": " "}], "in.json, row 2: answer is missing or empty"),
        ([RECORD, RECORD, {"answer": "2"}], "in.json, row 3: problem is missing or empty"),
        ([{**RECORD, "problem": "x" * 10_000_000}], "row 1: problem has 10,000,000 characters; the limit is 1,000,000"),
        ([{"question": "x", "answer": "2"}], "in.json: no column 'problem'; it has: question, answer"),
        ([RECORD, "text"], "in.json, row 2: expected an object"),
        ({"problem": "x"}, "in.json"),
        ([], "no rows"),
    ],
)
def test_bad_content_is_named_with_its_place(tmp_path, capsys, records, named):
    (tmp_path / "in.json").write_text(json.dumps(records))
    assert named in refused(tmp_path, capsys, "in.json")


GSM8K = {
    "question": "Natalia sold 48 clips in April, and half as many in May. How many in all?",
    "answer": "In May she sold 48/2 = <<48/2=24>>24 clips.\nIn all 48+24 = <<48+24=72>>72.\n#### 72",
}


def test_rationales_in_the_place_of_answers_are_refused_and_the_preset_is_named_that_reads_them(tmp_path, capsys):
    (tmp_path / "in.json").write_text(json.dumps([GSM8K, {**GSM8K, "question": "x"}]))
    message = refused(tmp_path, capsys, "in.json", "--problem-column", "question")
    assert "in.json, row 1: answer is no final answer ('####' in the answer): 'In May" in message
    assert "1 more cannot be used (in all '####' in the answer: 2); mend them, or add --skip-bad-rows" in message
    assert "--preset gsm8k" in refused(tmp_path, capsys, "in.json")


def test_the_first_bad_row_is_named_with_the_number_of_others(tmp_path, capsys):
    records = [RECORD, {**RECORD, "problem": "x", "answer": None}, {**RECORD, "problem": "<image>"}, {"problem": "y"}]
    (tmp_path / "in.json").write_text(json.dumps(records))
    message = refused(tmp_path, capsys, "in.json")
    assert (
        "in.json, row 2: answer is missing or empty; 2 more cannot be used (in all no answer: 2, image: 1);" in message
    )


def test_answers_that_the_reward_mostly_cannot_grade_are_refused_unless_dropped(tmp_path, capsys):
    prose = "He sold 24 clips in May, so that it is 72 in all"
    records = [{**RECORD, "problem": str(number), "answer": prose if number else "2"} for number in range(3)]
    (tmp_path / "in.json").write_text(json.dumps(records))
    message = refused(tmp_path, capsys, "in.json")
    assert "2 of 3 reference answers are no final answers that the reward can grade: row 2 (prose as answer)" in message
    assert "add --drop-unverified" in message


def test_an_instruction_that_asks_for_what_the_reward_does_not_read_is_a_failure_of_every_row(tmp_path, capsys):
    (tmp_path / "in.json").write_text(json.dumps([RECORD]))
    message = refused(tmp_path, capsys, "in.json", "--instruction", "Write the answer after ####.")
    assert "prompts ask for" in message


def test_prompts_that_are_all_too_long_are_refused_with_the_limit_and_the_shortest(tmp_path, capsys):
    train_tokenizer(["What is 12+5?"], vocab_size=280, max_length=8).save_pretrained(tmp_path / "model")
    (tmp_path / "in.json").write_text(json.dumps([{**RECORD, "problem": letter * 300} for letter in "xyz"]))
    limit = ["--tokenizer", str(tmp_path / "model"), "--max-prompt-tokens", "20"]
    for also in ([], ["--drop-long-prompts"]):
        message = refused(tmp_path, capsys, "in.json", *limit, *also)
        assert "all 3 prompts have more than --max-prompt-tokens 20 tokens, the shortest " in message
        assert "data.max_prompt_length" in message


def test_texts_and_lists_as_answers_in_one_input_become_lists(tmp_path):
    (tmp_path / "in.json").write_text(json.dumps([RECORD, {"problem": "x", "answer": ["2", "two"]}]))
    main(["--input", str(tmp_path / "in.json"), "--output-dir", str(tmp_path / "out")])
    rows = pyarrow.parquet.read_table(tmp_path / "out/train.parquet").to_pylist()
    assert [row["reward_model"]["ground_truth"] for row in rows] == [["2"], ["2", "two"]]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[]", "no rows"),
        ("", "no rows"),
        ('[{"problem": "x", "answer": NaN}]', "answer must be a finite number, got nan"),
        ('[{"problem": "x", "answer": "NaN"}]', "answer is no final answer (not a number as answer): 'NaN'"),
    ],
)
def test_a_file_without_rows_and_an_answer_that_is_no_number_are_refused(tmp_path, capsys, content, named):
    (tmp_path / "in.json").write_text(content)
    assert named in refused(tmp_path, capsys, "in.json")


def test_a_file_in_another_encoding_is_refused_and_read_once_the_encoding_is_named(tmp_path, capsys):
    record = {"problem": "Wie viel ist ½·2, für Ömer?", "answer": "1"}
    for encoding in ("latin-1", "utf-16"):
        (tmp_path / "in.json").write_bytes(json.dumps([record], ensure_ascii=False).encode(encoding))
        assert "--encoding" in refused(tmp_path, capsys, "in.json")
        main(["--input", str(tmp_path / "in.json"), "--output-dir", str(tmp_path / encoding), "--encoding", encoding])
        (row,) = pyarrow.parquet.read_table(tmp_path / encoding / "train.parquet").to_pylist()
        assert row["prompt"][0]["content"].startswith(record["problem"])


def test_a_pattern_that_matches_nothing_is_named(tmp_path, capsys):
    assert "*.jsonl: no file matches this pattern" in refused(tmp_path, capsys, "*.jsonl")


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
        (["--answer-column", "meta[last]"], "'meta[last]' is not a path"),
        (["--split", "test"], "--split test is for datasets, and this is a plain file"),
        (["--encoding", "utf-9"], "utf-9"),
        (["--validation-size", "5"], "a validation set of 5 was asked for, and there are 1 problems to draw from"),
        (["--exclude", "absent.json"], "absent.json"),
        (["--validation-size", "1", "--split", "validation"], "--split is validation"),
    ],
)
def test_options_that_do_not_fit_are_named(tmp_path, capsys, arguments, named):
    (tmp_path / "in.json").write_text(json.dumps([RECORD]))
    assert named in refused(tmp_path, capsys, "in.json", *arguments)


FULL_DISK = """
import resource, sys
from data_prep.prepare import main
from recipe.edge_grpo.quickstart.tiny_policy.architecture import train_tokenizer
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
main(sys.argv[1:])
"""


@pytest.mark.slow
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

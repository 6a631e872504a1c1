"""The command that prepares problems: which rows come out, and what is reported."""

import json

import pyarrow.parquet
import pytest

from data_prep.prepare import main
from data_prep.presets.table import BOX_INSTRUCTION
from data_prep.writing.rows import build_row, write_parquet
from recipe.edge_grpo.quickstart.tiny_policy.architecture import train_tokenizer

RECORD = {"problem": "What is $1+1$?", "answer": "2", "correctness_rate": 0.125, "solution": r"It is \boxed{2}."}


def other(text, **changes):
    return {**RECORD, "problem": text, **changes}


def convert(tmp_path, records, *arguments, name="in.json"):
    """The rows of train.parquet, whose prompts are the problems alone."""
    source = tmp_path / name
    source.parent.mkdir(exist_ok=True)
    source.write_text(json.dumps(records))
    main(["--input", str(source), "--output-dir", str(tmp_path / "out"), "--instruction", "", *map(str, arguments)])
    return rows_of(tmp_path, "train")


def rows_of(tmp_path, split):
    return pyarrow.parquet.read_table(tmp_path / "out" / f"{split}.parquet").to_pylist()


def texts(rows):
    return [row["prompt"][0]["content"] for row in rows]


def table_row(output, name):
    line = next(line for line in output.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_record_becomes_a_row_with_the_problem_alone_as_prompt(tmp_path):
    assert convert(tmp_path, [RECORD]) == [
        {
            "data_source": "in",
            "prompt": [{"role": "user", "content": "What is $1+1$?"}],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": "2"},
            "extra_info": {"index": 0, "solution": r"It is \boxed{2}.", "split": "train", "correctness_rate": 0.125},
        }
    ]


def test_columns_instruction_and_name_can_be_chosen(tmp_path):
    record = {"question": "What is $1+1$?", "gold": 2, "worked": r"\boxed{2}", "rate": 0.5, "id": 17}
    columns = ["problem", "question", "answer", "gold", "solution", "worked", "rate", "rate", "index", "id"]
    options = [
        option
        for name, column in zip(columns[::2], columns[1::2], strict=True)
        for option in (f"--{name}-column", column)
    ]
    (row,) = convert(tmp_path, [record], *options, "--instruction", r"Use \boxed{}.", "--data-source", "mine")
    assert (row["data_source"], texts([row])) == ("mine", [r"What is $1+1$? Use \boxed{}."])
    assert row["reward_model"]["ground_truth"] == "2"
    assert row["extra_info"] == {"index": 17, "solution": r"\boxed{2}", "split": "train", "correctness_rate": 0.5}


def test_the_prompt_asks_for_the_box_that_the_reward_reads_unless_another_instruction_is_given(tmp_path):
    (tmp_path / "in.json").write_text(json.dumps([RECORD]))
    main(["--input", str(tmp_path / "in.json"), "--output-dir", str(tmp_path / "out")])
    assert texts(rows_of(tmp_path, "train")) == [f"What is $1+1$? {BOX_INSTRUCTION}"]


def test_columns_may_be_named_by_paths(tmp_path):
    record = {"messages": [{"content": "Think."}, {"content": "1+1?"}], "meta": {"golds": [{"value": 2}]}}
    (row,) = convert(
        tmp_path, [record], "--problem-column", "messages[-1].content", "--answer-column", "meta.golds[0].value"
    )
    assert (texts([row]), row["reward_model"]["ground_truth"]) == (["1+1?"], "2")


def test_files_and_globs_are_read_together_and_each_names_its_rows(tmp_path):
    for name in ("b", "a1", "a2"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(other(name)) + "\n")
    inputs = [str(tmp_path / "b.jsonl"), str(tmp_path / "a*.jsonl")]
    main(["--input", *inputs, "--output-dir", str(tmp_path / "out"), "--instruction", ""])
    rows = rows_of(tmp_path, "train")
    assert texts(rows) == [row["data_source"] for row in rows] == ["b", "a1", "a2"]
    assert [row["extra_info"]["index"] for row in rows] == [0, 1, 2]


@pytest.mark.parametrize("split", ["test", "validation"])
def test_another_split_is_written_under_its_name(tmp_path, split):
    for name in ("train", "test", "validation"):
        (tmp_path / f"mine/{name}.json").parent.mkdir(exist_ok=True)
        (tmp_path / f"mine/{name}.json").write_text(json.dumps([other(name)]))
    main(["--input", str(tmp_path / "mine"), "--split", split, "--output-dir", str(tmp_path / "out")])
    (row,) = rows_of(tmp_path, split)
    assert (row["extra_info"]["split"], row["data_source"]) == (split, "mine")
    assert row["prompt"][0]["content"].startswith(split)
    assert not (tmp_path / "out/train.parquet").exists()


def test_rows_are_held_out_for_validation_and_no_problem_is_in_both_files(tmp_path, capsys):
    records = [other(f"problem  {number % 20}" if number < 20 else f"problem {number % 20}") for number in range(40)]
    train = convert(tmp_path, records, "--keep-duplicates", "--validation-size", "10")
    validation = rows_of(tmp_path, "validation")
    assert (len(train), len(validation)) == (30, 10)
    folded = [{" ".join(text.split()) for text in texts(rows)} for rows in (train, validation)]
    assert not folded[0] & folded[1]
    assert {row["extra_info"]["split"] for row in validation} == {"validation"}
    assert [row["extra_info"]["index"] for row in validation] == list(range(10))
    assert table_row(capsys.readouterr().out, "dropped: held out for validation")[0] == "10"
    assert "`validation.parquet`" in (tmp_path / "out/README.md").read_text()


def test_the_ground_truth_has_one_type_in_both_files(tmp_path):
    records = [other(str(number), answer=["2", "two"] if number == 7 else "2") for number in range(10)]
    train = convert(tmp_path, records, "--validation-size", "3")
    types = {type(row["reward_model"]["ground_truth"]) for row in train + rows_of(tmp_path, "validation")}
    assert types == {list}


def test_every_answer_is_a_list_on_request(tmp_path):
    assert convert(tmp_path, [RECORD], "--list-answers")[0]["reward_model"]["ground_truth"] == ["2"]


def test_problems_of_excluded_files_are_dropped_however_they_are_written_there(tmp_path, capsys):
    rows = [
        build_row(
            data_source="x", problem=f"In\u00a0rows? {BOX_INSTRUCTION}", answer="2", solution="", index=0, split="test"
        )
    ]
    write_parquet(rows, tmp_path / "rows.parquet")
    (tmp_path / "lines.jsonl").write_text(json.dumps({"question": "Ｉn  lines?"}) + "\n")
    records = [RECORD, other("In rows?"), other("In lines?")]
    kept = convert(tmp_path, records, "--exclude", tmp_path / "rows.parquet", tmp_path / "lines.jsonl")
    assert texts(kept) == ["What is $1+1$?"]
    assert table_row(capsys.readouterr().out, "dropped: in an excluded file") == ["2", "2, 3"]


def test_bad_rows_are_left_out_on_request_and_counted_by_reason(tmp_path, capsys):
    records = [RECORD, other("x", answer=None), other("<image> y"), other("z", answer="proof"), other("", answer="1")]
    assert texts(convert(tmp_path, records, "--skip-bad-rows")) == ["What is $1+1$?"]
    output = capsys.readouterr().out
    assert table_row(output, "dropped: no answer") == ["1", "2"]
    assert table_row(output, "dropped: image") == ["1", "3"]
    assert table_row(output, "dropped: no problem") == ["1", "5"]
    assert table_row(output, "dropped: placeholder as answer") == ["1", "4"]
    assert output.count("dropped: ") == 4 + 2  # and duplicates, and contradictions


def test_dropping_what_is_not_verified_drops_answers_that_are_none_and_prose_too(tmp_path, capsys):
    prose = "He sold 24 clips in May, so that it is 72 in all"
    records = [RECORD, other("x", answer="proof"), other("y", answer=prose, solution=""), other("z", solution="None.")]
    assert texts(convert(tmp_path, records, "--drop-unverified")) == ["What is $1+1$?"]
    output = capsys.readouterr().out
    assert table_row(output, "dropped: placeholder as answer") == ["1", "2"]
    assert table_row(output, "dropped: prose as answer") == ["1", "3"]
    assert table_row(output, "dropped: solution not accepted") == ["1", "4"]


def test_duplicates_and_contradictions_are_dropped_and_counted(tmp_path, capsys):
    records = [RECORD, other("x"), RECORD, other("y"), other("y", answer="3"), other("x", answer="2.0")]
    rows = convert(tmp_path, records)
    assert texts(rows) == ["What is $1+1$?", "x"]
    assert [row["extra_info"]["index"] for row in rows] == [0, 1]
    output = capsys.readouterr().out
    assert table_row(output, "in") == ["6", ""]
    assert table_row(output, "dropped: duplicate") == ["2", "3, 6"]
    assert table_row(output, "dropped: same problem, different answers") == ["2", "4, 5"]
    assert table_row(output, "out") == ["2", ""]


def test_every_row_is_kept_on_request(tmp_path):
    assert len(convert(tmp_path, [RECORD, RECORD, other("What is $1+1$?", answer="3")], "--keep-duplicates")) == 3


def test_several_accepted_answers_make_all_ground_truths_lists(tmp_path):
    rows = convert(tmp_path, [RECORD, other("x", answer=["2", "two"])])
    assert [row["reward_model"]["ground_truth"] for row in rows] == [["2"], ["2", "two"]]


def test_one_answer_in_a_list_is_a_text_like_the_others(tmp_path):
    rows = convert(tmp_path, [RECORD, other("x", answer=[2.0])])
    assert [row["reward_model"]["ground_truth"] for row in rows] == ["2", "2"]


def test_files_with_and_without_rates_have_the_same_columns_so_that_verl_reads_them_together(tmp_path):
    without = {"problem": "x", "answer": "2"}
    assert [row["extra_info"]["correctness_rate"] for row in convert(tmp_path, [RECORD, without])] == [0.125, None]
    schema = pyarrow.parquet.read_schema(tmp_path / "out/train.parquet")
    assert convert(tmp_path, [without])[0]["extra_info"]["correctness_rate"] is None
    assert pyarrow.parquet.read_schema(tmp_path / "out/train.parquet") == schema


UNVERIFIED = [RECORD, other("x", solution=r"\boxed{3}"), other("y", solution=""), other("z", answer="}{")]


@pytest.mark.slow
def test_references_that_the_verifier_does_not_accept_are_reported(tmp_path, capsys):
    assert len(convert(tmp_path, UNVERIFIED)) == 4
    output = capsys.readouterr().out
    assert table_row(output, "answer not accepted") == ["4", "1", "4"]
    assert table_row(output, "solution not accepted") == ["3", "2", "2, 4"]
    assert table_row(output, "any of these") == ["4", "2", "2, 4"]


@pytest.mark.slow
def test_references_that_the_verifier_does_not_accept_are_dropped_on_request(tmp_path, capsys):
    assert texts(convert(tmp_path, UNVERIFIED, "--drop-unverified")) == ["What is $1+1$?", "y"]
    output = capsys.readouterr().out
    assert table_row(output, "dropped: answer not accepted") == ["1", "4"]
    assert table_row(output, "dropped: solution not accepted") == ["1", "2"]


def test_without_verification_nothing_is_said_of_it(tmp_path, capsys):
    assert len(convert(tmp_path, UNVERIFIED, "--no-verification")) == 4
    assert "not accepted" not in capsys.readouterr().out


def test_the_random_subset_has_its_size_and_depends_on_the_seed(tmp_path):
    records = [other(f"problem {number}") for number in range(50)]
    drawn = {
        seed: texts(convert(tmp_path, records, "--subset", "random", "--size", "10", "--seed", seed)) for seed in "01"
    }
    assert [len(drawn[seed]) for seed in "01"] == [10, 10]
    assert drawn["0"] != drawn["1"]


def test_the_hard_subset_goes_by_the_rate_and_can_be_drawn_from(tmp_path, capsys):
    records = [other(str(number), correctness_rate=number / 8) for number in range(9)]
    assert texts(convert(tmp_path, records, "--subset", "hard")) == ["0", "1"]
    assert texts(convert(tmp_path, records, "--subset", "hard", "--max-correctness-rate", "0.5")) == list("01234")
    capsys.readouterr()
    assert len(convert(tmp_path, records, "--subset", "hard", "--size", "1")) == 1
    output = capsys.readouterr().out
    assert table_row(output, "dropped: not hard")[0] == "7"
    assert table_row(output, "dropped: not drawn")[0] == "1"


def test_a_subset_is_drawn_from_what_the_verifier_accepts(tmp_path):
    records = [other(str(number), solution=rf"\boxed{{{number % 2 + 1}}}") for number in range(20)]
    rows = convert(tmp_path, records, "--drop-unverified", "--subset", "random", "--size", "10")
    assert texts(rows) == [str(number) for number in range(1, 20, 2)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    train_tokenizer(["What is 12+5?"], vocab_size=280, max_length=8).save_pretrained(folder)
    return str(folder)


def test_long_prompts_are_counted_and_dropped_only_on_request(tmp_path, capsys, tokenizer):
    records = [RECORD, other("1" * 100)]
    limit = ["--tokenizer", tokenizer, "--max-prompt-tokens", "60"]
    assert len(convert(tmp_path, records, *limit)) == 2
    output = capsys.readouterr().out
    assert "Prompts over 60 tokens: 1 of 2, kept." in output
    assert int(table_row(output, "prompt")[-1]) > 100  # The longest.
    assert texts(convert(tmp_path, records, *limit, "--drop-long-prompts")) == ["What is $1+1$?"]
    output = capsys.readouterr().out
    assert table_row(output, "dropped: prompt over 60 tokens") == ["1", "2"]
    assert int(table_row(output, "prompt")[-1]) <= 60


def test_the_instruction_counts_as_part_of_the_prompt(tmp_path, tokenizer):
    limit = ["--tokenizer", tokenizer, "--max-prompt-tokens", "60", "--drop-long-prompts"]
    with pytest.raises(SystemExit):
        convert(tmp_path, [RECORD], *limit, "--instruction", "1" * 60)


def test_the_card_repeats_the_summary_and_names_no_folder(tmp_path, capsys, tokenizer):
    convert(tmp_path, [RECORD, RECORD], "--tokenizer", tokenizer)
    card = (tmp_path / "out" / "README.md").read_text()
    summary = capsys.readouterr().out.split("\n\n", 1)[1]
    assert card.endswith(summary)
    assert "| `--input` " in card
    assert "| `--seed`  " in card
    assert "--keep-duplicates" not in card
    assert str(tmp_path) not in card
    assert str(tokenizer) not in card


def test_a_second_run_gives_the_same_bytes(tmp_path):
    records = [other(str(number)) for number in range(30)]
    contents = []
    for _ in range(2):
        convert(tmp_path, records, "--subset", "random", "--size", "7")
        contents.append([(tmp_path / "out" / name).read_bytes() for name in ("train.parquet", "README.md")])
    assert contents[0] == contents[1]

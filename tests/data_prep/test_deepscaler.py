"""The command that converts DeepScaleR: which rows come out, what is reported, and what stops it."""

import json

import pyarrow.parquet
import pytest

from data_prep.deepscaler import main
from recipe.edge_grpo.quickstart.tiny_policy.architecture import train_tokenizer

RECORD = {"problem": "What is $1+1$?", "answer": "2", "correctness_rate": 0.125, "solution": r"It is \boxed{2}."}


def other(text, **changes):
    return {**RECORD, "problem": text, **changes}


def convert(tmp_path, records, *arguments):
    source = tmp_path / "in.json"
    source.write_text(json.dumps(records))
    main(["--input", str(source), "--output-dir", str(tmp_path / "out"), *arguments])
    return pyarrow.parquet.read_table(tmp_path / "out" / "train.parquet").to_pylist()


def texts(rows):
    return [row["prompt"][0]["content"] for row in rows]


def table_row(output, name):
    line = next(line for line in output.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


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


def test_rates_are_left_out_where_there_are_none_at_all(tmp_path):
    without = {"problem": "x", "answer": "2"}
    assert "correctness_rate" not in convert(tmp_path, [without])[0]["extra_info"]
    assert [row["extra_info"]["correctness_rate"] for row in convert(tmp_path, [RECORD, without])] == [0.125, None]


UNVERIFIED = [RECORD, other("x", solution=r"\boxed{3}"), other("y", solution=""), other("z", answer="}{")]


def test_references_that_the_verifier_does_not_accept_are_reported(tmp_path, capsys):
    assert len(convert(tmp_path, UNVERIFIED)) == 4
    output = capsys.readouterr().out
    assert table_row(output, "answer not accepted") == ["4", "1", "4"]
    assert table_row(output, "solution not accepted") == ["3", "2", "2, 4"]


def test_references_that_the_verifier_does_not_accept_are_dropped_on_request(tmp_path, capsys):
    assert texts(convert(tmp_path, UNVERIFIED, "--drop-unverified")) == ["What is $1+1$?", "y"]
    output = capsys.readouterr().out
    assert table_row(output, "dropped: answer not accepted") == ["1", "4"]
    assert table_row(output, "dropped: solution not accepted") == ["1", "2"]


def test_without_verification_nothing_is_said_of_it(tmp_path, capsys):
    assert len(convert(tmp_path, UNVERIFIED, "--no-verification")) == 4
    assert "answer not accepted" not in capsys.readouterr().out


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

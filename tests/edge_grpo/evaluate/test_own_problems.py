"""Reading the problems of an evaluation from files of one's own, through the presets of data_prep."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from data_prep.presets.instructions import BOX_INSTRUCTION
from data_prep.writing.rows import build_row
from recipe.edge_grpo.evaluate.benchmarks import RowReading, read_benchmarks

GSM8K = [{"question": f"{number}+1?", "answer": f"We add.\n#### {number + 1}"} for number in range(3)]


def json_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def parquet(path, rows):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def comma_separated(path, rows):
    lines = [",".join(rows[0]), *(",".join(f'"{value}"' for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("write", "name"), [(json_lines, "x.jsonl"), (parquet, "x.parquet"), (comma_separated, "x.csv")]
)
def test_problems_of_a_preset_are_those_that_prepare_would_make_of_them(tmp_path, write, name):
    problems = read_benchmarks([write(tmp_path / name, GSM8K)], reading=RowReading("gsm8k"))
    assert [(each.benchmark, each.index, each.answers) for each in problems] == [
        ("gsm8k", 0, ("1",)), ("gsm8k", 1, ("2",)), ("gsm8k", 2, ("3",)),
    ]  # fmt: skip
    assert problems[0].messages == [{"role": "user", "content": f"0+1? {BOX_INSTRUCTION}"}]
    assert problems[2].place == f"{tmp_path / name}, row 3"


def test_columns_problem_and_answer_need_no_preset_and_are_named_for_the_file(tmp_path):
    file = json_lines(tmp_path / "olympiad.jsonl", [{"problem": "1+1?", "answer": ["2", "two"]}])
    (problem,) = read_benchmarks([file])
    assert (problem.benchmark, problem.index, problem.answers) == ("olympiad", 0, ("2", "two"))


def test_an_instruction_takes_the_place_of_the_presets_and_an_empty_one_is_none(tmp_path):
    file = json_lines(tmp_path / "own.jsonl", [{"problem": "1+1?", "answer": 2}])
    for instruction, content in (("Box it.", "1+1? Box it."), ("", "1+1?")):
        (problem,) = read_benchmarks([file], reading=RowReading(instruction=instruction))
        assert problem.messages == [{"role": "user", "content": content}]


def test_own_problems_stand_beside_rows_of_verl_which_a_preset_leaves_alone(tmp_path):
    row = build_row(data_source="amc", problem="2+2?", answer="4", solution="", index=5, split="test")
    files = [parquet(tmp_path / "amc.parquet", [row]), json_lines(tmp_path / "own.jsonl", GSM8K)]
    problems = read_benchmarks(files, reading=RowReading("gsm8k", "Box it."))
    assert [(each.benchmark, each.index) for each in problems][:2] == [("amc", 5), ("gsm8k", 0)]
    assert problems[0].messages == [{"role": "user", "content": "2+2?"}]


def test_rows_that_look_like_verls_are_read_by_a_preset_that_finds_its_columns_there(tmp_path):
    row = {
        "prompt": [{"role": "user", "content": "1+1?"}],
        "reward_model": {"ground_truth": '["2"]'},
        "data_source": "x",
    }
    (problem,) = read_benchmarks([json_lines(tmp_path / "a.jsonl", [row])], reading=RowReading("skywork"))
    assert (problem.benchmark, problem.answers) == ("skywork", ("2",))


def test_a_limit_holds_for_own_files(tmp_path):
    assert len(read_benchmarks([json_lines(tmp_path / "own.jsonl", GSM8K)], 2, RowReading("gsm8k"))) == 2


def test_two_files_of_one_preset_have_results_of_their_own(tmp_path):
    files = [json_lines(tmp_path / f"{name}.jsonl", GSM8K) for name in ("easy", "hard")]
    names = {each.benchmark: None for each in read_benchmarks(files, reading=RowReading("gsm8k"))}
    assert list(names) == ["gsm8k (easy)", "gsm8k (hard)"]


def test_system_messages_are_left_out_as_prepare_does_and_counted(tmp_path, capsys):
    chat = [
        {"role": "system", "content": "Think."},
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": r"\boxed{2}"},
    ]
    file = json_lines(tmp_path / "chats.jsonl", [{"messages": chat}])
    (problem,) = read_benchmarks([file], reading=RowReading("messages", ""))
    assert problem.messages == [{"role": "user", "content": "1+1?"}]
    assert "chats.jsonl: 1 system messages left out, as data_prep.prepare does" in capsys.readouterr().err


def test_rows_without_a_usable_answer_are_all_named_with_file_row_and_reason(tmp_path):
    good = {"problem": "1+1?", "answer": "2"}
    bad = [{"problem": "Prove it.", "answer": answer} for answer in ("proof", "", None, "n/a")]
    files = [json_lines(tmp_path / "a.jsonl", [good, *bad]), json_lines(tmp_path / "b.jsonl", [{"answer": "2"}, good])]
    with pytest.raises(ValueError) as refused:
        read_benchmarks(files)
    first, *faults = str(refused.value).splitlines()
    assert first == "5 rows cannot be evaluated; mend them, or leave them out of the file:"
    assert [fault.strip().partition(": ")[0] for fault in faults] == [
        f"{tmp_path}/a.jsonl, row 2", f"{tmp_path}/a.jsonl, row 3", f"{tmp_path}/a.jsonl, row 4",
        f"{tmp_path}/a.jsonl, row 5", f"{tmp_path}/b.jsonl, row 1",
    ]  # fmt: skip
    assert "answer is no final answer (placeholder as answer): 'proof'" in faults[0]
    assert faults[1].endswith("answer is missing or empty")
    assert faults[4].endswith("problem is missing or empty")


def test_of_many_bad_rows_ten_are_named_and_all_counted(tmp_path):
    file = json_lines(tmp_path / "a.jsonl", [{"problem": "1+1?", "answer": None}] * 1012)
    with pytest.raises(ValueError, match=r"1,012 rows cannot be evaluated(?s:.*)row 10: no answer\n  and 1,002 more$"):
        read_benchmarks([file])


def test_columns_that_a_preset_would_read_are_refused_with_its_name(tmp_path):
    with pytest.raises(ValueError, match="no column 'problem'; it has: question, answer; --preset gsm8k reads these"):
        read_benchmarks([json_lines(tmp_path / "a.jsonl", GSM8K)])


@pytest.mark.parametrize("reading", [RowReading(preset="gsm8k"), RowReading(instruction="Box it.")])
def test_a_preset_or_an_instruction_that_no_file_needs_is_refused(tmp_path, reading):
    row = build_row(data_source="amc", problem="2+2?", answer="4", solution="", index=5, split="test")
    with pytest.raises(ValueError, match="--(preset|instruction) is for rows that are none of verl"):
        read_benchmarks([parquet(tmp_path / "amc.parquet", [row])], reading=reading)

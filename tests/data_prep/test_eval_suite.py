"""The command that converts the evaluation suite."""

import datasets
import pyarrow.parquet
import pytest

from data_prep.eval_suite import BENCHMARKS, main

RECORDS = {
    "aime": {"problem": "a", "answer": "025", "difficulty": 4.0},
    "amc": {"problem": "b", "answer": 142.0, "difficulty": 2.0},
    "math": {"problem": "c", "answer": "p - q", "difficulty": 5.0},
    "minerva": {"problem": "d", "answer": ["0.01\n", "0.02\n"]},
    "olympiad_bench": {"problem": "e", "answer": ["$69$,$84$"]},
}


def save(folder, records_by_split=RECORDS):
    splits = {name: datasets.Dataset.from_list([record]) for name, record in records_by_split.items()}
    datasets.DatasetDict(splits).save_to_disk(folder)


def convert(tmp_path, *arguments):
    main(["--input", str(tmp_path / "suite"), "--output-dir", str(tmp_path / "out"), *arguments])
    return {name: pyarrow.parquet.read_table(tmp_path / "out" / f"{name}.parquet").to_pylist() for name in BENCHMARKS}


def test_every_benchmark_becomes_a_file_with_its_own_data_source(tmp_path):
    save(tmp_path / "suite")
    rows = convert(tmp_path)
    assert {name: [row["data_source"] for row in rows[name]] for name in rows} == {name: [name] for name in BENCHMARKS}
    assert rows["aime24"] == [
        {
            "data_source": "aime24",
            "prompt": [{"role": "user", "content": "a"}],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": ["025"]},
            "extra_info": {"index": 0, "solution": "", "split": "test"},
        }
    ]


def test_floats_texts_and_lists_all_become_lists_of_texts(tmp_path):
    save(tmp_path / "suite")
    answers = {name: rows[0]["reward_model"]["ground_truth"] for name, rows in convert(tmp_path).items()}
    assert answers == {
        "aime24": ["025"],
        "amc": ["142"],
        "math500": ["p - q"],
        "minerva": ["0.01", "0.02"],
        "olympiad_bench": ["$69$,$84$"],
    }


def test_all_files_have_one_schema(tmp_path):
    save(tmp_path / "suite")
    convert(tmp_path)
    schemas = [pyarrow.parquet.read_schema(tmp_path / "out" / f"{name}.parquet") for name in BENCHMARKS]
    assert all(schema == schemas[0] for schema in schemas)


def test_an_instruction_follows_the_problem(tmp_path):
    save(tmp_path / "suite")
    assert convert(tmp_path, "--instruction", "Think.")["amc"][0]["prompt"][0]["content"] == "b Think."


def test_a_second_run_gives_the_same_bytes(tmp_path):
    save(tmp_path / "suite")
    contents = []
    for _ in range(2):
        convert(tmp_path)
        contents.append({file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()})
    assert contents[0] == contents[1]
    assert sorted(contents[0]) == sorted(["README.md", *(f"{name}.parquet" for name in BENCHMARKS)])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"minerva": None}, "suite: no split 'minerva'; it has: aime, amc, math, olympiad_bench"),
        ({"aime": None}, "suite: no split 'aime24' or 'aime'"),
        ({"amc": {"problem": "b", "answer": None}}, "suite, amc, row 1: answer is missing or empty"),
        ({"amc": {"question": "b", "answer": 1.0}}, "suite, amc: no column 'problem'; it has: question, answer"),
    ],
)
def test_a_bad_suite_is_named_with_benchmark_and_row_and_writes_nothing(tmp_path, capsys, changes, named):
    save(tmp_path / "suite", {name: record for name, record in {**RECORDS, **changes}.items() if record is not None})
    with pytest.raises(SystemExit) as caught:
        convert(tmp_path)
    assert caught.value.code == 2
    assert named in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*"))

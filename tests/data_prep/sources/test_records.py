"""Records come out the same whatever file they are in, and what cannot be read is named with its place."""

import csv
import json

import pyarrow
import pyarrow.parquet
import pytest

from data_prep.sources.records import read_records

RECORDS = [
    {"problem": "What is $1+1$?", "answer": "2"},
    {"problem": 'Two\nlines, "quoted"; π ≤ 四', "answer": "\\frac{1}{2}"},
]


def write_json(path):
    path.write_text(json.dumps(RECORDS))


def write_json_lines(path):
    path.write_text("\n\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS) + "\n", encoding="utf-8")


def write_csv(path):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, RECORDS[0])
        writer.writeheader()
        writer.writerows(RECORDS)


def write_parquet(path):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(RECORDS), path)


WRITERS = {"a.json": write_json, "a.jsonl": write_json_lines, "a.csv": write_csv, "a.parquet": write_parquet}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_records(tmp_path, name):
    WRITERS[name](tmp_path / name)
    assert list(read_records(str(tmp_path / name))) == RECORDS


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
def test_a_byte_order_mark_is_no_part_of_the_data(tmp_path, name):
    WRITERS[name](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content)
    assert list(read_records(str(tmp_path / name))) == RECORDS


def test_a_field_of_megabytes_is_read_from_csv(tmp_path):
    (tmp_path / "a.csv").write_text(f"problem\n{'x' * 3_000_000}\n")
    assert [len(record["problem"]) for record in read_records(str(tmp_path / "a.csv"))] == [3_000_000]


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("a.json", b'[\n{"problem": "x",\n"answer" 2}\n]', "a.json, line 3: "),
        ("a.json", b'[\n{"problem": "\xff"}]', "a.json, line 2: not UTF-8"),
        ("a.json", b'{"problem": "x"}', "a.json: expected a list of objects, got dict"),
        ("a.json", b'[{"problem": "x"}, "text"]', "a.json, row 2: expected an object, got str"),
        ("a.json", b"[" * 100_000, "a.json, from line 1: "),
        ("a.json", b'[{"answer": ' + b"1" * 5000 + b"}]", "a.json, from line 1: "),
        ("a.json", b"", "a.json, line 1: "),
        ("a.jsonl", b'{"problem": "x"}\n\n{"problem": "x"\n', "a.jsonl, line 3: "),
        ("a.jsonl", b'{"problem": "x"}\n{"problem": "\xff"}\n', "a.jsonl, line 2: not UTF-8"),
        ("a.jsonl", b'{"problem": "x"}\n[1]\n', "a.jsonl, row 2: expected an object, got list"),
        ("a.csv", b"problem,answer\nx,1\ny,1,2\n", "a.csv, line 3: more fields than the header has"),
        ("a.csv", b'problem,answer\nx,"1\n', "a.csv, line 2: "),
        ("a.csv", b"problem,answer\nx,\xff\n", "not UTF-8"),
        ("a.parquet", b"no parquet at all", "a.parquet: "),
        ("a.xlsx", b"", "a.xlsx: unknown kind of file; expected .json, .jsonl, .csv, .parquet"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path, name, content, named):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError) as caught:
        list(read_records(str(tmp_path / name)))
    assert named in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_parquet_file_cut_short_is_named(tmp_path):
    write_parquet(tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="a.parquet: "):
        list(read_records(str(tmp_path / "a.parquet")))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OSError, match="absent.json"):
        list(read_records(str(tmp_path / "absent.json")))

"""Records come out the same whatever file they are in, and what cannot be read is named with its place."""

import csv
import gzip
import json
import os
from datetime import datetime

import pyarrow
import pyarrow.parquet
import pytest

from data_prep.sources.records import LocatedRecord, read_located, read_records

RECORDS = [
    {"problem": "What is $1+1$?", "answer": "2"},
    {"problem": 'Two\nlines, "quoted"; π ≤ 四', "answer": "\\frac{1}{2}"},
]
LINES = "\n\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS) + "\n"


def delimited(delimiter, newline="\n"):
    lines = []
    writer = csv.writer(type("Lines", (), {"write": lines.append}), delimiter=delimiter, lineterminator=newline)
    writer.writerows([RECORDS[0], *(record.values() for record in RECORDS)])
    return "".join(lines).encode()


def arrow(new_writer, records=None):
    table = pyarrow.Table.from_pylist(records or RECORDS)
    sink = pyarrow.BufferOutputStream()
    with new_writer(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def parquet(table):
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


PARQUET = parquet(pyarrow.Table.from_pylist(RECORDS))
CONTENTS = {
    "list.json": json.dumps(RECORDS).encode(),
    "spread.json": b"\n" + json.dumps(RECORDS, indent=2).encode(),
    "data.json": json.dumps({"version": 1, "data": RECORDS}).encode(),
    "lines.json": LINES.encode(),
    "a.jsonl": LINES.encode(),
    "windows.jsonl": LINES.replace("\n", "\r\n").encode(),
    "A.NDJSON": LINES.encode(),
    "a.csv": delimited(","),
    "a.tsv": delimited("\t"),
    "a.parquet": PARQUET,
    "file.arrow": arrow(pyarrow.ipc.new_file),
    "stream.arrow": arrow(pyarrow.ipc.new_stream),
}
TEXTS = [name for name in CONTENTS if not name.endswith(("parquet", "arrow"))]


def read(path, **options):
    return [located.record for located in read_located([str(path)], **options)]


@pytest.mark.parametrize("name", CONTENTS)
def test_every_kind_of_file_gives_the_same_records(tmp_path, name):
    (tmp_path / name).write_bytes(CONTENTS[name])
    assert read(tmp_path / name) == RECORDS
    assert list(read_records(str(tmp_path / name))) == RECORDS


@pytest.mark.parametrize("name", TEXTS)
def test_every_kind_of_text_may_be_packed_by_gzip(tmp_path, name):
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(CONTENTS[name]))
    assert read(tmp_path / f"{name}.gz") == RECORDS


def test_a_row_has_its_file_and_its_number_without_the_blank_lines(tmp_path):
    for name in ("a.jsonl", "b.csv"):
        (tmp_path / name).write_bytes(CONTENTS["a" + name[1:]])
    inputs = [str(tmp_path / "b.csv"), str(tmp_path / "a.jsonl")]
    assert list(read_located(inputs)) == [
        LocatedRecord(record, source, row) for source in inputs for row, record in enumerate(RECORDS, start=1)
    ]


def test_a_row_that_is_a_list_has_the_keys_that_the_viewer_of_the_hub_gives_it(tmp_path):
    chat = [{"from": "human", "value": "1+1?"}, {"from": "assistant", "ground_truth": {"value": "2"}}]
    (tmp_path / "orz.json").write_text(json.dumps([chat, chat]))
    assert read(tmp_path / "orz.json") == [{"0": chat[0], "1": chat[1]}] * 2


def test_odd_values_of_json_are_kept_for_a_later_check(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": NaN, "b": -Infinity, "c": "\\ud800", "d": {"e": [1, "x", null]}}')
    (record,) = read(tmp_path / "a.jsonl")
    assert record["a"] != record["a"]
    assert {**record, "a": 0} == {"a": 0, "b": float("-inf"), "c": "\ud800", "d": {"e": [1, "x", None]}}


def test_nested_columns_and_dates_of_parquet_are_kept(tmp_path):
    rows = [{"a": [{"b": [1, 2]}, None], "c": datetime(2024, 5, 1)}] * 2000
    (tmp_path / "a.parquet").write_bytes(parquet(pyarrow.Table.from_pylist(rows)))
    assert read(tmp_path / "a.parquet") == rows


def test_a_field_of_megabytes_is_read_from_csv(tmp_path):
    (tmp_path / "a.csv").write_text(f"problem\n{'x' * 3_000_000}\n")
    assert [len(record["problem"]) for record in read(tmp_path / "a.csv")] == [3_000_000]


def test_lines_are_read_only_as_far_as_they_are_needed(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n' * 200_000 + b"\xff is in no text\n")
    assert next(read_located([str(tmp_path / "a.jsonl")])).record == {"a": 1}
    with pytest.raises(ValueError, match="line 200001"):
        list(read_located([str(tmp_path / "a.jsonl")]))


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("a.json", b'[\n{"problem": "x",\n"answer" 2}\n]', "a.json, line 3: "),
        ("a.json", b'[\n{"problem": "x"},\n', "a.json, line 2: "),
        ("a.json", b'{"problem": 1}\n{"problem": 2}\n{"problem"}\n', "a.json, line 3: "),
        ("a.json", b'{"problem": "x"}', "a.json: expected a list of objects, or an object with a list called data, "),
        ("a.json", b'{"data": "x"}', "got an object with data"),
        ("a.json", json.dumps(dict.fromkeys(range(999))).encode(), "got an object with 0, 1, 2, 3, 4"),
        ("a.json", b"5", "got int"),
        ("a.json", b'[{"problem": "x"}, "text"]', "a.json, row 2: expected an object, got str"),
        ("a.json", b"[" * 100_000, "a.json, from line 1: "),
        ("a.json", b'[{"answer": ' + b"1" * 5000 + b"}]", "a.json, from line 1: "),
        ("a.jsonl", b'{"problem": "x"}\n\n{"problem": "x"\n', "a.jsonl, line 3: "),
        ("a.jsonl", b'{"problem": "x"}\n1\n', "a.jsonl, row 2: expected an object, got int"),
        ("a.csv", b"problem,answer\nx,1\n\ny,1,2\n", "a.csv, line 4: the header has 2 fields, this row 3"),
        ("a.csv", b'problem,answer\n"x\ny",1\nz\n', "a.csv, line 4: the header has 2 fields, this row 1"),
        ("a.tsv", b"problem\tanswer\nx 1\n", "a.tsv, line 2: the header has 2 fields, this row 1"),
        ("a.csv", b"\nproblem,answer,problem\nx,1,2\n", "a.csv, line 2: two columns are called 'problem'"),
        ("a.csv", b'problem,answer\nx,"1\n\n', "a.csv, line 2: "),
        ("a.parquet", b"no parquet at all", "a.parquet: damaged, or not what its name says: "),
        ("a.parquet", PARQUET[: len(PARQUET) // 2], "a.parquet: damaged"),
        ("a.arrow", b"no arrow at all", "a.arrow: damaged"),
        ("a.arrow", CONTENTS["file.arrow"][:-20], "a.arrow: damaged"),
        ("a.arrow", CONTENTS["stream.arrow"][: len(CONTENTS["stream.arrow"]) // 2], "a.arrow: damaged"),
        ("a.jsonl.gz", b'{"problem": "x"}', "a.jsonl.gz: damaged"),
        ("a.xlsx", b"", "a.xlsx: unknown kind of file; expected .json, .jsonl, .ndjson, .csv, .tsv, .parquet, .arrow,"),
        ("a.parquet.gz", gzip.compress(PARQUET), "a.parquet.gz: unknown kind of file"),
        ("a", b"", "a: unknown kind of file"),
        ("a.json", b"", "a.json: no rows"),
        ("a.json", b" \n\n", "a.json: no rows"),
        ("a.json", b"[]", "a.json: no rows"),
        ("a.jsonl", b"\n", "a.jsonl: no rows"),
        ("a.jsonl.gz", b"", "a.jsonl.gz: no rows"),
        ("a.csv", b"", "a.csv: no rows"),
        ("a.csv", b"problem,answer\n", "a.csv: no rows"),
        ("a.parquet", parquet(pyarrow.table({"a": pyarrow.array([], "string")})), "a.parquet: no rows"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path, name, content, named):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError) as caught:
        read(tmp_path / name)
    assert f"{tmp_path}/{name}" in str(caught.value)
    assert named in str(caught.value)
    assert len(str(caught.value)) < 330


def test_a_gzip_file_cut_short_is_named_with_the_last_row_that_was_read(tmp_path):
    packed = gzip.compress(b"".join(b'{"a": "%s"}\n' % os.urandom(40).hex().encode() for _ in range(2000)))
    (tmp_path / "a.jsonl.gz").write_bytes(packed[:-5000])
    with pytest.raises(ValueError, match=r"a.jsonl.gz, after row 1\d\d\d: damaged"):
        read(tmp_path / "a.jsonl.gz")


def test_a_page_of_parquet_that_is_damaged_is_named_with_the_last_row_that_was_read(tmp_path):
    rows = pyarrow.table({"a": [os.urandom(40).hex() for _ in range(4096)]})
    pyarrow.parquet.write_table(rows, tmp_path / "a.parquet", row_group_size=1024)
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    for position in range(len(content) // 2, len(content) // 2 + 5000):
        content[position] ^= 0xFF
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"a.parquet, after row \d+: damaged"):
        read(tmp_path / "a.parquet")


def test_a_wrong_offset_in_arrow_is_refused_and_not_followed(tmp_path):
    content = arrow(pyarrow.ipc.new_stream, [{"a": "first"}, {"a": "second"}])
    offsets = b"".join(number.to_bytes(4, "little") for number in (0, 5, 11))
    assert content.count(offsets) == 1
    (tmp_path / "a.arrow").write_bytes(content.replace(offsets, offsets[:8] + (10**6).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="a.arrow: damaged"):
        read(tmp_path / "a.arrow")


@pytest.mark.parametrize("new_writer", [pyarrow.ipc.new_file, pyarrow.ipc.new_stream, None])
def test_two_columns_of_one_name_hide_nothing(tmp_path, new_writer):
    table = pyarrow.table([["x"], ["y"]], names=["a", "a"])
    path = tmp_path / ("a.arrow" if new_writer else "a.parquet")
    if new_writer:
        with new_writer(str(path), table.schema) as writer:
            writer.write_table(table)
    else:
        path.write_bytes(parquet(table))
    with pytest.raises(ValueError, match=f"{path.name}: two columns are called 'a'"):
        read(path)


def test_a_text_in_parquet_that_is_no_utf_8_is_named(tmp_path):
    texts = pyarrow.array([b"x", b"\xff"]).view("string")
    (tmp_path / "a.parquet").write_bytes(parquet(pyarrow.table({"a": texts})))
    with pytest.raises(ValueError, match="a.parquet: damaged.*utf-8"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet", "a.arrow"])
def test_a_file_without_permission_is_named(public_folder, as_nobody, name):
    (public_folder / name).touch(mode=0)
    with as_nobody(), pytest.raises(OSError, match=f"Permission denied.*{name}"):
        read(public_folder / name)

"""A text is decoded as asked for, and one that cannot be is named with its line and with what to set."""

import codecs
import gzip

import pytest

from data_prep.sources.records import read_located

TEXTS = {
    "a.json": '[{"problem": "π ≤ 4"},\n {"problem": "é"}]',
    "a.jsonl": '{"problem": "π ≤ 4"}\n{"problem": "é"}\n',
    "a.csv": "problem\nπ ≤ 4\né\n",
    "a.tsv": "problem\nπ ≤ 4\né\n",
}
RECORDS = [{"problem": "π ≤ 4"}, {"problem": "é"}]


def read(path, **options):
    return [located.record for located in read_located([str(path)], **options)]


def write(path, content):
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "UTF16", "utf-16-be", "utf-16-le", "utf-32", "gb18030"])
@pytest.mark.parametrize("name", [*TEXTS, "a.jsonl.gz", "a.csv.gz"])
def test_every_kind_of_text_is_read_in_the_encoding_asked_for(tmp_path, name, encoding):
    path = write(tmp_path / name, TEXTS[name.removesuffix(".gz")].encode(encoding))
    assert read(path, encoding=encoding) == RECORDS


@pytest.mark.parametrize("name", TEXTS)
def test_a_byte_order_mark_is_no_part_of_the_data(tmp_path, name):
    assert read(write(tmp_path / name, codecs.BOM_UTF8 + TEXTS[name].encode())) == RECORDS
    for encoding, mark in {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.items():
        path = write(tmp_path / name, mark + TEXTS[name].encode(encoding))
        assert read(path, encoding=encoding) == read(path, encoding="utf-16") == RECORDS


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.json", b'[\n{"problem": "\xff"}]', 2),
        ("a.jsonl", b'{"a": 1}\n' * 50_000 + b'{"a": "\xe9"}\n', 50_001),
        ("a.jsonl.gz", b'{"a": 1}\n{"a": "\xff"}\n', 2),
        ("a.csv", b'problem\n"two\nlines"\n\xff\n', 4),
        ("a.csv", b"problem\nx\n\xc3", 3),
    ],
)
def test_the_line_that_is_no_utf_8_is_named(tmp_path, name, content, line):
    with pytest.raises(ValueError) as caught:
        read(write(tmp_path / name, content))
    message = f"line {line}: cannot be read as utf-8; set --encoding, such as latin-1 or utf-16"
    assert str(caught.value) == f"{tmp_path}/{name}, {message}"


def test_a_latin_1_file_is_read_once_its_encoding_is_set(tmp_path):
    path = write(tmp_path / "a.csv", b"problem\n\xe9\n")
    assert read(path, encoding="latin-1") == [{"problem": "é"}]


@pytest.mark.parametrize(
    ("asked_for", "content", "found"),
    [
        ("utf-8", "x".encode("utf-16"), "utf-16"),
        ("latin-1", codecs.BOM_UTF16_BE + "x".encode("utf-16-be"), "utf-16"),
        ("utf-8", "x".encode("utf-32"), "utf-32"),
        ("utf-16", "x".encode("utf-32"), "utf-32"),
        ("utf-8", "problem\nx".encode("utf-16-le"), "utf-16-le"),
        ("latin-1", "é".encode("utf-8-sig"), "utf-8"),
        ("utf-16", "é".encode("utf-8-sig"), "utf-8"),
    ],
)
def test_a_file_that_begins_as_another_encoding_does_is_answered_with_that_one(tmp_path, asked_for, content, found):
    with pytest.raises(ValueError, match=f"a.csv, line 1: cannot be read as {asked_for}: .*; set --encoding {found}$"):
        read(write(tmp_path / "a.csv", content), encoding=asked_for)


def test_utf_16_cut_in_the_middle_of_a_character_is_named(tmp_path):
    path = write(tmp_path / "a.csv", "problem\nx\ny".encode("utf-16")[:-1])
    with pytest.raises(ValueError, match="a.csv, line 3: cannot be read as utf-16"):
        read(path, encoding="utf-16")


@pytest.mark.parametrize("encoding", ["utf-9", "", "hex", "undefined", "a\0b"])
def test_an_encoding_that_is_none_is_refused_before_a_file_is_looked_at(tmp_path, encoding):
    with pytest.raises(ValueError, match="--encoding .* is unknown; set one such as utf-8, latin-1 or utf-16"):
        read(tmp_path / "absent.csv", encoding=encoding)


def test_an_encoding_is_refused_where_no_input_is_text(tmp_path):
    (tmp_path / "a.parquet").touch()
    with pytest.raises(ValueError, match="--encoding latin-1 is for text files, and no input is one; leave it out"):
        read(tmp_path / "a.parquet", encoding="latin-1")
    with pytest.raises(ValueError, match="--encoding latin-1 is for text files"):
        read("owner/name", encoding="latin-1")

"""A group of files replaces the old ones whole, or not at all."""

import hashlib
import os
import stat

import pytest

from data_prep.writing.files import replacing_files, sha256_of


def test_new_files_replace_those_of_their_names_and_leave_the_others(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").write_text("old")
    with replacing_files(tmp_path) as folder:
        (folder / "a").write_text("new")
        (folder / "c").write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "new", "b": "old", "c": "new"}


@pytest.mark.parametrize("interruption", [OSError("disk full"), KeyboardInterrupt()])
def test_an_interruption_leaves_the_old_files_and_nothing_else(tmp_path, interruption):
    (tmp_path / "a").write_text("old")
    with pytest.raises(type(interruption)), replacing_files(tmp_path) as folder:
        (folder / "a").write_text("half of the n")
        raise interruption
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_missing_folders_are_made(tmp_path):
    with replacing_files(tmp_path / "new" / "folder") as folder:
        (folder / "a").touch()
    assert os.listdir(tmp_path / "new" / "folder") == ["a"]


def test_a_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with replacing_files(tmp_path) as folder:
        (folder / "a").touch()
    assert len({stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "plain")}) == 1


def test_a_hash_is_the_usual_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()

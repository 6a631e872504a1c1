"""The journal: what a run continues from."""

import json

import pytest

from data_prep.sampling.journal import Journal

SETTINGS = {"model": "m", "temperatures": [0.1, 1.0], "seed": 0}


def reopened(path, settings=SETTINGS, **options):
    with Journal(path, settings, **options) as journal:
        return journal.records


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "journal.jsonl"


@pytest.fixture
def written(path):
    with Journal(path, SETTINGS) as journal:
        journal.append([{"row": 1}, {"row": 2, "text": "line\nbreak é \ud800 \u2028"}])
    return path


def test_a_new_journal_has_no_records_and_an_old_one_those_it_was_given(path, written):
    assert reopened(path.with_name("other.jsonl")) == []
    assert reopened(written) == [{"row": 1}, {"row": 2, "text": "line\nbreak é \ud800 \u2028"}]


def test_records_are_on_the_disk_before_the_journal_is_closed(path):
    with Journal(path, SETTINGS) as journal:
        journal.append([{"row": 1}])
        assert json.loads(path.read_bytes().splitlines()[1]) == {"row": 1}


def test_records_can_be_appended_after_opening_again(written):
    with Journal(written, SETTINGS) as journal:
        journal.append([{"row": 3}])
    assert [record["row"] for record in reopened(written)] == [1, 2, 3]


@pytest.mark.parametrize("torn", ['{"row": 3', '{"row": 3}', "\x00\x00", '{"row'], ids=repr)
def test_an_incomplete_last_line_is_dropped_with_a_note(written, torn, capsys):
    complete = written.read_bytes()
    written.write_bytes(complete + torn.encode())
    with Journal(written, SETTINGS) as journal:
        assert [record["row"] for record in journal.records] == [1, 2]
        assert written.read_bytes() == complete
        journal.append([{"row": 4}])
    assert "incomplete last line" in capsys.readouterr().err
    assert [record["row"] for record in reopened(written)] == [1, 2, 4]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("length", range(0, 60, 7))
def test_a_kill_before_the_settings_are_complete_is_a_new_start(written, length):
    header = written.read_bytes().split(b"\n")[0]
    written.write_bytes(header[:length])
    assert reopened(written) == []
    assert reopened(written) == []


def test_a_broken_line_elsewhere_is_an_error_with_its_number(written):
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(lines[0] + b'{"row": \n' + lines[2])
    with pytest.raises(ValueError, match="line 2.*--overwrite"):
        reopened(written)
    written.write_bytes(lines[0] + b"[1]\n")
    with pytest.raises(ValueError, match="line 2: no record"):
        reopened(written)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 1}, "seed = 0, and now it is 1"),
        ({"temperatures": [0.1]}, r"temperatures = \[0.1, 1.0\], and now it is \[0.1\]"),
        ({"top_p": 0.9}, "top_p = null, and now it is 0.9"),
    ],
)
def test_other_settings_are_refused_by_name_and_nothing_is_lost(written, changed, message):
    before = written.read_bytes()
    with pytest.raises(ValueError, match=message):
        reopened(written, SETTINGS | changed)
    assert written.read_bytes() == before


def test_a_setting_that_is_no_longer_there_is_refused_too(written):
    with pytest.raises(ValueError, match='model = "m", and now it is null'):
        reopened(written, {name: value for name, value in SETTINGS.items() if name != "model"})


def test_a_file_that_is_no_journal_is_refused(path):
    path.parent.mkdir()
    path.write_text('{"row": 1}\n')
    with pytest.raises(ValueError, match="does not begin with settings"):
        reopened(path)


def test_overwriting_forgets_records_and_settings(written):
    assert reopened(written, SETTINGS | {"seed": 1}, should_overwrite=True) == []
    assert reopened(written, SETTINGS | {"seed": 1}) == []


def test_two_runs_cannot_write_one_journal(written):
    with Journal(written, SETTINGS), pytest.raises(ValueError, match="another process"):
        Journal(written, SETTINGS, should_overwrite=True)
    assert len(reopened(written)) == 2

"""Whole checkpoints are told from ones that were cut off, and the newest whole one is resumed from."""

import shutil
import types

import pytest

from recipe.edge_grpo.run.checkpoints import (
    SEAL,
    TRACKER,
    NoWholeCheckpointError,
    checkpoint_to_resume,
    explain_unwritten,
    find_fault,
    seal,
)


def checkpoint(run_folder, step, is_sealed=True):
    """A checkpoint as verl lays it out; the tracker names it."""
    folder = run_folder / f"global_step_{step}"
    (folder / "actor").mkdir(parents=True)
    (folder / "actor" / "model_world_size_1_rank_0.pt").write_bytes(b"m" * 100)
    (folder / "data.pt").write_bytes(b"d" * 10)
    (run_folder / TRACKER).write_text(str(step))
    if is_sealed:
        seal(folder)
    return folder


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def test_a_run_without_checkpoints_begins_from_scratch(tmp_path):
    assert checkpoint_to_resume(tmp_path) == (None, [])


def test_the_newest_checkpoint_is_resumed_from(tmp_path):
    checkpoint(tmp_path, 9)
    newest = checkpoint(tmp_path, 10)  # not by the order of names
    assert checkpoint_to_resume(tmp_path) == (newest, [])


def test_a_checkpoint_that_was_being_written_is_not_looked_at(tmp_path):
    whole = checkpoint(tmp_path, 3)
    (tmp_path / "global_step_6" / "actor").mkdir(parents=True)  # verl's tracker is written last
    assert checkpoint_to_resume(tmp_path) == (whole, [])


@pytest.mark.parametrize("file", ["data.pt", "actor/model_world_size_1_rank_0.pt", SEAL])
def test_a_checkpoint_that_lost_an_end_is_named_and_the_one_before_is_used(tmp_path, file):
    before, newest = checkpoint(tmp_path, 3), checkpoint(tmp_path, 6)
    cut(newest / file)
    resumed, (fault,) = checkpoint_to_resume(tmp_path)
    assert resumed == before
    assert str(newest) in fault and file in fault


def test_a_file_that_vanished_is_a_fault(tmp_path):
    folder = checkpoint(tmp_path, 3)
    (folder / "data.pt").unlink()
    assert find_fault(folder) == "data.pt has vanished"


def test_without_a_whole_checkpoint_the_run_is_refused_with_the_choices(tmp_path):
    cut(checkpoint(tmp_path, 3) / "data.pt")
    with pytest.raises(NoWholeCheckpointError, match="data.pt has 9 bytes instead of 10.*trainer.resume_mode=disable"):
        checkpoint_to_resume(tmp_path)


def test_a_tracker_that_names_nothing_is_refused_with_the_choices(tmp_path):
    (tmp_path / TRACKER).write_text("5")
    with pytest.raises(NoWholeCheckpointError, match="global_step_5 is missing"):
        checkpoint_to_resume(tmp_path)


def test_a_tracker_that_was_cut_off_leaves_the_newest_sealed_checkpoint(tmp_path):
    checkpoint(tmp_path, 3)
    newest = checkpoint(tmp_path, 6)
    (tmp_path / TRACKER).write_text("")
    assert checkpoint_to_resume(tmp_path) == (newest, [])


def test_a_checkpoint_of_verl_alone_is_taken_at_its_word_if_the_tracker_names_it(tmp_path):
    unsealed = checkpoint(tmp_path, 3, is_sealed=False)
    assert checkpoint_to_resume(tmp_path) == (unsealed, [])
    newest = checkpoint(tmp_path, 6)
    cut(newest / "data.pt")
    with pytest.raises(NoWholeCheckpointError):  # of an older one without a seal nothing is known
        checkpoint_to_resume(tmp_path)


def test_a_checkpoint_whose_weights_verl_has_deleted_to_save_space_is_no_candidate(tmp_path):
    oldest, newest = checkpoint(tmp_path, 3), checkpoint(tmp_path, 6)
    (oldest / "actor" / "model_world_size_1_rank_0.pt").unlink()
    cut(newest / "data.pt")
    with pytest.raises(NoWholeCheckpointError, match="global_step_6.*global_step_3"):
        checkpoint_to_resume(tmp_path)


def test_sealing_again_takes_note_of_what_is_there_now(tmp_path):
    folder = checkpoint(tmp_path, 3)
    (folder / "data.pt").write_bytes(b"longer than before")
    assert find_fault(folder) is not None
    seal(folder)
    assert find_fault(folder) is None


@pytest.fixture
def nearly_full_disk(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=3 * 2**20, folder=folder))


def test_a_checkpoint_that_cannot_be_written_is_named_with_its_disk_and_what_is_left(tmp_path, nearly_full_disk):
    for step in (9, 10):  # not by the order of names
        checkpoint(tmp_path, step)
    checkpoint(tmp_path, 11, is_sealed=False)
    torchs = RuntimeError("PytorchStreamWriter failed writing file data/7: file write failed")
    with pytest.raises(RuntimeError) as error, explain_unwritten(tmp_path / "global_step_12"):
        raise torchs
    assert str(error.value) == (
        f"EDGE-GRPO: the checkpoint {tmp_path}/global_step_12 could not be written; its disk has 3 MiB left; "
        "resume from global_step_10, which is whole"
    )
    assert error.value.__cause__ is torchs


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_first_checkpoint_that_cannot_be_written_has_nothing_before_it(tmp_path, nearly_full_disk, has_begun):
    if has_begun:
        checkpoint(tmp_path, 3)  # even a seal of an earlier start is of what is being overwritten
    with (
        pytest.raises(RuntimeError, match="3 MiB left; there is no earlier one"),
        explain_unwritten(tmp_path / "global_step_3"),
    ):
        raise OSError(28, "No space left on device")


def test_the_room_of_a_real_disk_is_told_and_a_missing_run_folder_does_not_hide_the_error(tmp_path):
    with (
        pytest.raises(RuntimeError, match=r"its disk has \d+ MiB left") as error,
        explain_unwritten(tmp_path / "not" / "yet" / "global_step_1"),
    ):
        raise OSError(28, "No space left on device")
    assert isinstance(error.value.__cause__, OSError)


def test_a_checkpoint_that_is_written_is_not_explained(tmp_path):
    with explain_unwritten(tmp_path / "global_step_1"):
        checkpoint(tmp_path, 1)

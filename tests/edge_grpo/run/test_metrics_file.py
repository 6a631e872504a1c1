"""metrics.jsonl lands in the run folder, and an earlier one is kept."""

import json

import pytest

from recipe.edge_grpo.run.metrics_file import log_metrics_below_run_folder
from recipe.edge_grpo.verl_patches.file_logger import begin_metrics_file_with_what_it_holds

VARIABLE = "VERL_FILE_LOGGER_PATH"


@pytest.fixture(autouse=True)
def unset_variable(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")  # so that monkeypatch restores it after the code under test has set it
    monkeypatch.delenv(VARIABLE)


def start_again(monkeypatch, run_folder, resumed_step=0):
    """As a new process would, in which the variable is not set."""
    monkeypatch.delenv(VARIABLE, raising=False)
    return log_metrics_below_run_folder(str(run_folder), resumed_step)


@pytest.fixture(autouse=True)
def patch_verls_logger(monkeypatch):
    """As in the processes of a run of ours, for one test."""
    from verl.utils import tracking

    monkeypatch.setattr(tracking.FileLogger, "__init__", tracking.FileLogger.__init__)  # what is put back
    begin_metrics_file_with_what_it_holds(tracking)


def verls_logger():
    import verl.utils.tracking

    return verl.utils.tracking.FileLogger("project", "experiment")


def steps_in(path):
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def test_a_new_run_folder_is_made_and_named_to_verls_logger(tmp_path, monkeypatch):
    path = start_again(monkeypatch, tmp_path / "runs" / "one")
    assert path == tmp_path / "runs" / "one" / "metrics.jsonl"
    assert path.parent.is_dir()
    assert not path.exists()


def test_verls_own_file_logger_writes_there(tmp_path, monkeypatch):
    from verl.utils.tracking import Tracking

    path = start_again(monkeypatch, tmp_path)
    tracking = Tracking(project_name="p", experiment_name="e", default_backend=["file"], config={})
    tracking.log({"edge_grpo/accuracy/first_pass": 0.5}, step=3)
    (line,) = path.read_text().splitlines()
    assert json.loads(line) == {"step": 3, "data": {"edge_grpo/accuracy/first_pass": 0.5}}


def test_files_of_earlier_starts_are_kept_and_numbered_in_order(tmp_path, monkeypatch):
    for content in ("first", "second", "third"):
        start_again(monkeypatch, tmp_path).write_text(content)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "metrics.1.jsonl": "first",
        "metrics.2.jsonl": "second",
        "metrics.jsonl": "third",
    }


def test_a_path_that_the_user_has_set_wins_and_is_kept_as_well(tmp_path, monkeypatch):
    chosen = tmp_path / "elsewhere" / "m.jsonl"
    monkeypatch.setenv(VARIABLE, str(chosen))
    assert log_metrics_below_run_folder(str(tmp_path / "run")) == chosen
    chosen.write_text("first")
    assert log_metrics_below_run_folder(str(tmp_path / "run")) == chosen
    assert chosen.with_name("m.1.jsonl").read_text() == "first"
    assert not (tmp_path / "run").exists()


def test_other_files_of_the_run_are_left_alone(tmp_path, monkeypatch):
    (tmp_path / "metrics.json").write_text("mine")
    (tmp_path / "global_step_5").mkdir()
    start_again(monkeypatch, tmp_path)
    assert (tmp_path / "metrics.json").read_text() == "mine"
    assert (tmp_path / "global_step_5").is_dir()


def test_a_resumed_run_goes_on_in_the_same_file_without_losing_or_repeating_a_step(tmp_path, monkeypatch):
    path = start_again(monkeypatch, tmp_path)
    first = verls_logger()
    for step in range(6):
        first.log({"loss": float(step)}, step)
    first.fp.write(b'{"step": 6, "da')  # killed while it wrote
    # its last checkpoint was of step 3
    assert start_again(monkeypatch, tmp_path, resumed_step=3) == path
    second = verls_logger()
    for step in range(4, 7):
        second.log({"loss": 10.0 + step}, step)
    assert steps_in(path) == [0, 1, 2, 3, 4, 5, 6]
    assert [json.loads(line)["data"]["loss"] for line in path.read_text().splitlines()][3:5] == [3.0, 14.0]
    # what the first start logged is all there still
    assert (tmp_path / "metrics.1.jsonl").read_bytes().count(b"step") == 7


def test_a_run_resumed_twice_has_every_step_once(tmp_path, monkeypatch):
    for resumed_step, last_step in ((0, 2), (2, 5), (3, 7)):
        path = start_again(monkeypatch, tmp_path, resumed_step)
        logger = verls_logger()
        for step in range(resumed_step + 1, last_step + 1):
            logger.log({"loss": 1.0}, step)
    assert steps_in(path) == [1, 2, 3, 4, 5, 6, 7]


def test_a_run_that_begins_again_begins_an_empty_file(tmp_path, monkeypatch):
    start_again(monkeypatch, tmp_path)
    verls_logger().log({"loss": 1.0}, 1)
    path = start_again(monkeypatch, tmp_path, resumed_step=0)
    verls_logger()
    assert path.read_bytes() == b""


def test_verls_logger_without_our_file_is_verls(tmp_path, monkeypatch):
    monkeypatch.setenv("VERL_FILE_LOGGER_ROOT", str(tmp_path))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "experiment.jsonl").write_text("of an earlier run")
    verls_logger().log({"loss": 1.0}, 1)
    assert steps_in(tmp_path / "project" / "experiment.jsonl") == [1]

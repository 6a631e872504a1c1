"""The reason why a run failed: left by the trainer, and the last line of the driver's output."""

import subprocess
import sys

import pytest

from recipe.edge_grpo.run.failure_report import (
    FAILURE_FILE,
    RESERVE_FILE,
    RESERVED_BYTES,
    UNKNOWN_REASON,
    reason_of,
    remove_reserved_failure_file,
    reserve_failure_file,
    write_failure,
    writing_failure,
)


def left(folder):
    return (folder / FAILURE_FILE).read_text()


def run(program, *arguments):
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("EDGE-GRPO: the server is dead"), "the server is dead"),
        (RuntimeError("CUDA error: out of luck\nCompile with `TORCH_USE_CUDA_DSA`\n"), "CUDA error: out of luck"),
        (ValueError("\n  data.train_files: x is damaged\n"), "ValueError: data.train_files: x is damaged"),
        (KeyError("acc"), "KeyError: 'acc'"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_the_line_that_says_what_is_wrong_is_left_and_the_error_goes_on(tmp_path, error, reason):
    with pytest.raises(type(error)) as raised, writing_failure(str(tmp_path / "new")):
        raise error
    assert raised.value is error
    assert left(tmp_path / "new") == reason


def test_an_error_with_a_cause_that_is_no_error_is_taken_as_it_is():
    error = ValueError("bad value")
    error.cause = "text"
    assert reason_of(error) == "ValueError: bad value"


def test_a_run_that_does_not_fail_leaves_nothing(tmp_path):
    with writing_failure(str(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_does_not_hide_the_error(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(KeyError, match="the error itself"), writing_failure(str(tmp_path / "file" / "run")):
        raise KeyError("the error itself")
    assert "EDGE-GRPO: failure.txt could not be written" in capsys.readouterr().err


def test_room_for_the_reason_is_kept_on_a_disk_that_fills_up(tmp_path):
    reserve_failure_file(str(tmp_path))
    inode = (tmp_path / RESERVE_FILE).stat().st_ino
    write_failure(str(tmp_path), "the disk is full")
    assert left(tmp_path) == "the disk is full"
    assert (tmp_path / FAILURE_FILE).stat().st_ino == inode  # written in place, where the room is
    assert not (tmp_path / RESERVE_FILE).exists()


def test_a_reason_longer_than_the_room_is_cut(tmp_path):
    reserve_failure_file(str(tmp_path))
    write_failure(str(tmp_path), "x" * 2 * RESERVED_BYTES)
    assert left(tmp_path) == "x" * RESERVED_BYTES


def test_a_run_that_has_succeeded_leaves_nothing(tmp_path):
    reserve_failure_file(str(tmp_path))
    remove_reserved_failure_file(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


DRIVER = """
import sys
import ray
from recipe.edge_grpo.run.failure_report import reserve_failure_file, write_failure, print_failure_at_exit
print_failure_at_exit(sys.argv[1])
if sys.argv[2:] == ["silence"]:
    reserve_failure_file(sys.argv[1])
    sys.exit(1)
if sys.argv[2:]:
    write_failure(sys.argv[1], sys.argv[2])
    raise RuntimeError("far below")
"""


@pytest.mark.process
def test_the_driver_prints_the_reason_last(tmp_path):
    failed = run(DRIVER, tmp_path, "the server is dead")
    assert failed.returncode == 1
    assert "RuntimeError: far below" in failed.stderr
    assert failed.stderr.splitlines()[-1] == "EDGE-GRPO: the server is dead"


@pytest.mark.process
def test_the_driver_says_that_a_trainer_has_ended_without_a_word(tmp_path):
    assert run(DRIVER, tmp_path, "silence").stderr.splitlines()[-1] == f"EDGE-GRPO: {UNKNOWN_REASON}"
    assert left(tmp_path).strip() == UNKNOWN_REASON


@pytest.mark.process
def test_a_reason_that_was_cut_within_a_character_is_printed(tmp_path):
    failed = run(DRIVER, tmp_path, "x" + "é" * RESERVED_BYTES)
    assert failed.stderr.splitlines()[-1].startswith("EDGE-GRPO: xéé")


@pytest.mark.process
def test_the_reason_of_an_earlier_start_is_forgotten(tmp_path):
    write_failure(str(tmp_path), "an old story")
    reserve_failure_file(str(tmp_path))
    succeeded = run(DRIVER, tmp_path)
    assert succeeded.returncode == 0
    assert "old story" not in succeeded.stderr
    assert list(tmp_path.iterdir()) == []


# As verl's: the driver waits for the trainer, an actor that talks much, whose workers are actors of its own.
DRIVER_OF_RAY = """
import sys
import ray
from recipe.edge_grpo.run.failure_report import writing_failure, print_failure_at_exit

class Worker:
    def work(self):
        raise ValueError("no room\\nfor a tensor")

class BrokenWorker:
    def __init__(self):
        raise LookupError("no model")
    def work(self):
        pass

class Trainer:
    def run(self, worker_class, folder):
        try:
            with writing_failure(folder):
                ray.get(ray.remote(num_cpus=0)(worker_class).remote().work.remote())
        finally:
            for number in range(200):
                print("line", number)

print_failure_at_exit(sys.argv[1])
ray.init(num_cpus=2, include_dashboard=False, configure_logging=False)
ray.get(ray.remote(num_cpus=0)(Trainer).remote().run.remote(globals()[sys.argv[2]], sys.argv[1]))
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("worker", "reason"), [("Worker", "ValueError: no room"), ("BrokenWorker", "LookupError: no model")]
)
def test_an_error_of_an_actor_of_an_actor_is_the_last_line_after_all_output(tmp_path, worker, reason):
    failed = subprocess.run(
        [sys.executable, "-c", DRIVER_OF_RAY, tmp_path, worker],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert failed.returncode == 1
    assert "line 199" in failed.stdout
    assert failed.stdout.splitlines()[-1] == f"EDGE-GRPO: {reason}"


@pytest.mark.process
def test_a_process_whose_main_thread_is_blocked_is_ended_with_its_reason(tmp_path):
    program = (
        "import sys, threading\n"
        "from recipe.edge_grpo.run.failure_report import end_process\n"
        "from recipe.edge_grpo.run.watchdog import Watchdog\n"
        "Watchdog(lambda: 'it hangs', lambda reason: end_process(sys.argv[1], reason), 0.01).start()\n"
        "threading.Event().wait()"
    )
    ended = run(program, tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == "EDGE-GRPO: it hangs\n"
    assert left(tmp_path) == "it hangs"

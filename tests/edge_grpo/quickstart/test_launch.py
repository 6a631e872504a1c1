"""A run is a child process whose output is shown in part and logged in full; it neither hangs nor fails silently."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from recipe.edge_grpo.quickstart.launch import MILESTONES, run_and_show, shown_line


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "\x1b[36m(TaskRunnerV1 pid=7)\x1b[0m Training Progress:  25%|██▌       | 1/4 [00:06<00:19]\n",
            "Training Progress:  25%|██▌       | 1/4 [00:06<00:19]",
        ),
        ("(TaskRunnerV1 pid=7) EDGE-GRPO: the vLLM server is dead\n", "EDGE-GRPO: the vLLM server is dead"),
        ("(TaskRunnerV1 pid=7) INFO:actor and ref model engine initialized\n", "policy loaded"),
        ("(SimpleStorageUnit pid=9) WARNING - target_num_threads 8 should not exceed 2\n", None),
    ],
)
def test_of_verls_output_only_progress_milestones_and_our_messages_are_shown(line: str, shown: str | None) -> None:
    assert shown_line(line, dict(MILESTONES)) == shown


def test_a_milestone_is_shown_once() -> None:
    left = dict(MILESTONES)
    line = "INFO:actor and ref model engine initialized\n"
    assert (shown_line(line, left), shown_line(line, left)) == ("policy loaded", None)


def test_all_output_is_in_the_log_and_the_exit_code_is_passed_on(tmp_path: Path, capsys) -> None:
    log_file = tmp_path / "train.log"
    program = "import sys; print('to stdout'); print('to stderr', file=sys.stderr); sys.exit(3)"
    assert run_and_show(python(program), log_file) == 3
    assert sorted(log_file.read_text().splitlines()) == ["to stderr", "to stdout"]
    complaint = capsys.readouterr().err
    assert "exit code 3" in complaint and "to stderr" in complaint and str(log_file) in complaint


def test_a_run_that_succeeds_shows_no_complaint(tmp_path: Path, capsys) -> None:
    assert run_and_show(python("print('fine')"), tmp_path / "train.log") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.process
def test_a_run_that_says_nothing_for_too_long_is_ended_with_its_children(tmp_path: Path, capsys) -> None:
    pid_file = tmp_path / "pid"
    child = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    assert run_and_show(python(program), tmp_path / "train.log", stall_seconds=3.0) == 1
    assert "no output for 3 s" in capsys.readouterr().err
    process = int(pid_file.read_text())
    for _ in range(100):  # killed processes take a moment to disappear
        if not psutil.pid_exists(process) or psutil.Process(process).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    os.kill(process, 9)
    pytest.fail("the child of a stalled run was still alive")


def test_sigterm_ends_the_run_too(tmp_path: Path) -> None:
    """As `timeout` sends it, or a batch system."""
    pid_file = tmp_path / "pid"
    child = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    program = (
        "import sys\nfrom pathlib import Path\nfrom recipe.edge_grpo.quickstart.launch import run_and_show\n"
        f"run_and_show([sys.executable, '-c', {child!r}], Path({str(tmp_path / 'train.log')!r}))"
    )
    process = subprocess.Popen(python(program))
    deadline = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert not psutil.pid_exists(int(pid_file.read_text()))

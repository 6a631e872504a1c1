"""The instruments in tests/bench: the table of graders, the child process that is killed, the CPU time of a tree."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))  # Scripts, not a package.
from graders import grade_all, read_cases, table_row
from killable_child import KillableChild, Outcome
from verifier import tree_cpu_seconds

pytestmark = pytest.mark.process

CASE = {"response": r"\boxed{1}", "ground_truth": "1", "expected": True, "note": ""}

STUBBORN_GRADER = """
import os, subprocess, time


def grade(response, ground_truth):
    if response == "hang":
        with open(ground_truth, "w") as file:
            file.write(str(subprocess.Popen(["sleep", "1000"]).pid))
        time.sleep(1000)
    if response == "die":
        os._exit(1)
    if response == "raise":
        raise BaseException("no")
    return True
"""


@pytest.fixture
def write_cases(tmp_path):
    def write(*rows):
        path = tmp_path / "cases.jsonl"
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return path

    return write


@pytest.fixture
def stubborn_grader(tmp_path, monkeypatch):
    """The name of a grader that says yes to everything, but hangs, dies or raises where the response says so."""
    (tmp_path / "stubborn.py").write_text(STUBBORN_GRADER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "stubborn:grade"


def is_running(process_id):
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_table_counts_each_category_and_each_kind_of_fault(write_cases):
    path = write_cases(
        CASE,
        {**CASE, "expected": False},
        {**CASE, "expected": False},
        {**CASE, "note": "[hard] core all the same"},
        "",
        {**CASE, "expected": False},
        {**CASE, "note": "[multi-box] the last counts"},
        {**CASE, "note": "[multi-box-set] a union"},
        {**CASE, "note": "[contested][multi-box-set] a union"},
        {**CASE, "note": "[robust-positive]", "expected": True},
        {**CASE, "note": "[adversarial][no-box]", "expected": False},
        {**CASE, "note": "[adversarial]", "expected": False},
    )
    outcomes = [
        Outcome(True, 0.1),
        Outcome(True, 0.1),  # A false positive.
        Outcome(None, 0.1, "died"),  # Wrong, although the answer is, too.
        Outcome(False, 2.6),  # A false negative, and slow.
        Outcome(False, 30.0),  # Right, and slower than any adversarial one.
        Outcome(True, 0.1),
        Outcome(True, 0.1),
        Outcome(False, 0.1),
        Outcome(None, 0.1, "ValueError('no')"),
        Outcome(False, 7.0),
        Outcome(None, 20.0, "hung"),
    ]
    cells = [cell.strip() for cell in table_row("yes", read_cases(path), outcomes).strip("|").split("|")]
    rights = ["2 / 5", "1", "1", "2 / 2", "0 / 1", "0 / 1", "1 / 2"]
    assert cells == ["yes", *rights, "4", "1", "2", "20.0 s"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"response": ', "line 2: not JSON"),
        ("[]", "line 2: not a JSON object"),
        ({key: CASE[key] for key in CASE if key != "note"}, "line 2: note is missing"),
        ({**CASE, "expected": "false"}, "line 2: expected must be of type bool"),
    ],
)
def test_a_broken_line_of_the_cases_is_named(write_cases, line, fault):
    with pytest.raises(ValueError, match=fault):
        read_cases(write_cases(CASE, line))


def test_a_grader_that_hangs_dies_or_raises_costs_one_case_each(write_cases, stubborn_grader, tmp_path):
    pid_file = tmp_path / "pid"
    responses = ["yes", "hang", "yes", "die", "yes", "raise", "yes"]
    rows = [{**CASE, "response": response, "ground_truth": str(pid_file)} for response in responses]
    outcomes = grade_all(stubborn_grader, read_cases(write_cases(*rows)), kill_seconds=2.0)
    assert [outcome.failure for outcome in outcomes] == ["", "hung", "", "died", "", "BaseException('no')", ""]
    assert [outcome.value for outcome in outcomes] == [True, None, True, None, True, None, True]

    started_by_the_grader, give_up = int(pid_file.read_text()), time.monotonic() + 30
    while is_running(started_by_the_grader):
        assert time.monotonic() < give_up, "a process that the grader started has outlived it"
        time.sleep(0.05)


def test_a_grader_that_cannot_start_is_an_error_and_not_a_row_of_wrong_answers(stubborn_grader):
    with KillableChild(stubborn_grader, first_call=("raise", "")) as child, pytest.raises(RuntimeError, match="no"):
        child.call("yes", "", kill_seconds=2.0)


@pytest.mark.parametrize("is_waited_for", [False, True])
def test_cpu_time_of_a_tree_counts_each_child_once_living_or_ended(is_waited_for):
    burn = "import time\nwhile time.process_time() < 0.4: pass\nprint(time.process_time(), flush=True)\ninput()"
    before = tree_cpu_seconds()
    with subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        burnt = float(child.stdout.readline())
        if is_waited_for:
            child.kill()
            child.wait()
        counted = tree_cpu_seconds() - before
        child.kill()
    # CPU time, not wall time; it is counted in ticks of 10 ms.
    assert burnt - 0.05 < counted < 1.5 * burnt

"""The child that runs math-verify: started late, bounded in time, replaced when it dies, gone with its parent."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reward_fns import verifier_process
from reward_fns.verifier_process import VerifierProcess

REPOSITORY = Path(verifier_process.__file__).parents[1]

# A power tower of some 370 million digits: no machine finishes it within a deadline.
ENDLESS = "9^{9^{9}}"


@pytest.fixture(scope="module")
def verifier():
    # Longer than in production, so that a busy test machine does not turn an honest comparison into a timeout.
    verifier = VerifierProcess(deadline_seconds=60.0)
    yield verifier
    verifier.close()


@pytest.mark.parametrize(
    ("candidate", "gold", "expected"),
    [
        ("x+1", "1+x", (True, "ok")),
        (r"\sqrt{\sqrt{16}}", "2", (True, "ok")),
        (r"\{1,2\}", r"\{2,1\}", (True, "ok")),
        ("x+1", "x+2", (False, "ok")),
        ("!!!", "4", (False, "parse_error")),
        ("\ud800", "4", (False, "parse_error")),
    ],
)
def test_answers_are_compared_as_mathematics(verifier, candidate, gold, expected):
    assert verifier.compare(candidate, gold) == expected


@pytest.mark.parametrize(
    "payload", ["open('{}','w').write('x')", "__import__('pathlib').Path('{}').touch()", r"\input{{{}}}"]
)
def test_python_in_an_answer_is_not_run(verifier, tmp_path, payload):
    marker = tmp_path / "marker"
    assert verifier.compare(payload.format(marker), "1")[0] is False
    assert not marker.exists()


def test_threads_get_the_answers_to_their_own_questions(verifier):
    questions = [(f"x+{number}", f"{number % 3}+x") for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda question: verifier.compare(*question)[0], questions))
    assert answers == [number == number % 3 for number in range(12)]


def test_nothing_is_started_before_the_first_comparison():
    assert VerifierProcess()._process is None


def test_an_overrun_is_killed_and_the_next_comparison_works(verifier, monkeypatch):
    assert verifier.compare("x+1", "1+x") == (True, "ok")
    overrun = verifier._process
    with monkeypatch.context() as patch:
        patch.setattr(verifier, "_deadline_seconds", 0.2)
        assert verifier.compare(ENDLESS, "1") == (False, "timeout")
    assert overrun.returncode == -signal.SIGKILL
    assert verifier.compare("x+1", "1+x") == (True, "ok")


def test_a_child_that_was_killed_is_replaced_and_the_comparison_repeated(verifier):
    assert verifier.compare("x+1", "1+x") == (True, "ok")
    os.kill(verifier._process.pid, signal.SIGKILL)
    verifier._process.wait()
    assert verifier.compare("x+1", "1+x") == (True, "ok")


def test_a_child_that_dies_twice_is_reported_as_a_crash(monkeypatch, tmp_path):
    dying = tmp_path / "dying_child.py"
    dying.write_text(
        textwrap.dedent("""
            import sys
            from multiprocessing.connection import Connection
            pipe = Connection(int(sys.argv[1]))
            pipe.send_bytes(b"ready")
            pipe.recv_bytes()
        """)
    )
    monkeypatch.setattr(verifier_process, "_CHILD_SCRIPT", dying)
    assert VerifierProcess().compare("1", "1") == (False, "crash")


def test_a_child_that_cannot_start_is_an_error_and_not_a_verdict(monkeypatch, tmp_path):
    broken = tmp_path / "broken_child.py"
    broken.write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(verifier_process, "_CHILD_SCRIPT", broken)
    with pytest.raises(RuntimeError, match="broken_child.py"):
        VerifierProcess().compare("1", "1")


def test_the_child_imports_neither_verl_nor_torch():
    # Asked of the child's script itself, run as a module without its main part.
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1], run_name='child'); print({'verl', 'torch'} & set(sys.modules))"
    )
    script = str(verifier_process._CHILD_SCRIPT)
    result = subprocess.run([sys.executable, "-c", code, script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_the_child_ends_when_its_parent_is_killed():
    parent_code = textwrap.dedent("""
        import os, signal
        from reward_fns.verifier_process import VerifierProcess
        verifier = VerifierProcess(60.0)
        verifier.compare("x+1", "1+x")
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    # The child has the parent's standard error open: that it ends says that the child is gone, too. The waiting is
    # bounded only to keep a broken version from hanging the tests.
    parent = subprocess.Popen([sys.executable, "-c", parent_code], stderr=subprocess.PIPE, cwd=REPOSITORY)
    parent.communicate(timeout=60)
    assert parent.returncode == -signal.SIGKILL

"""The child that runs math-verify: what it holds equal, what it may use, and when it replaces a worker."""

import json
import os
import socket
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from reward_fns.verifier import child as verifier_child
from reward_fns.verifier.child import compare

pytestmark = pytest.mark.process

SCRIPT = Path(verifier_child.__file__)

# A power tower of some 370 million digits: no machine finishes it within a deadline.
ENDLESS = "9^{9^{9}}"


class Child:
    """The other end of the socket, as the parent has it."""

    def __init__(self, process, connection):
        self.process, self.connection = psutil.Process(process.pid), connection

    def receive(self):
        return json.loads(self.connection.recv(1 << 16))

    def ask(self, worker, candidate, gold):
        self.connection.send(json.dumps([worker, candidate, gold]).encode())
        return self.receive()

    @property
    def worker(self):
        return self.process.children()[0]


@contextmanager
def start(deadline_seconds=60.0, changes=""):
    """Start the child, with lines of Python that change its module before its `main`."""
    code = f"import os, sys\nfrom reward_fns.verifier import child\n{textwrap.dedent(changes)}\n"
    code += "child.main(int(sys.argv[1]), os.getppid(), float(sys.argv[2]))"
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        command = [sys.executable, "-c", code, str(theirs.fileno()), str(deadline_seconds)]
        with subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=SCRIPT.parents[2]) as process:
            theirs.close()
            ours.settimeout(120)
            try:
                yield Child(process, ours)
            finally:
                process.kill()


@pytest.mark.parametrize(
    ("candidate", "gold", "expected"),
    [
        ("x+1", "1+x", (True, "ok")),
        (r"\sqrt{\sqrt{16}}", "2", (True, "ok")),
        (r"\{1,2\}", r"\{2,1\}", (True, "ok")),
        ("-x > -3", "x < 3", (True, "ok")),
        ("-x > -3", "x < 4", (False, "ok")),
        ("x+1", "x+2", (False, "ok")),
        ("!!!", "4", (False, "parse_error")),
        ("4", "!!!", (False, "parse_error")),
        ("\ud800", "4", (False, "parse_error")),
        ("4", "", (False, "parse_error")),
    ],
)
def test_answers_are_compared_as_mathematics(candidate, gold, expected):
    assert compare(candidate, gold) == expected


@pytest.mark.parametrize(
    "payload",
    [
        "open('{}','w').write('x')",
        "__import__('pathlib').Path('{}').touch()",
        r"\text{{__import__('pathlib').Path('{}').touch()}}",
        r"\input{{{}}}",
        r"\immediate\write18{{touch {}}}",
    ],
)
def test_python_in_an_answer_is_not_run(tmp_path, payload):
    marker = tmp_path / "marker"
    assert compare(payload.format(marker), "1")[0] is False
    assert compare("1", payload.format(marker))[0] is False
    assert not marker.exists()


def test_a_worker_introduces_itself_and_answers():
    with start() as child:
        assert child.receive() == {"worker": 0, "reason": "started"}
        assert child.ask(0, "-x > -3", "x < 3") == [True, "ok"]
        assert child.ask(0, "\ud800", "4") == [False, "parse_error"]
        assert os.readlink(f"/proc/{child.worker.pid}/fd/2") == os.devnull  # What it complains of is not kept.


def test_a_request_to_a_dead_worker_is_not_answered_by_its_successor():
    with start() as child:
        child.receive()
        child.worker.kill()
        assert child.ask(0, "x", "y") == {"worker": 1, "reason": "exit code -9"}
        assert child.ask(1, "x", "x") == [True, "ok"]


def test_an_overrun_ends_the_worker_and_not_the_template():
    with start(deadline_seconds=0.5) as child:
        child.receive()
        assert child.ask(0, ENDLESS, "1") == {"worker": 1, "reason": "timeout"}
        assert child.ask(1, "!!!", "1") == [False, "parse_error"]


def test_the_deadline_holds_for_one_comparison_and_not_between_two():
    changes = """
        import time
        child.compare = lambda candidate, gold: (True, "ok")
    """
    with start(deadline_seconds=0.5, changes=changes) as child:
        child.receive()
        assert child.ask(0, "1", "1") == [True, "ok"]
        child.connection.settimeout(1.5)
        with pytest.raises(TimeoutError):  # Nothing happens to a worker that has nothing to do.
            child.receive()


def test_a_worker_has_itself_replaced_after_so_many_comparisons():
    with start(changes="child.MAX_COMPARISONS = 2") as child:
        for number in range(3):
            assert child.receive() == {"worker": number, "reason": "replaced" if number else "started"}
            assert child.ask(number, "1", "1") == child.ask(number, "1", "1") == [True, "ok"]


def test_the_address_space_of_a_worker_is_bounded_below_a_gigabyte():
    with start() as child:
        child.receive()
        assert child.worker.rlimit(psutil.RLIMIT_AS) == (10**9, 10**9)


def test_a_comparison_that_runs_out_of_memory_is_a_limit_and_ends_the_worker():
    # math-verify takes the MemoryError of this power for inequality. The bounds are lower than in earnest, because it
    # takes longer than the deadline to use up a gigabyte.
    changes = "child.MAX_ADDRESS_SPACE, child.MAX_PEAK_KIBIBYTES = 160_000_000, 80_000"
    with start(changes=changes) as child:
        child.receive()
        assert child.ask(0, "2^{40000000000}", "1") == [False, "limit"]
        assert child.receive() == {"worker": 1, "reason": "replaced"}
        assert child.ask(1, "-x > -3", "x < 3") == [True, "ok"]


def test_a_memory_error_is_a_limit_and_ends_the_worker():
    with start(
        changes="child.compare = lambda candidate, gold: (True, 'ok') if gold != '1' else bytearray(1 << 62)"
    ) as child:
        child.receive()
        assert child.ask(0, "1", "1") == [False, "limit"]
        assert child.receive() == {"worker": 1, "reason": "replaced"}


def test_any_other_error_is_a_parse_error_and_the_worker_goes_on():
    with start(changes="child.compare = lambda candidate, gold: (True, 'ok') if gold != '1' else 1 / 0") as child:
        child.receive()
        assert child.ask(0, "1", "1") == child.ask(0, "1", "1") == [False, "parse_error"]


def test_an_answer_that_took_much_memory_counts_but_is_the_worker_s_last():
    with start(changes="child.MAX_PEAK_KIBIBYTES = 1") as child:
        child.receive()
        assert child.ask(0, "1", "1") == [True, "ok"]
        assert child.receive() == {"worker": 1, "reason": "replaced"}


def test_the_child_ends_when_its_socket_does():
    # Without the kernel's help, which the next test is about.
    with start(changes="child._die_with = lambda parent: None") as child:
        child.receive()
        processes = [child.process, child.worker]
        child.connection.close()
        assert psutil.wait_procs(processes[1:], timeout=60)[1] == []
        assert child.process.wait(60) is not None


def test_without_a_working_math_verify_there_is_no_child():
    code = "import os, reward_fns.verifier.child as child\nchild.parse = lambda *_, **__: []\n"
    code += "child.main(0, os.getppid(), 1)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=SCRIPT.parents[2])
    assert result.returncode == 1
    assert result.stderr == "math-verify does not recognise that x+1 equals 1+x\n"


def test_the_child_imports_neither_verl_nor_torch():
    # Asked of the child's script itself, run as a module without its main part.
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1], run_name='child'); print({'verl', 'torch'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code, str(SCRIPT)], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"

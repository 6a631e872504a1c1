"""The parent's side of one child: overruns, deaths at every moment, and children that do not start."""

import logging
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from reward_fns.verifier import link as verifier_link
from reward_fns.verifier.link import Verdict, VerifierLink

pytestmark = pytest.mark.process

# A power tower of some 370 million digits: no machine finishes it within a deadline.
ENDLESS = ("9^{9^{9}}", "1")
RIGHT = ("-x > -3", "x < 3")
YES = Verdict(True, "ok")


@pytest.fixture
def make_link():
    links = []

    def make_link(deadline_seconds=60.0):
        # Longer than in production, so that a busy test machine does not turn an honest comparison into a timeout.
        links.append(VerifierLink(deadline_seconds))
        return links[-1]

    yield make_link
    for link in links:
        link.stop()


@pytest.fixture
def link(make_link):
    link = make_link()
    assert link.compare(*RIGHT) == YES
    return link


@pytest.fixture
def script(monkeypatch, tmp_path):
    """script(text): have this run instead of the child; `send` and `receive` exchange JSON with the parent."""

    def script(text):
        (tmp_path / "json.py").write_text("raise SystemExit('not a module of the standard library')")
        path = tmp_path / "scripted_child.py"
        path.write_text(
            textwrap.dedent("""
                import json, os, signal, socket, sys
                connection = socket.socket(fileno=int(sys.argv[1]))
                send = lambda message: connection.send(json.dumps(message).encode())
                receive = lambda: json.loads(connection.recv(1 << 16) or sys.exit())
            """)
            + textwrap.dedent(text)
        )
        monkeypatch.setattr(verifier_link, "_CHILD_SCRIPT", path)

    return script


def template(link):
    return psutil.Process(link._process.pid)


def worker(link):
    return template(link).children()[0]


def wait_until_busy(process):
    start = sum(process.cpu_times()[:2])
    while sum(process.cpu_times()[:2]) < start + 0.2:
        time.sleep(0.01)


def warnings(caplog):
    return [entry.message for entry in caplog.records if entry.levelno == logging.WARNING]


def test_an_overrun_costs_a_worker_and_not_the_child(make_link, caplog):
    link = make_link(deadline_seconds=1.0)
    assert link.compare("!!!", "4") == Verdict(False, "parse_error")
    before = template(link), worker(link)
    assert link.compare(*ENDLESS) == Verdict(False, "timeout")
    assert not before[1].is_running()
    assert link.compare("!!!", "4") == Verdict(False, "parse_error")
    assert template(link) == before[0]
    assert warnings(caplog) == []


def test_an_overrun_ends_by_itself_whatever_signals_the_parent_blocks_or_ignores(make_link, caplog):
    # Both are inherited: Ray, for one, has a mode in which SIGCHLD is ignored.
    link = make_link(deadline_seconds=1.0)
    ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGALRM, signal.SIGCHLD)}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    try:
        assert link.compare(*ENDLESS) == Verdict(False, "timeout")
        assert link.compare("!!!", "4") == Verdict(False, "parse_error")
        assert warnings(caplog) == []
        link.stop()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in ignored.items():
            signal.signal(number, handler)


def test_a_worker_that_cannot_end_itself_is_killed_from_outside(make_link, monkeypatch, caplog):
    monkeypatch.setattr(verifier_link, "GRACE_SECONDS", 0.5)
    link = make_link(deadline_seconds=0.5)
    link.compare("!!!", "4")
    stopped = [worker(link), template(link)]
    stopped[0].suspend()
    assert link.compare(*RIGHT) == Verdict(False, "timeout")
    assert psutil.wait_procs(stopped, timeout=60)[1] == []
    assert len(warnings(caplog)) == 1
    assert link.compare("!!!", "4") == Verdict(False, "parse_error")


def test_a_worker_killed_while_idle_is_replaced(link, caplog):
    before = template(link)
    for _ in range(3):
        killed = worker(link)
        killed.kill()
        killed.wait(60)
        assert link.compare(*RIGHT) == YES
    assert template(link) == before
    assert len(warnings(caplog)) == 3


def test_a_template_killed_while_idle_is_replaced(link):
    before = [template(link), worker(link)]
    before[0].kill()
    assert link.compare(*RIGHT) == YES
    assert psutil.wait_procs(before, timeout=60)[1] == []


@pytest.mark.parametrize("victim", [worker, template])
def test_a_comparison_whose_child_is_killed_is_repeated_once(make_link, caplog, victim):
    link = make_link(deadline_seconds=4.0)
    link.compare("!!!", "4")
    killed = worker(link), victim(link)
    with ThreadPoolExecutor(1) as threads:
        verdict = threads.submit(link.compare, *ENDLESS)
        wait_until_busy(killed[0])
        killed[1].kill()
        assert verdict.result() == Verdict(False, "timeout")  # Of the repetition.
        assert threads.submit(link.compare, "!!!", "4").result() == Verdict(False, "parse_error")
    assert len(warnings(caplog)) == 1


def test_a_comparison_whose_worker_is_killed_twice_is_a_crash(link, caplog):
    with ThreadPoolExecutor(1) as threads:
        verdict = threads.submit(link.compare, *ENDLESS)
        for _ in range(2):
            killed = worker(link)
            wait_until_busy(killed)
            killed.kill()
            killed.wait(60)
            while not template(link).children():
                time.sleep(0.01)
        assert verdict.result() == Verdict(False, "crash")
    assert any("9^{9^{9}}" in message for message in warnings(caplog))
    assert link.compare(*RIGHT) == YES


def test_ctrl_c_is_for_the_parent_alone(make_link):
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # An ignored signal would be so in the child.
    try:
        link = make_link()
        assert link.compare(*RIGHT) == YES
        before = template(link), worker(link)
        for process in before:
            process.send_signal(signal.SIGINT)
        assert link.compare(*RIGHT) == YES
        assert (template(link), worker(link)) == before
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_death_just_after_an_answer_is_no_death_of_the_next_comparison(make_link, script, caplog):
    script("""
        send({"worker": 0, "reason": "started"})
        receive()
        send([True, "ok"])
        send({"worker": 1, "reason": "exit code -9"})
        assert receive()[0] == 1
        send({"worker": 2, "reason": "exit code -9"})
        assert receive()[0] == 2
        send([True, "ok"])
    """)
    link = make_link()
    assert link.compare("1", "1") == YES
    select.select([link._connection], [], [])  # Until the first death is known.
    assert link.compare("1", "1") == YES


def test_a_question_that_a_replaced_worker_left_unread_is_asked_again_without_counting(make_link, script, caplog):
    script("""
        send({"worker": 0, "reason": "started"})
        for number in (1, 2, 3):
            receive()
            send({"worker": number, "reason": "replaced"})
        assert receive() == [3, "a", "b"]
        send([False, "ok"])
    """)
    assert make_link().compare("a", "b") == Verdict(False, "ok")
    assert warnings(caplog) == []


def test_texts_too_long_to_send_are_a_limit(make_link, script):
    script("""
        send({"worker": 0, "reason": "started"})
        send([receive()[1:] == ["x" * 65000, "1"], "ok"])
        receive()
    """)
    link = make_link()
    assert link.compare("x" * verifier_link.MAX_REQUEST_BYTES, "1") == Verdict(False, "limit")
    assert link.compare("x" * 65000, "1") == YES


def test_a_child_that_cannot_start_is_an_error_and_not_a_verdict(make_link, script):
    script("raise SystemExit('math-verify is missing')")
    link, strangers = make_link(), psutil.Process().children()
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"scripted_child.py did not start: math-verify is missing"):
            link.compare("1", "1")
    assert psutil.Process().children() == strangers


def test_an_interpreter_that_cannot_be_started_is_an_error_and_not_a_verdict(make_link, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RuntimeError, match="/nowhere/python"):
        make_link().compare("1", "1")


def test_a_child_killed_while_it_starts_is_started_again(make_link, script, tmp_path):
    script(f"""
        if not os.path.exists({str(tmp_path / "marker")!r}):
            open({str(tmp_path / "marker")!r}, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        send({{"worker": 0, "reason": "started"}})
        receive()
        send([True, "ok"])
    """)
    assert make_link().compare("1", "1") == YES


@pytest.mark.parametrize("question", [RIGHT, ENDLESS], ids=["idle", "busy"])
def test_no_process_outlives_a_parent_that_is_killed(question):
    parent_code = textwrap.dedent("""
        import sys
        from reward_fns.verifier.link import VerifierLink
        link = VerifierLink(600.0)
        link.compare("x+1", "1+x")
        print("ready", flush=True)
        link.compare(*sys.argv[1:])
        sys.stdin.read()
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_code, *question],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(verifier_link.__file__).parents[2],
    )
    with parent:
        assert parent.stdout.readline() == b"ready\n"
        descendants = psutil.Process(parent.pid).children(recursive=True)
        assert len(descendants) == 2
        if question == ENDLESS:
            wait_until_busy(descendants[1])
        parent.kill()
        assert psutil.wait_procs(descendants, timeout=60)[1] == []


def test_a_child_ends_with_the_thread_that_started_it(make_link):
    link = make_link()
    thread = threading.Thread(target=link.compare, args=RIGHT)
    thread.start()
    thread.join()
    link._process.wait(60)
    assert link.compare(*RIGHT) == YES

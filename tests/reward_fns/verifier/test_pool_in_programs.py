"""Whole programs that use the verifier pool: a fork makes a pool of its own, and an exit leaves no process behind."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from reward_fns.verifier import link as verifier_link

pytestmark = pytest.mark.process

REPOSITORY = Path(verifier_link.__file__).parents[2]


def run(code, **options):
    """Run a program that uses the pool; the time limit only keeps a broken version from hanging the tests."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=120,
        **options,
    )


def test_a_forked_process_makes_a_pool_of_its_own():
    result = run("""
        import os, threading
        from reward_fns.verifier import pool
        assert pool.get_shared_pool() is pool.get_shared_pool()
        assert pool.get_shared_pool().compare("x+1", "1+x") == (True, "ok")
        is_held, is_forked = threading.Event(), threading.Event()
        def hold():  # As any other thread may at this moment.
            with pool._shared_pool_lock:
                is_held.set()
                is_forked.wait()
        threading.Thread(target=hold).start()
        is_held.wait()
        child = os.fork()
        is_forked.set()
        if child == 0:
            os._exit(pool.get_shared_pool().compare("x+2", "2+x") == (True, "ok"))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        print(pool.get_shared_pool().compare("x+3", "3+x").is_equal)
    """)
    assert (result.stdout.split(), result.stderr.replace("\n", "")) == (["1", "True"], "")


# What `os.kill` sends another thread may take, and the program be over before its main thread hears of it.
@pytest.mark.parametrize("ending", ["", "signal.raise_signal(signal.SIGINT)"])
def test_an_interpreter_that_exits_neither_hangs_nor_leaves_processes(ending):
    started = time.time()
    result = run(
        f"""
        import signal, psutil
        from reward_fns.verifier.pool import get_shared_pool
        signal.signal(signal.SIGINT, signal.default_int_handler)  # Of a test in the background it is ignored.
        get_shared_pool().compare("x+1", "1+x")
        for _ in range(100):  # More than a minute's work.
            get_shared_pool().submit("9^{{9^{{9}}}}", "1")
        while len(psutil.Process().children(recursive=True)) < 4:
            pass
        print(*[process.pid for process in psutil.Process().children(recursive=True)], flush=True)
        {ending}
        """
    )
    assert "answer-verifier" not in result.stderr and "reward_fns" not in result.stderr
    pids = map(int, result.stdout.split())
    left = [
        psutil.Process(pid) for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).create_time() > started
    ]
    assert psutil.wait_procs(left, timeout=60)[1] == []
    assert result.returncode == (-signal.SIGINT if "SIGINT" in ending else 0)

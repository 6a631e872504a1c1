"""The pool of children that run math-verify: lazy, for any thread and for asyncio, and fit for forks and exits."""

import asyncio
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from support.processes import wait_until

from reward_fns.verifier import link as verifier_link
from reward_fns.verifier.link import Verdict
from reward_fns.verifier.pool import WorkerPool, close_shared_pool, get_shared_pool

pytestmark = pytest.mark.process

PATIENCE = 120  # seconds; only to keep a broken version from hanging the tests

REPOSITORY = Path(verifier_link.__file__).parents[2]

# A power tower of some 370 million digits: no machine finishes it within a deadline.
ENDLESS = ("9^{9^{9}}", "1")

# True, and more than a second of work.
SLOW = ("(a+b+c)^{12}-(a+b)^{12}", "((a+b+c)^6-(a+b)^6)((a+b+c)^6+(a+b)^6)")

YES = Verdict(True, "ok")


@pytest.fixture
def make_pool():
    pools = []

    def make_pool(num_children=2, deadline_seconds=120.0):
        # Longer than in production, so that a busy test machine does not turn an honest comparison into a timeout.
        pools.append(WorkerPool(num_children, deadline_seconds))
        return pools[-1]

    yield make_pool
    for pool in pools:
        pool.close()


def questions(count):
    """Different questions with a verdict that no other rule would give: every third is true."""
    return [(f"-x > -{number}", f"x < {number + number % 3}") for number in range(count)]


def verdicts(count):
    return [Verdict(number % 3 == 0, "ok") for number in range(count)]


@pytest.fixture(scope="module", autouse=True)
def strangers():
    """Processes that other tests have left to this one, a tracker of resources for example."""
    strangers_of_this_module.update(psutil.Process().children())


strangers_of_this_module: set[psutil.Process] = set()


def templates():
    return [child for child in psutil.Process().children() if child not in strangers_of_this_module]


def workers():
    return [worker for template in templates() for worker in template.children()]


def test_threads_get_the_verdicts_on_their_own_questions(make_pool):
    pool = make_pool()
    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(lambda question: pool.compare(*question), questions(96))) == verdicts(96)


def test_an_event_loop_runs_on_while_comparisons_are_awaited(make_pool):
    pool = make_pool()

    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        futures = [asyncio.wrap_future(pool.submit(*question)) for question in questions(60)]
        assert await asyncio.gather(*futures) == verdicts(60)
        ticking.cancel()
        return ticks

    assert asyncio.run(main()) > 1


def test_nothing_is_started_before_it_is_needed(make_pool):
    pool = make_pool()
    assert templates() == []
    for question, verdict in zip(questions(9), verdicts(9), strict=True):
        assert pool.compare(*question) == verdict
        assert len(templates()) == 1
    busy = pool.submit(*SLOW)
    assert pool.compare("!!!", "4") == Verdict(False, "parse_error")
    assert len(templates()) == 2
    assert [pool.submit(*SLOW).result() for _ in range(2)] == [YES, YES]
    assert len(templates()) == 2
    assert busy.result() == YES


def test_a_pool_that_is_started_has_its_children_warm_before_anything_is_asked(make_pool):
    pool = make_pool(num_children=2)
    pool.start()
    end = time.monotonic() + 120
    while len(workers()) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    before = sorted(child.pid for child in templates())
    assert len(before) == 2
    assert pool.compare("x+1", "1+x") == Verdict(True, "ok")
    pool.start()
    assert sorted(child.pid for child in templates()) == before


def test_who_asks_again_on_an_answer_needs_no_other_child(make_pool):
    pool = make_pool()
    follow_ups = []
    first = pool.submit(*questions(1)[0])
    first.add_done_callback(lambda _: follow_ups.append(pool.submit(*questions(2)[1])))
    assert first.result() == verdicts(1)[0]
    wait_until(lambda: follow_ups and follow_ups[0].done(), PATIENCE)
    assert len(templates()) == 1


def test_an_overrun_holds_up_no_other_comparison_and_its_child_goes_on(make_pool):
    pool = make_pool(num_children=1, deadline_seconds=1.0)
    overruns = [pool.submit(*ENDLESS) for _ in range(3)]
    after = pool.submit("!!!", "4")  # Waits longer than the deadline, which counts from when a child takes it up.
    assert [overrun.result() for overrun in overruns] == [Verdict(False, "timeout")] * 3
    assert after.result() == Verdict(False, "parse_error")


@pytest.mark.parametrize("victims", [workers, templates])
def test_ten_children_killed_at_once_give_right_verdicts(make_pool, victims):
    pool = make_pool(num_children=10)
    with ThreadPoolExecutor(10) as threads:
        assert list(threads.map(lambda question: pool.compare(*question), questions(10))) == verdicts(10)
        for worker in workers():
            worker.suspend()  # So that not one of them has answered when they are killed.
        pending = [pool.submit(*question) for question in questions(10)]
        wait_until(lambda: all(future.running() for future in pending), PATIENCE)
        killed = victims()
        assert len(killed) == 10
        for process in killed:
            process.kill()
        assert [future.result() for future in pending] == verdicts(10)
        assert list(threads.map(lambda question: pool.compare(*question), questions(40))) == verdicts(40)
    assert not any(process.is_running() for process in killed)


def test_closing_ends_the_children_and_leaves_no_zombie(make_pool):
    pool = make_pool(deadline_seconds=2.0)
    running = [pool.submit(*ENDLESS) for _ in range(2)]
    wait_until(lambda: all(future.running() for future in running), PATIENCE)
    waiting = [pool.submit("1", "1") for _ in range(5)]
    processes = [process for template in templates() for process in (template, *template.children())]
    pool.close()
    assert [future.result() for future in running] == [Verdict(False, "timeout")] * 2
    assert all(future.cancelled() for future in waiting)
    assert templates() == []
    assert psutil.wait_procs(processes, timeout=60)[1] == []
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit("1", "1")
    pool.close()


def test_a_closed_shared_pool_is_replaced_when_it_is_used_again(monkeypatch):
    monkeypatch.setenv("REWARD_FNS_VERIFIER_DEADLINE_SECONDS", "120")
    pools = []
    for _ in range(2):
        close_shared_pool()  # The first time there is none.
        assert templates() == []
        pools.append(get_shared_pool())
        assert get_shared_pool().compare("x+1", "1+x") == YES
        assert len(templates()) == 1
    with pytest.raises(RuntimeError, match="closed"):
        pools[0].submit("x+1", "1+x")
    close_shared_pool()
    assert templates() == []


def test_a_cancelled_comparison_is_not_made_and_holds_up_no_other(make_pool):
    pool = make_pool(num_children=1)
    running, cancelled, after = [pool.submit(*question) for question in (SLOW, ENDLESS, ("!!!", "4"))]
    assert cancelled.cancel()
    assert running.result() == YES
    assert after.result() == Verdict(False, "parse_error")
    with pytest.raises(CancelledError):
        cancelled.result()


def test_a_child_that_cannot_start_is_an_error_in_every_future(make_pool, monkeypatch, tmp_path):
    broken = tmp_path / "broken_child.py"
    broken.write_text("import no_such_module\n")
    monkeypatch.setattr(verifier_link, "_CHILD_SCRIPT", broken)
    pool = make_pool()
    futures = [pool.submit("1", "1") for _ in range(4)]
    for future in futures:
        with pytest.raises(
            RuntimeError, match=r"broken_child.py did not start.*(\n.*)*No module named 'no_such_module'"
        ):
            future.result()
    monkeypatch.undo()
    assert pool.compare("1", "1") == YES


def test_settings_come_from_the_environment(make_pool, monkeypatch):
    monkeypatch.setenv("REWARD_FNS_VERIFIER_CHILDREN", "1")
    monkeypatch.setenv("REWARD_FNS_VERIFIER_DEADLINE_SECONDS", "0.5")
    pool = make_pool(None, None)
    assert [future.result().status for future in [pool.submit(*ENDLESS) for _ in range(2)]] == ["timeout"] * 2
    assert len(templates()) == 1


def test_settings_have_defaults(monkeypatch):
    monkeypatch.delenv("REWARD_FNS_VERIFIER_CHILDREN", raising=False)
    monkeypatch.delenv("REWARD_FNS_VERIFIER_DEADLINE_SECONDS", raising=False)
    pool = WorkerPool()
    assert (pool._num_children, pool._deadline_seconds) == (2, 2.0)


@pytest.mark.parametrize(
    ("variable", "values", "accepted"),
    [
        ("REWARD_FNS_VERIFIER_CHILDREN", ["0", "-1", "two", "1.5", "", "99999"], "a whole number above 0"),
        ("REWARD_FNS_VERIFIER_DEADLINE_SECONDS", ["0", "-1", "soon", "nan", "inf", ""], "a number above 0"),
    ],
)
def test_a_bad_setting_names_itself(monkeypatch, variable, values, accepted):
    for value in values:
        monkeypatch.setenv(variable, value)
        with pytest.raises(ValueError, match=f"{variable} must be {accepted}.*, got '{value}'"):
            WorkerPool()


def test_a_bad_argument_is_refused():
    with pytest.raises(ValueError, match="got 0"):
        WorkerPool(num_children=0)
    with pytest.raises(ValueError, match="got -1"):
        WorkerPool(deadline_seconds=-1)

"""The watchdog that ends a run for a fault, and errors that are explained by one."""

import functools
import queue
import threading

import pytest

from recipe.edge_grpo.run import watchdog
from recipe.edge_grpo.run.watchdog import Watchdog, explain_error_by_fault

TICK = 0.001
PATIENCE = 10.0  # how long a test waits for what must happen; it goes on as soon as it has


@pytest.fixture
def watch():
    """watch(find_fault) starts a watchdog; `.messages` is a queue of what it ends the run with."""
    started = []

    def start(find_fault):
        messages = queue.Queue()
        watching = Watchdog(find_fault, messages.put, TICK)
        watching.messages = messages
        watching.start()
        started.append(watching)
        return watching

    yield start
    for watching in started:
        watching.stop()


def script(*faults):
    """A finder that returns these one after the other, then for ever the last, and `.was_called(number)`."""
    answers, calls = list(faults), threading.Semaphore(0)

    def find_fault():
        calls.release()
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    find_fault.was_called = lambda number: all(calls.acquire(timeout=PATIENCE) for _ in range(number))
    return find_fault


def test_a_run_without_a_fault_is_left_alone_and_looked_at_again_and_again(watch):
    find_fault = script(None)
    watching = watch(find_fault)
    assert find_fault.was_called(5)
    assert watching.is_alive()
    assert watching.messages.empty()


def test_a_fault_ends_the_run_once_with_its_message(watch):
    watching = watch(script(None, None, "it is broken"))
    assert watching.messages.get(timeout=PATIENCE) == "it is broken"
    watching.join(PATIENCE)
    assert not watching.is_alive()
    assert watching.messages.empty()


def test_a_look_that_fails_ends_neither_the_run_nor_the_watch(watch):
    watching = watch(script(ConnectionError("Ray does not answer"), None, "it is broken"))
    assert watching.messages.get(timeout=PATIENCE) == "it is broken"


def test_a_look_that_fails_does_not_replace_the_error_that_it_should_explain(monkeypatch):
    monkeypatch.setattr(watchdog, "SECONDS_FOR_NEWS", TICK)
    finders = [script(ConnectionError("Ray does not answer")), script("a server is dead")]
    with pytest.raises(RuntimeError, match="a server is dead") as raised, explain_error_by_fault(finders):
        raise KeyError("groups without responses")
    assert isinstance(raised.value.__cause__, KeyError)


def test_a_watchdog_that_was_stopped_looks_no_more(watch):
    find_fault = script(None)
    watching = watch(find_fault)
    assert find_fault.was_called(1)
    watching.stop()
    watching.join(PATIENCE)
    assert not watching.is_alive()
    assert watching.messages.empty()


def test_a_fault_that_is_found_while_the_run_comes_to_its_end_is_none(watch):
    is_looking, has_ended = threading.Event(), threading.Event()

    def find_fault():
        is_looking.set()
        has_ended.wait(PATIENCE)
        return "a server is gone, as all are at the end"

    watching = watch(find_fault)
    assert is_looking.wait(PATIENCE)
    watching.stop()
    has_ended.set()
    watching.join(PATIENCE)
    assert not watching.is_alive()
    assert watching.messages.empty()


def test_it_does_not_keep_a_finished_run_alive():
    assert Watchdog(lambda: None, print, TICK).daemon


def test_an_error_that_comes_from_a_fault_names_it_and_keeps_the_cause():
    finders = [lambda: None, lambda: "the server is dead", functools.partial(pytest.fail, "the first fault is enough")]
    message = r"^EDGE-GRPO: the server is dead$"
    with pytest.raises(RuntimeError, match=message) as error, explain_error_by_fault(finders):
        raise KeyError("groups without responses")
    assert isinstance(error.value.__cause__, KeyError)


def test_an_error_before_the_fault_is_on_record_names_it_too(monkeypatch):
    monkeypatch.setattr(watchdog, "SECONDS_FOR_NEWS", TICK)
    with (
        pytest.raises(RuntimeError, match="EDGE-GRPO: now it is known"),
        explain_error_by_fault([script(None, "now it is known")]),
    ):
        raise KeyError("groups without responses")


def test_an_error_without_a_fault_is_passed_on_as_it_is(monkeypatch):
    monkeypatch.setattr(watchdog, "SECONDS_FOR_NEWS", TICK)
    find_fault = script(None)
    raised = KeyError("something else")
    with pytest.raises(KeyError) as error, explain_error_by_fault(iter([find_fault])):
        raise raised
    assert error.value is raised
    assert find_fault.was_called(2)  # at once, and once more after the wait


def test_without_an_error_no_fault_is_looked_for():
    with explain_error_by_fault([functools.partial(pytest.fail, "nothing has failed")]):
        pass

"""The watchdog against a real HTTP server that turns unhealthy, recovers, answers nonsense or disappears."""

import contextlib
import http.server
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from recipe.edge_grpo.watchdog import FAILURES_BEFORE_END, VLLMWatchdog, is_healthy, naming_dead_servers

TICK = 0.01
PATIENCE = 10.0  # how long a test waits for what must happen; it goes on as soon as it has


class Server:
    """Stands for a vLLM server: answers /health with the next of `answers`, then for ever with the last one."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.num_requests = 0
        self.first_request_paths = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.first_request_paths.append(self.path)
                outer.num_requests += 1
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                else:
                    self.send_response(answer)
                    self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": TICK}, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    def wait_for_requests(self, number):
        deadline = time.monotonic() + PATIENCE
        while self.num_requests < number and time.monotonic() < deadline:
            time.sleep(TICK)
        return self.num_requests >= number


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:

        def start(*answers):
            server = Server(*answers)
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def watch():
    """watch(*addresses) starts a watchdog; `.ended` is set and `.messages` filled when it ends the run."""

    def start(*addresses):
        messages, ended = [], threading.Event()

        def end_run(message):
            messages.append(message)
            ended.set()

        watchdog = VLLMWatchdog(addresses, end_run=end_run, interval=TICK)
        watchdog.messages, watchdog.ended = messages, ended
        watchdog.start()
        return watchdog

    return start  # a watchdog that is still running ends when its server has been stopped


def unused_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(("answer", "expected"), [(200, True), (500, False), (503, False), (404, False)])
def test_a_server_is_healthy_if_it_answers_200(serve, answer, expected):
    server = serve(answer)
    assert is_healthy(server.address, timeout=PATIENCE) is expected
    assert server.first_request_paths == ["/health"]


def test_a_port_without_a_server_is_unhealthy():
    assert not is_healthy(unused_address(), timeout=PATIENCE)


def test_a_server_that_accepts_and_says_nothing_is_unhealthy():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not is_healthy(f"127.0.0.1:{silent.getsockname()[1]}", timeout=0.1)


def test_an_answer_that_is_not_http_is_unhealthy_and_no_error(serve):
    """A process that is dying, or another one that got its port, may answer anything."""
    assert not is_healthy(serve(b"garbage\r\n\r\n").address, timeout=PATIENCE)


def test_a_proxy_in_the_environment_is_not_asked(serve, monkeypatch):
    """Clusters set http_proxy; a proxy does not know the compute nodes, and healthy runs would be ended."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://{unused_address()}")
    monkeypatch.setattr(urllib.request, "_opener", None)  # urllib reads the environment once per process
    assert is_healthy(serve(200).address, timeout=PATIENCE)


def test_a_healthy_server_is_left_alone(serve, watch):
    server = serve(200)
    watchdog = watch(server.address)
    assert server.wait_for_requests(3 * FAILURES_BEFORE_END)
    assert watchdog.is_alive()
    assert watchdog.messages == []


def test_a_server_that_turns_unhealthy_ends_the_run_once_with_its_address(serve, watch):
    healthy, dying = serve(200), serve(200, 200, 503)
    watchdog = watch(healthy.address, dying.address)
    assert watchdog.ended.wait(PATIENCE)
    watchdog.join(PATIENCE)
    assert not watchdog.is_alive()
    (message,) = watchdog.messages
    assert dying.address in message
    assert healthy.address not in message
    assert dying.num_requests == 2 + FAILURES_BEFORE_END


def test_a_server_that_disappears_ends_the_run(serve, watch):
    server = Server(200)
    watchdog = watch(server.address)
    assert server.wait_for_requests(2)
    server.stop()
    assert watchdog.ended.wait(PATIENCE)


def test_failures_must_follow_each_other(serve, watch):
    # two failures, an answer, two failures, ...: never three in a row
    pattern = [503] * (FAILURES_BEFORE_END - 1) + [200]
    server = serve(*pattern * 4, 200)
    watchdog = watch(server.address)
    assert server.wait_for_requests(4 * len(pattern) + 3)
    assert watchdog.messages == []


def test_failures_of_different_servers_are_not_added_up(serve, watch):
    servers = [serve(*[503] * (FAILURES_BEFORE_END - 1), 200) for _ in range(3)]
    watchdog = watch(*(server.address for server in servers))
    assert servers[-1].wait_for_requests(3 * FAILURES_BEFORE_END)
    assert watchdog.messages == []


def test_an_answer_that_is_not_http_does_not_stop_the_watch(serve, watch):
    server = serve(200, b"garbage\r\n\r\n", 200, 503)
    watchdog = watch(server.address)
    watchdog.join(PATIENCE)  # its thread ends with the run, or with an error
    assert len(watchdog.messages) == 1


def test_an_error_while_a_server_is_dead_names_the_server_and_keeps_the_cause(serve):
    alive, dead = serve(200), serve(503)
    with (
        pytest.raises(RuntimeError, match=f"{dead.address} is dead") as error,
        naming_dead_servers([alive.address, dead.address]),
    ):
        raise KeyError("groups without responses")
    assert isinstance(error.value.__cause__, KeyError)


def test_an_error_while_all_servers_live_is_passed_on_as_it_is(serve):
    with pytest.raises(KeyError, match="something else"), naming_dead_servers([serve(200).address]):
        raise KeyError("something else")


def test_it_does_not_keep_a_finished_run_alive():
    assert VLLMWatchdog([]).daemon


def test_ending_the_process_reaches_one_whose_main_thread_is_blocked():
    program = (
        "import threading\n"
        "from recipe.edge_grpo.watchdog import VLLMWatchdog\n"
        f"VLLMWatchdog(['{unused_address()}'], interval=0.01).start()\n"
        "threading.Lock().acquire() and threading.Event().wait()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "EDGE-GRPO: the vLLM server at 127.0.0.1:" in ended.stderr
    assert "is dead (its health checks fail)" in ended.stderr

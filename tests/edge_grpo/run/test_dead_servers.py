"""What is found of a real HTTP server that turns unhealthy, recovers, answers nonsense or disappears."""

import contextlib
import http.server
import importlib
import socket
import threading
import types
import urllib.request

import pytest

from recipe.edge_grpo.run import dead_servers
from recipe.edge_grpo.run.dead_servers import (
    FAILURES_OF_A_DEAD_SERVER,
    VLLMHealth,
    addresses_of_vllm,
    find_unhealthy_server,
    is_healthy,
)

TICK = 0.01
PATIENCE = 10.0  # how long a server may take to answer


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


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:

        def start(*answers):
            server = Server(*answers)
            stack.callback(server.stop)
            return server

        yield start


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
    reloaded = importlib.reload(dead_servers)  # and an opener of one's own when it is made
    assert reloaded.is_healthy(serve(200).address, timeout=PATIENCE)


def look(health, times):
    """What so many looks find."""
    return [health() for _ in range(times)]


def test_nothing_is_found_of_a_server_that_answers(serve):
    server = serve(200)
    assert set(look(VLLMHealth([server.address]), 3 * FAILURES_OF_A_DEAD_SERVER)) == {None}
    assert server.num_requests == 3 * FAILURES_OF_A_DEAD_SERVER


def test_a_server_that_turns_unhealthy_is_found_with_its_address(serve):
    healthy, dying = serve(200), serve(200, 200, 503)
    *before, message = look(VLLMHealth([healthy.address, dying.address]), 2 + FAILURES_OF_A_DEAD_SERVER)
    assert set(before) == {None}
    assert f"the vLLM server at {dying.address} is dead" in message
    assert healthy.address not in message


def test_a_server_that_disappears_is_found():
    server = Server(200)
    health = VLLMHealth([server.address])
    assert health() is None
    server.stop()
    assert server.address in look(health, FAILURES_OF_A_DEAD_SERVER)[-1]


def test_failures_must_follow_each_other(serve):
    # two failures, an answer, two failures, ...: never three in a row
    pattern = [503] * (FAILURES_OF_A_DEAD_SERVER - 1) + [200]
    server = serve(*pattern * 4, 200)
    assert set(look(VLLMHealth([server.address]), 4 * len(pattern))) == {None}


def test_failures_of_different_servers_are_not_added_up(serve):
    servers = [serve(*[503] * (FAILURES_OF_A_DEAD_SERVER - 1), 200) for _ in range(3)]
    assert set(look(VLLMHealth(server.address for server in servers), 3 * FAILURES_OF_A_DEAD_SERVER)) == {None}


def test_a_single_look_finds_the_first_server_that_does_not_answer(serve):
    alive, *dead = serve(200), serve(503), serve(503)
    assert f"the vLLM server at {dead[0].address} is dead" in find_unhealthy_server(
        server.address for server in (alive, *dead)
    )
    assert find_unhealthy_server([alive.address]) is None
    assert find_unhealthy_server([]) is None


def test_only_servers_of_vllm_are_asked_whatever_else_samples_beside_them():
    def replica(address, engine):
        return types.SimpleNamespace(server_address=address, config=types.SimpleNamespace(name=engine))

    def manager(*replicas):
        return types.SimpleNamespace(get_replicas=lambda: replicas)

    managers = [
        manager(replica("a:1", "vllm"), replica("a:2", "sglang")),
        manager(),
        manager(replica("b:1", "trtllm"), replica("b:2", "vllm")),
    ]
    assert addresses_of_vllm(managers) == ["a:1", "b:2"]
    assert addresses_of_vllm([]) == []

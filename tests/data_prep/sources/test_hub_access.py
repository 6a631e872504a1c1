"""Names of datasets where the hub does not answer: in new processes, since `datasets` reads the environment once."""

import http.server
import os
import socket
import subprocess
import sys
import threading

import datasets
import pytest

pytestmark = pytest.mark.process

READ = """
import sys
from data_prep.sources.records import read_located
try:
    print([located.record for located in read_located(sys.argv[1:])])
except ValueError as error:
    print(error)
"""


@pytest.fixture
def read_in_new_process(tmp_path):
    def read(*inputs, **environment):
        environment = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", **environment}
        command = [sys.executable, "-c", READ, *inputs]
        completed = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True
        )
        return completed.stdout.strip()

    return read


@pytest.fixture
def silent_endpoint():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def endpoint_with(request):
    """A server, or a proxy in its place, that answers each request with one status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(request.param)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


FIX = "no file or folder is called so; without a network, give a downloaded file or folder instead of the name"


def test_a_hub_that_refuses_connections_is_named(read_in_new_process):
    message = read_in_new_process("owner/absent", HF_ENDPOINT="http://127.0.0.1:9")
    reason = "the hub was not reached (http://127.0.0.1:9: [Errno 111] Connection refused), and the cache did not "
    assert message.startswith(f"owner/absent: cannot be loaded as a Hugging Face dataset: {reason}")
    assert message.endswith(FIX)


def test_a_hub_that_never_answers_is_waited_for_seconds_only(read_in_new_process, silent_endpoint):
    message = read_in_new_process("owner/absent", HF_ENDPOINT=silent_endpoint)
    assert message.startswith("owner/absent: cannot be loaded")
    assert f"the hub was not reached ({silent_endpoint}: " in message
    assert message.endswith(FIX)


@pytest.mark.parametrize("endpoint_with", [503], indirect=True)
def test_a_hub_that_fails_is_not_asked_again_and_again(read_in_new_process, endpoint_with):
    message = read_in_new_process("owner/absent", HF_ENDPOINT=endpoint_with)
    assert f"the hub was not reached ({endpoint_with}: it answers with status 503)" in message


@pytest.mark.parametrize("endpoint_with", [404], indirect=True)
def test_a_dataset_that_the_hub_does_not_have_is_named(read_in_new_process, endpoint_with):
    message = read_in_new_process("owner/absent", HF_ENDPOINT=endpoint_with)
    assert "cannot be loaded as a Hugging Face dataset: Dataset 'owner/absent' doesn't exist on the Hub" in message
    assert message.endswith(FIX)


def test_a_proxy_that_does_not_answer_is_gone_through_and_waited_for_seconds_only(read_in_new_process, silent_endpoint):
    environment = {"HTTP_PROXY": silent_endpoint, "http_proxy": silent_endpoint, "NO_PROXY": "", "no_proxy": ""}
    message = read_in_new_process("owner/absent", HF_ENDPOINT="http://hub.invalid", **environment)
    assert "the hub was not reached (http://hub.invalid: " in message
    assert "timed out" in message or "no answer" in message


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_an_environment_that_asks_to_stay_offline_is_named(read_in_new_process, name):
    message = read_in_new_process("owner/absent", **{name: "1"})
    assert "the hub was not reached (the environment asks to stay offline), and the cache did not help: " in message


def test_a_dataset_in_the_cache_is_read_without_a_hub(tmp_path, read_in_new_process):
    (tmp_path / "in.jsonl").write_text('{"problem": "x", "answer": 1}\n')
    data_files = {"train": str(tmp_path / "in.jsonl")}
    builder = datasets.load_dataset_builder("json", data_files=data_files, cache_dir=str(tmp_path / "made"))
    cached = tmp_path / "home" / "datasets" / "owner___name" / "default" / "0.0.0" / "0123456789abcdef"
    builder.download_and_prepare(str(cached))
    for path in cached.glob("json-*"):
        path.rename(cached / path.name.replace("json-", "name-"))
    output = read_in_new_process("owner/name", HF_ENDPOINT="http://127.0.0.1:9")
    assert output == "[{'problem': 'x', 'answer': 1}]"


def test_a_command_says_in_one_line_that_there_is_no_network(tmp_path):
    command = [sys.executable, "-m", "data_prep.deepscaler", "--input", "owner/absent", "--output-dir", str(tmp_path)]
    completed = subprocess.run(command, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True)
    assert completed.returncode == 2
    assert "owner/absent: cannot be loaded as a Hugging Face dataset" in completed.stderr
    assert "without a network, give a downloaded file" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert os.listdir(tmp_path) == []

"""SIGTERM asks a run to stop; a second one ends it at once."""

import os
import signal
import subprocess
import sys

import pytest

from recipe.edge_grpo.run.stop_request import (
    STOP_FILE,
    forget_earlier_request,
    forget_request,
    is_stop_requested,
    request_stop,
)

# A driver as verl's: `ray.init` sets a handler that ends the process, then it waits for the training.
DRIVER = """
import signal, sys, time, types
ray = types.ModuleType("ray")
def init(**options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(15))
    return options
ray.init, ray.is_initialized = init, lambda: False
sys.modules["ray"] = ray
from recipe.edge_grpo.run.stop_request import stop_on_sigterm
stop_on_sigterm(sys.argv[1])
print(ray.init(address="a"), ray.init is init, flush=True)
time.sleep(60)
"""


def test_a_request_is_a_file_in_the_run_folder_and_can_be_forgotten(tmp_path):
    folder = str(tmp_path / "run")
    assert not is_stop_requested(folder)
    request_stop(folder)
    assert is_stop_requested(folder)
    forget_request(folder)
    forget_request(folder)
    assert not is_stop_requested(folder)


def test_a_request_since_this_process_began_is_meant_for_it(tmp_path):
    request_stop(str(tmp_path))
    forget_earlier_request(str(tmp_path))
    assert is_stop_requested(str(tmp_path))
    os.utime(tmp_path / STOP_FILE, (1, 1))
    forget_earlier_request(str(tmp_path))
    forget_earlier_request(str(tmp_path))
    assert not is_stop_requested(str(tmp_path))


@pytest.fixture
def driver(tmp_path):
    (tmp_path / STOP_FILE).touch()  # of an earlier start
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_the_first_sigterm_asks_and_the_second_ends(driver, tmp_path):
    assert driver.stdout.readline() == "{'address': 'a'} True\n"  # Ray is started as asked, and is itself again
    assert not is_stop_requested(str(tmp_path))  # the request of the earlier start is forgotten
    driver.send_signal(signal.SIGTERM)
    # The message is the last thing the handler does. Without waiting for it the second signal could end it halfway.
    assert "SIGTERM: the run stops after this step" in driver.stderr.readline()
    assert is_stop_requested(str(tmp_path))
    assert driver.poll() is None
    driver.send_signal(signal.SIGTERM)
    assert driver.wait(timeout=30) == 15


@pytest.mark.process
def test_ray_still_takes_sigterm_for_itself_when_it_starts():
    """Fails when Ray changes there."""
    import inspect

    import ray._private.worker

    assert "set_sigterm_handler(sigterm_handler)" in inspect.getsource(ray._private.worker)

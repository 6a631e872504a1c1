"""What only calls vLLM's server does not import it, and Ray still does so without the patch."""

import json
import os
import subprocess
import sys
import types

import pytest

from recipe.edge_grpo.verl_patches import server_handles

OF_SERVER = types.SimpleNamespace(module_name=server_handles.SERVER_MODULE)

SERVER = """
class Server:
    async def twice(self, number, offset=0):
        return 2 * number + offset
"""

# An actor of a module that stands for verl's server, and two that call it, one of them with the patch.
CALLS = """
import json, sys
import ray
from heavy_server import Server

class Caller:
    def __init__(self, is_patched):
        if is_patched:
            from ray._private import function_manager
            from recipe.edge_grpo.verl_patches import server_handles
            server_handles.SERVER_MODULE = "heavy_server"
            server_handles.make_handles_without_import(function_manager)

    def call(self, server):
        return ray.get(server.twice.remote(4, offset=1)), "heavy_server" in sys.modules

ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, configure_logging=False)
server = ray.remote(Server).remote()
calls = [ray.remote(Caller).remote(is_patched).call.remote(server) for is_patched in (True, False)]
print(json.dumps(ray.get(calls)))
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    (folder / "heavy_server.py").write_text(SERVER)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])}
    command = [sys.executable, "-c", CALLS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return dict(zip(("patched", "as Ray does"), json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.process
def test_a_handle_is_called_without_the_module_of_its_actor(calls):
    assert calls["patched"] == [9, False]  # 2 x 4 + 1


@pytest.mark.process
def test_ray_still_imports_the_module_without_the_patch(calls):
    assert calls["as Ray does"] == [9, True]


@pytest.fixture
def load():
    """load(descriptor): what the patched method of a manager has found in place of the server."""

    class FunctionActorManager:
        def _load_actor_class_from_gcs(self, job_id, descriptor):
            return type("Class", (), {"found": sys.modules.get(server_handles.SERVER_MODULE, "not hidden")})

    server_handles.make_handles_without_import(types.SimpleNamespace(FunctionActorManager=FunctionActorManager))
    return lambda descriptor: FunctionActorManager()._load_actor_class_from_gcs(None, descriptor).found


@pytest.fixture
def no_server(monkeypatch):
    monkeypatch.delitem(sys.modules, server_handles.SERVER_MODULE, raising=False)


def test_the_module_is_hidden_for_that_class_and_while_it_is_loaded_only(load, no_server):
    assert load(OF_SERVER) is None
    assert server_handles.SERVER_MODULE not in sys.modules
    assert load(types.SimpleNamespace(module_name="another")) == "not hidden"


def test_a_process_that_has_the_module_has_its_class(load, monkeypatch):
    module = types.ModuleType("server")
    monkeypatch.setitem(sys.modules, server_handles.SERVER_MODULE, module)
    assert load(OF_SERVER) is module
    assert sys.modules[server_handles.SERVER_MODULE] is module


def test_verls_server_is_still_a_class_of_that_module_whose_methods_have_no_options_of_ray():
    from importlib.util import find_spec
    from pathlib import Path

    verl = Path(find_spec("verl").origin).parent
    source = verl.joinpath(*server_handles.SERVER_MODULE.split(".")[1:]).with_suffix(".py").read_text()
    assert "\nclass vLLMHttpServer" in source
    assert "ray.remote(vLLMHttpServer)" in source
    assert "@ray.method" not in source  # Ray would not know of them

"""A patch of Ray: a process that only calls vLLM's server does not import vLLM.

Lacking: Ray imports the class of an actor in every process that gets a handle of it, to know its methods: with verl's
server that is all of vLLM, in the balancer of requests, the agent-loop workers and the training processes. Replaced:
`FunctionActorManager._load_actor_class_from_gcs`, by itself with that module hidden: for a class that it cannot import
Ray makes one of the methods' names, and with methods of any arguments it is all that a call needs. A process in which
the module is there, or that loads the plugin by importing it, as the server's own does, has the class as before.
Active: on the CPU platform, in runs with the block `edge_grpo:`. May go: when Ray makes handles without the class.
"""

import functools
import inspect
import sys
from typing import Any

SERVER_MODULE = "verl.workers.rollout.vllm_rollout.vllm_async_server"


def make_handles_without_import(function_manager: Any) -> None:
    """Make Ray's `function_manager` module take vLLM's server for a class that cannot be imported."""
    manager_class = function_manager.FunctionActorManager
    original = manager_class._load_actor_class_from_gcs

    @functools.wraps(original)
    def load(self: Any, job_id: Any, descriptor: Any) -> Any:
        if descriptor.module_name != SERVER_MODULE or SERVER_MODULE in sys.modules:
            return original(self, job_id, descriptor)
        sys.modules[SERVER_MODULE] = None  # type: ignore[assignment]  # makes importing it an ImportError
        try:
            stand_in = original(self, job_id, descriptor)
        finally:
            del sys.modules[SERVER_MODULE]
        for name, _ in inspect.getmembers(stand_in, inspect.isfunction):
            setattr(stand_in, name, _method_of_server)  # Ray's own takes no positional arguments
        return stand_in

    manager_class._load_actor_class_from_gcs = load


def _method_of_server(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError("this stands for a method of vLLM's server, which runs in the server's process")

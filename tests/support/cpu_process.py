"""One process in which verl runs on the CPU platform, as +profile=cpu on the command line starts it."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import importlib.metadata, json, os, sys

def outcome(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

import verl
facts = {"platform_variable": os.environ.get("VERL_PLATFORM"), "environment": dict(os.environ)}
from verl.plugin.platform import get_platform
from verl.utils import device
facts["platform"] = f"{type(get_platform()).__module__}.{type(get_platform()).__name__}"
facts["device_name"] = device.get_device_name()
facts["resource_name"] = device.get_resource_name()
facts["device_id"] = device.get_device_id()
facts["device_module"] = type(device.get_torch_device()).__name__
facts["vllm_version"] = importlib.metadata.version("vllm")
facts["missing_version"] = outcome(lambda: importlib.metadata.version("no-such-distribution"))

from verl.trainer.main_ppo import validate_config
from hydra import compose, initialize_config_module
with initialize_config_module("verl.trainer.config", version_base=None):
    config = compose("ppo_trainer", overrides=[
        "+recipe=edge_grpo", "+profile=cpu", "data.train_files=hdfs://host/a", "data.val_files=hdfs://host/b",
        "actor_rollout_ref.model.path=a/model",
    ])
validate = lambda: validate_config(config=config, use_reference_policy=False, use_critic=False)
facts["accepted"] = outcome(validate)
config.ray_kwargs.ray_init.num_cpus = 3
facts["too_few_cpus"] = outcome(validate)

from verl.utils import distributed
import torch.distributed as dist
os.environ["DIST_INIT_METHOD"] = "file://" + os.environ["RENDEZVOUS"]
patched = distributed.initialize_global_process_group_ray
facts["unpatched_process_group"] = outcome(patched.__wrapped__)
facts["patched_process_group"] = outcome(patched)
facts["backend"] = dist.get_backend()

import torch
from torch.distributed.tensor import DeviceMesh, Shard, distribute_tensor
from verl.utils import fsdp_utils

def saved_before_an_update(save):
    model = torch.nn.Module()
    weight = distribute_tensor(torch.ones(1), DeviceMesh("cpu", [0]), [Shard(0)])
    model.register_parameter("weight", torch.nn.Parameter(weight))
    state, _ = save(model)
    with torch.no_grad():
        model.weight.add_(1)  # as an optimizer does, in place
    return state["weight"][0].item()

patched = fsdp_utils.fsdp2_sharded_save_to_cpu
facts["saved_before_an_update"] = {
    "unpatched": saved_before_an_update(patched.__wrapped__),
    "patched": saved_before_an_update(patched),
}
dist.destroy_process_group()

from verl.workers.engine.base import EngineRegistry
import verl.workers.engine.fsdp.transformer_impl
facts["offload_policy"] = outcome(lambda: verl.workers.engine.fsdp.transformer_impl.CPUOffloadPolicy(pin_memory=True))
from verl.checkpoint_engine import CheckpointEngineRegistry
facts["checkpoint_engine"] = outcome(lambda: CheckpointEngineRegistry.get("gloo").__name__)
facts["engines"] = {
    backend: outcome(lambda: EngineRegistry.get_engine_cls("language_model", backend).__name__)
    for backend in ("fsdp", "fsdp2")
}
print("FACTS" + json.dumps(facts))
"""


@pytest.fixture(scope="session")
def cpu_process(tmp_path_factory):
    """Facts from a process whose command line has +profile=cpu and in which nothing else selects the platform."""
    hidden = ("VERL_PLATFORM", "TOKENIZERS_PARALLELISM", "TORCH_COMPILE_DISABLE", "VLLM_LOGGING_LEVEL")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {
        "OMP_NUM_THREADS": "2",
        "CUDA_VISIBLE_DEVICES": "",
        "RENDEZVOUS": str(tmp_path_factory.mktemp("rendezvous") / "file"),
    }
    command = [sys.executable, "-c", PROGRAM, "+recipe=edge_grpo", "+profile=cpu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1].removeprefix("FACTS"))

"""What the processes of a run on the CPU import: those that need no vLLM or no trainer import neither."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

IMPORT = """
import importlib, json, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
print(json.dumps([name for name in ("vllm", "verl.trainer.ppo.v1") if name in sys.modules]))
"""


def heavy_modules_after(*modules):
    environment = os.environ | {"VERL_PLATFORM": "cpu", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "ignore", "-c", IMPORT, *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_reward_worker_and_the_balancer_import_neither_vllm_nor_the_trainer():
    modules = ("verl.experimental.reward_loop.reward_loop", "verl.workers.rollout.router", "reward_fns.math_reward")
    assert heavy_modules_after(*modules) == []


def test_an_agent_loop_worker_imports_verls_trainer_and_not_vllm():
    # verl has its worker beside its trainers, in one package
    assert heavy_modules_after("recipe.edge_grpo.correction.rollout") == ["verl.trainer.ppo.v1"]

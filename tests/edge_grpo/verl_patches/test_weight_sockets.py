"""Two runs on one machine, whose Rays both call their job 01000000, get each their own weights."""

import os
import subprocess
import sys

import pytest

from recipe.edge_grpo.verl_patches.activation import RUN_VARIABLE
from recipe.edge_grpo.verl_patches.weight_sockets import own_socket

# verl's real sender and receiver of two runs, which verl gives the same socket name; both are at work at the same time.
TWO_RUNS = """
import asyncio, os, sys, threading
import verl, torch
from verl.workers.rollout.vllm_rollout.bucketed_weight_transfer import BucketedWeightReceiver, BucketedWeightSender

received = {}

async def weights(value):
    await asyncio.sleep(1.0)  # so that the other sender has opened its socket
    yield "weight", torch.full((3,), float(value))

def send(run):
    asyncio.run(senders[run].async_send_weights(weights(run)))

def receive(run):
    receivers[run].receive_weights(on_bucket_received=lambda bucket, *_: received.update(
        {run: [tensor.tolist() for _, tensor in bucket]}))

senders, receivers = {}, {}
for run in (1, 2):
    os.environ["RAY_RAYLET_PID"] = str(run)
    handle = f"ipc://{sys.argv[1]}/weights.sock"
    senders[run] = BucketedWeightSender(zmq_handle=handle, bucket_size_mb=1, use_shm=True)
    receivers[run] = BucketedWeightReceiver(zmq_handle=handle, device=torch.device("cpu"), use_shm=True)
threads = [threading.Thread(target=call, args=(run,), daemon=True) for run in (1, 2) for call in (send, receive)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(30)
print(sorted(received.items()))
"""


@pytest.mark.process
def test_verls_weights_reach_the_engine_of_their_own_run(tmp_path):
    environment = {**os.environ, "VERL_PLATFORM": "cpu", RUN_VARIABLE: "1"}
    command = [sys.executable, "-W", "ignore", "-c", TWO_RUNS, tmp_path]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    expected = "[(1, [[1.0, 1.0, 1.0]]), (2, [[2.0, 2.0, 2.0]])]"
    assert finished.stdout.splitlines()[-1] == expected, finished.stderr[-2000:]


def test_the_ray_node_is_part_of_the_name(monkeypatch):
    monkeypatch.setenv("RAY_RAYLET_PID", "4711")
    assert own_socket("ipc:///tmp/weights.sock") == "ipc:///tmp/weights.sock.4711"
    assert own_socket("tcp://127.0.0.1:5000") == "tcp://127.0.0.1:5000"


def test_outside_of_ray_the_name_stays_as_it_is(monkeypatch):
    monkeypatch.delenv("RAY_RAYLET_PID", raising=False)
    assert own_socket("ipc:///tmp/weights.sock") == "ipc:///tmp/weights.sock"

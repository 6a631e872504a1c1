"""Weights cross processes over real gloo groups and arrive bit for bit.

Two training and two rollout processes keep their engines over several updates, as verl's workers do. What verl's
`CheckpointEngineManager` does between them, the tests do.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

PROGRAM = Path(__file__).with_name("checkpoint_engine_process.py")


class Process:
    """One process that holds an engine; `call` and `answer` are apart so that several can work at the same time."""

    def __init__(self, log, *arguments):
        environment = {**os.environ, "VERL_PLATFORM": "cpu", "OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        command = [sys.executable, PROGRAM, *map(str, arguments)]
        self.process = subprocess.Popen(command, text=True, env=environment, **pipes)

    def wait_until_ready(self):
        for line in self.process.stdout:  # verl may print before
            if line == "READY\n":
                return
        pytest.fail(f"a process ended with {self.process.wait()}")

    def call(self, method, **arguments):
        self.process.stdin.write(json.dumps([method, arguments]) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, f"a process ended with {self.process.wait()}"
        return json.loads(line)

    def listening(self):
        """{(address, port)} of this process."""
        connections = psutil.Process(self.process.pid).net_connections(kind="tcp")
        return {tuple(connection.laddr) for connection in connections if connection.status == psutil.CONN_LISTEN}


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """(training processes, rollout processes)"""
    folder = tmp_path_factory.mktemp("checkpoint_engine")
    log_file = folder / "log.txt"
    with log_file.open("w") as log:
        training = [Process(log, "training", rank, folder / "rendezvous") for rank in (0, 1)]
        rollout = [Process(log, "rollout") for _ in range(2)]
        try:
            for process in training + rollout:
                process.wait_until_ready()
            yield training, rollout
        finally:
            for process in training + rollout:
                process.process.kill()
                process.process.wait()
            print(log_file.read_text()[-5000:])  # shown by pytest where a test fails


def all_answers(processes, method, **arguments):
    for process in processes:
        process.call(method, **arguments)
    return [process.answer() for process in processes]


def join(training, rollout):
    """Prepare, and make one group of the processes."""
    metadata = all_answers(training + rollout, "prepare")
    sizes = {"actor_wg_world_size": len(training), "rollout_world_size": len(rollout)}
    (topology,) = all_answers(training[:1], "build_topology", **sizes, metadata=metadata)
    for group, arguments in zip((training, rollout), topology, strict=True):
        for i, process in enumerate(group):
            process.call("init_process_group", **{name: values[i] for name, values in arguments.items()})
    for process in training + rollout:
        process.answer()
    return metadata


def update(training, rollout, seed):
    """What each rollout process received of the weights drawn by seed."""
    join(training, rollout)
    for process in training:
        process.call("send", seed=seed, is_sharded=len(training) > 1)
    for process in rollout:
        process.call("receive")
    received = [process.answer() for process in rollout]
    for process in training:
        process.answer()
    all_answers(training + rollout, "finalize")
    return received


def expected(training, seed):
    return all_answers(training[:1], "expected", seed=seed)[0]


@pytest.mark.parametrize(("num_training", "num_rollout"), [(1, 1), (2, 1), (2, 2)])
def test_each_rollout_process_receives_each_tensor_bit_for_bit(processes, num_training, num_rollout):
    training, rollout = processes[0][:num_training], processes[1][:num_rollout]
    weights = expected(training, seed=1)
    assert len(weights) == 12
    assert update(training, rollout, seed=1) == [weights] * num_rollout


def test_each_update_brings_the_weights_of_that_update(processes):
    training, rollout = processes
    received = [update(training, rollout, seed)[0] for seed in (1, 2, 3)]
    assert received == [expected(training, seed) for seed in (1, 2, 3)]
    digests = [{name: digest for name, _, _, digest in weights} for weights in received]
    assert digests[0]["larger than the bucket"] != digests[1]["larger than the bucket"]


def test_on_one_machine_the_group_listens_on_loopback_only_and_no_longer_than_the_update(processes):
    training, rollout = processes
    before = [process.listening() for process in training + rollout]
    address, *others = join(training, rollout)
    assert others == [{}, {}, {}]
    during = [process.listening() for process in training + rollout]
    opened = [now - then for now, then in zip(during, before, strict=True)]
    assert (address["host"], address["port"]) in opened[0]
    assert opened[1] == set()  # not in the group
    assert all(opened[i] for i in (0, 2, 3))
    assert {host for sockets in opened for host, _ in sockets} == {"127.0.0.1"}
    all_answers(training + rollout, "finalize")
    assert [process.listening() for process in training + rollout] == before


def test_in_a_ray_of_several_nodes_each_listens_on_the_address_of_its_node(monkeypatch):
    import ray
    from verl.checkpoint_engine import CheckpointEngineRegistry

    # This process is not on the CPU platform: what the import registers is forgotten afterwards.
    monkeypatch.setattr(CheckpointEngineRegistry, "_registry", dict(CheckpointEngineRegistry._registry))
    from recipe.edge_grpo.cpu.checkpoint_engine import own_address

    nodes = [{"Alive": True}, {"Alive": False}]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray.util, "get_node_ip_address", lambda: "[2001:db8::5]")
    assert own_address() == "127.0.0.1"
    nodes.append({"Alive": True})
    assert own_address() == "2001:db8::5"
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    assert own_address() == "127.0.0.1"

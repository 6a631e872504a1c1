"""Stores of process groups listen on the loopback interface: what the patch gives torch, and what real ranks do."""

import json
import os
import socket
import subprocess
import sys
import types

import pytest

from recipe.edge_grpo.verl_patches.loopback import LOOPBACK, LOOPBACK_SWITCH, stores_on_loopback


def unused_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


@pytest.fixture
def make_store():
    """The patched `TCPStore` of a rendezvous module, over one that returns the options it gets."""
    module = types.SimpleNamespace(TCPStore=lambda host_name, port, **options: options)
    stores_on_loopback(module)
    return module.TCPStore


def test_a_store_on_loopback_gets_a_socket_that_listens_there(make_store):
    port = unused_port()
    options = make_store(host_name=LOOPBACK, port=port, is_master=True, multi_tenant=True)
    with socket.socket(fileno=options.pop("master_listen_fd")) as listener:
        assert listener.getsockname() == (LOOPBACK, port)
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    assert options == {"is_master": True, "multi_tenant": True}


@pytest.mark.parametrize("host", ["192.0.2.7", "node-1", "0.0.0.0"])
def test_a_store_on_another_host_is_as_torch_has_it(make_store, host):
    assert make_store(host_name=host, port=unused_port(), is_master=True) == {"is_master": True}


def test_whoever_does_not_host_a_store_gets_no_socket(make_store):
    assert make_store(LOOPBACK, unused_port(), is_master=False) == {"is_master": False}


def test_two_stores_on_a_port_in_one_process_are_one():
    """torch's `multi_tenant`: verl's process groups of one process share a store."""
    from torch.distributed import TCPStore

    module = types.SimpleNamespace(TCPStore=TCPStore)
    stores_on_loopback(module)
    options = dict(host_name=LOOPBACK, port=unused_port(), world_size=1, is_master=True, multi_tenant=True)
    first = module.TCPStore(**options)
    second = module.TCPStore(**options)
    first.set("key", "value")
    assert second.get("key") == b"value"


# A rank of a process group that adds up its ranks, and tells where it listens. The plugin comes first, as with verl.
RANK = """
import recipe.edge_grpo.plugin
import json, os, sys
import psutil, torch
import torch.distributed as dist

method = sys.argv[1]
rank = int(os.environ["RANK"])
options = {} if method == "env://" else {"rank": rank, "world_size": 2}
dist.init_process_group("gloo", init_method=method, **options)
total = torch.tensor([float(rank + 1)])
dist.all_reduce(total)
connections = psutil.Process().net_connections("tcp")
listening = [list(each.laddr) for each in connections if each.status == psutil.CONN_LISTEN]
print("FACTS" + json.dumps({"total": total.item(), "listening": listening}))
dist.barrier()
"""


def process_group(method, port, switch):
    """What two ranks print."""
    environment = {**os.environ, "MASTER_ADDR": LOOPBACK, "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    environment |= {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", LOOPBACK_SWITCH: switch}
    command = [sys.executable, "-c", RANK, method]
    ranks = [
        subprocess.Popen(
            command, env={**environment, "RANK": rank}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for rank in ("0", "1")
    ]
    try:
        outputs = [rank.communicate(timeout=120) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert [rank.returncode for rank in ranks] == [0, 0], outputs
    return [json.loads(output.splitlines()[-1].removeprefix("FACTS")) for output, _ in outputs]


def addresses_of(facts, port):
    return {address for address, its_port in facts[0]["listening"] if its_port == port}


@pytest.mark.process
@pytest.mark.parametrize("method", ["env://", "tcp://127.0.0.1:PORT", "env://?use_libuv=0"])
def test_a_process_group_works_and_listens_on_loopback_alone(method):
    port = unused_port()
    facts = process_group(method.replace("PORT", str(port)), port, switch="1")
    assert [each["total"] for each in facts] == [3.0, 3.0]  # 1 + 2
    assert addresses_of(facts, port) == {LOOPBACK}
    assert {address for each in facts for address, _ in each["listening"]} == {LOOPBACK}


@pytest.mark.process
def test_torchs_own_store_listens_on_all_interfaces_whatever_host_it_is_told():
    """The reason for the patch; fails when torch changes there."""
    port = unused_port()
    (address,) = addresses_of(process_group("env://", port, switch="0"), port)
    assert address in ("0.0.0.0", "::")

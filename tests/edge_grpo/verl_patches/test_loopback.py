"""On one machine all ports are on the loopback interface: when that holds, and what listens where in real processes."""

import json
import os
import subprocess
import sys

import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.verl_patches.loopback import (
    HOST_OF_VLLM,
    INTERFACE_VARIABLES,
    LOOPBACK,
    LOOPBACK_SWITCH,
    address_of_started_ray,
    is_on_one_machine,
    keep_to_loopback,
)

RAYS_VARIABLE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """None of the variables is set, all are as before afterwards, and no Ray runs that could be joined."""
    from ray._private import ray_constants

    for name in (LOOPBACK_SWITCH, RAYS_VARIABLE, "RAY_ADDRESS", HOST_OF_VLLM, *INTERFACE_VARIABLES):
        monkeypatch.setenv(name, "")  # so that what the code sets is undone too
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.setattr(ray_constants, "ENABLE_RAY_CLUSTER", True)
    return monkeypatch


@pytest.mark.parametrize("profile", ["cpu", "cpu_separate", "qwen2.5_math_7b"])
def test_a_profile_of_one_node_is_on_one_machine(compose, profile):
    assert is_on_one_machine(compose("+recipe=edge_grpo", f"+profile={profile}"))


@pytest.mark.parametrize(
    "override",
    [
        "trainer.nnodes=2",
        "actor_rollout_ref.rollout.nnodes=2",
        "reward.reward_model.nnodes=2",
    ],
)
def test_several_nodes_are_not(compose, override):
    assert not is_on_one_machine(compose("+recipe=edge_grpo", override))


def with_ray_init(config, **options):
    for name, value in options.items():
        OmegaConf.update(config, f"ray_kwargs.ray_init.{name}", value, force_add=True)
    return config


@pytest.mark.parametrize("address", ["auto", "192.0.2.1:6379"])
def test_a_ray_that_the_configuration_names_is_joined(compose, address):
    assert not is_on_one_machine(with_ray_init(compose("+recipe=edge_grpo"), address=address))


def test_a_ray_that_the_environment_names_is_joined(compose, environment):
    environment.setenv("RAY_ADDRESS", "192.0.2.1:6379")
    assert not is_on_one_machine(compose("+recipe=edge_grpo"))


def test_a_ray_that_was_started_on_this_machine_is_joined(compose, tmp_path):
    """As `ray start` leaves word of it, and `ray.init` without an address joins it."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("192.0.2.1:6379")
    assert not is_on_one_machine(compose("+recipe=edge_grpo"))
    assert is_on_one_machine(with_ray_init(compose("+recipe=edge_grpo"), _temp_dir=f"{tmp_path}/another"))


@pytest.mark.parametrize("variable", ["RAY_TMPDIR", "TMPDIR"])
def test_ray_looks_for_a_cluster_of_this_node_where_we_do(variable, monkeypatch, tmp_path):
    """Fails when Ray changes the place."""
    from ray._common.utils import get_ray_address_file

    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.delenv("TMPDIR", raising=False)
    assert get_ray_address_file(None) == str(address_of_started_ray())
    assert get_ray_address_file("a/folder") == str(address_of_started_ray("a/folder"))
    monkeypatch.setenv(variable, str(tmp_path))
    assert get_ray_address_file(None) == str(address_of_started_ray()) == str(tmp_path / "ray" / "ray_current_cluster")


def test_another_ray_keeps_its_addresses_and_says_so(compose, monkeypatch, caplog):
    from ray._private import ray_constants

    monkeypatch.delattr(ray_constants, "ENABLE_RAY_CLUSTER")
    assert not keep_to_loopback(compose("+recipe=edge_grpo"))
    assert "its ports are open to the network" in caplog.text
    assert LOOPBACK_SWITCH not in os.environ


def variables():
    return {name: os.environ.get(name) for name in (LOOPBACK_SWITCH, RAYS_VARIABLE, HOST_OF_VLLM, *INTERFACE_VARIABLES)}


def is_several_nodes_for_ray():
    from ray._private import ray_constants

    return ray_constants.ENABLE_RAY_CLUSTER


def test_on_one_machine_ray_and_its_children_are_told_so(compose):
    assert keep_to_loopback(compose("+recipe=edge_grpo", "+profile=cpu"))
    assert variables() == {
        LOOPBACK_SWITCH: "1",
        RAYS_VARIABLE: "0",
        "VLLM_HOST_IP": "127.0.0.1",
        "GLOO_SOCKET_IFNAME": "lo",
        "NCCL_SOCKET_IFNAME": "lo",
    }
    assert not is_several_nodes_for_ray()


def test_an_interface_that_the_user_has_chosen_stays(compose, environment):
    environment.setenv("NCCL_SOCKET_IFNAME", "eth1")
    assert keep_to_loopback(compose("+recipe=edge_grpo"))
    assert variables()["NCCL_SOCKET_IFNAME"] == "eth1"
    assert variables()["GLOO_SOCKET_IFNAME"] == "lo"


@pytest.mark.parametrize("reason", ["switched off", "several nodes", "Ray runs"])
def test_otherwise_nothing_is_changed(compose, environment, reason):
    import ray

    config = compose("+recipe=edge_grpo", f"trainer.nnodes={2 if reason == 'several nodes' else 1}")
    if reason == "switched off":
        environment.setenv(LOOPBACK_SWITCH, "0")
    if reason == "Ray runs":
        environment.setattr(ray, "is_initialized", lambda: True)
    before = variables()
    assert not keep_to_loopback(config)
    assert variables() == before
    assert is_several_nodes_for_ray()


# A driver that starts Ray as verl's, dashboard and all, and tells where its processes listen.
DRIVER = """
import json, os, sys
import psutil, ray
from omegaconf import OmegaConf
from recipe.edge_grpo.verl_patches.loopback import keep_to_loopback

class Actor:
    def facts(self):
        return os.environ.get("EDGE_GRPO_LOOPBACK"), ray.util.get_node_ip_address()

config = OmegaConf.create({"trainer": {"nnodes": 1}, "ray_kwargs": {"ray_init": {"num_cpus": 2}}})
if sys.argv[1] == "kept":
    assert keep_to_loopback(config)
ray.init(num_cpus=2)
switch, node = ray.get(ray.remote(Actor).remote().facts.remote())
processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
listening = []
for process in processes:
    try:
        listening += [
            each.laddr.ip for each in process.net_connections("inet") if each.status in (psutil.CONN_LISTEN, "NONE")
        ]
    except psutil.Error:
        pass  # it has ended meanwhile
print("FACTS" + json.dumps({"switch": switch, "node": node, "num": len(processes), "listening": listening}))
"""


def ray_facts(tmp_path, mode):
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, mode], capture_output=True, text=True, timeout=240, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("FACTS")).removeprefix("FACTS"))


@pytest.mark.process
def test_all_processes_of_a_ray_listen_on_loopback_alone(tmp_path, environment):
    environment.delenv("RAY_TMPDIR")  # the path of a socket is short
    facts = ray_facts(tmp_path, "kept")
    assert facts["num"] > 4
    assert len(facts["listening"]) > 4
    assert set(facts["listening"]) <= {LOOPBACK, "::1", "::ffff:127.0.0.1"}
    assert facts["switch"] == "1"  # the plugin finds it in every process
    assert facts["node"] == LOOPBACK  # what verl's servers and TransferQueue take


@pytest.mark.process
def test_rays_own_choice_is_an_address_of_the_network(tmp_path, environment):
    """The reason for the patch; fails when Ray changes there."""
    environment.delenv("RAY_TMPDIR")
    facts = ray_facts(tmp_path, "as Ray has it")
    assert not set(facts["listening"]) <= {LOOPBACK, "::1", "::ffff:127.0.0.1"}

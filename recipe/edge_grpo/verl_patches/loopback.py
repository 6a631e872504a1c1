"""Two patches, of Ray and of torch: a run on one machine opens its ports on the loopback interface only.

Ray, vLLM's servers, TransferQueue and torch.distributed listen on an address of the network otherwise, most of them
without a password. Nothing outside the machine needs them where there is one machine.

Lacking: Ray takes 127.0.0.1 for its node only on macOS and Windows, by a constant for "several nodes are possible";
verl's servers and TransferQueue follow the address of Ray's node. torch's TCPStore, where processes of
torch.distributed find each other, listens on all interfaces whatever host it is told; it takes a socket that listens
already, but torch's own rendezvous does not hand it one. Replaced: that constant is false, and
`torch.distributed.rendezvous.TCPStore` gets such a socket. Active: in runs with the block `edge_grpo:` that start their
own Ray and ask for one node, unless EDGE_GRPO_LOOPBACK=0 is in the environment. May go: when Ray and torch listen where
they are told.
"""

import functools
import logging
import os
import socket
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

LOOPBACK_SWITCH = "EDGE_GRPO_LOOPBACK"
LOOPBACK = "127.0.0.1"
LOOPBACK_INTERFACE = "lo"
INTERFACE_VARIABLES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
HOST_OF_VLLM = "VLLM_HOST_IP"  # where an engine meets itself, if one process holds the whole policy

logger = logging.getLogger(__name__)


def keep_to_loopback(config: DictConfig) -> bool:
    """Keep to the loopback interface, in the driver before it starts Ray; returns True if one machine is all."""
    import ray

    if ray.is_initialized() or not is_on_one_machine(config) or os.environ.get(LOOPBACK_SWITCH) == "0":
        return False
    from ray._private import ray_constants

    if not hasattr(ray_constants, "ENABLE_RAY_CLUSTER"):
        logger.warning("this Ray has another way to choose its node's address: its ports are open to the network")
        return False
    ray_constants.ENABLE_RAY_CLUSTER = False
    # Ray's processes are children of this one, and inherit its environment.
    os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR] = "0"
    os.environ[LOOPBACK_SWITCH] = "1"
    for name in INTERFACE_VARIABLES:
        os.environ.setdefault(name, LOOPBACK_INTERFACE)
    os.environ.setdefault(HOST_OF_VLLM, LOOPBACK)
    return True


def is_on_one_machine(config: DictConfig) -> bool:
    """Return True if the run starts a Ray of its own, and all of its resource pools ask for one node."""
    keys = ("trainer.nnodes", "actor_rollout_ref.rollout.nnodes", "reward.reward_model.nnodes")
    return not joins_running_ray(config) and all((OmegaConf.select(config, key) or 0) <= 1 for key in keys)


def joins_running_ray(config: DictConfig) -> bool:
    """Return True if the run joins a Ray: by its address, or one that `ray start` has left on this machine."""
    ray_init = config.get("ray_kwargs", {}).get("ray_init", {})
    has_address = ray_init.get("address") or os.environ.get("RAY_ADDRESS")
    return bool(has_address) or address_of_started_ray(ray_init.get("_temp_dir")).exists()


def address_of_started_ray(temp_dir: str | None = None) -> Path:
    """Return the file in which `ray start` on this node leaves the address that `ray.init` then finds by itself.

    Ray has a function for it, under a private name that not every Ray has.
    """
    folder = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp", "ray")
    return Path(temp_dir or folder, "ray_current_cluster")


def stores_on_loopback(rendezvous: Any) -> None:
    """Make the stores of `torch.distributed.rendezvous` listen on loopback only, where they are told its address."""
    store_class = rendezvous.TCPStore

    @functools.wraps(store_class)
    def make_store(host_name: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host_name == LOOPBACK and kwargs.get("is_master"):
            try:
                listener = socket.create_server((host_name, port))
            except OSError:
                pass  # a store of this process that listens there already is shared: torch's `multi_tenant`
            else:
                kwargs["master_listen_fd"] = listener.detach()
        return store_class(host_name, port, *args, **kwargs)

    rendezvous.TCPStore = make_store

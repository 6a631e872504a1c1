"""A patch of verl: two runs on one machine do not send their weights to each other.

Lacking: verl hands new weights to vLLM through a socket in /tmp, named after Ray's job, the replica and the rank. Every
Ray that a run starts for itself calls its first job 01000000, so that two runs on one machine (tasks of a sweep, two
jobs on a shared node) use one name, and a policy could be sampled with the weights of another run. Replaced: the
`__init__` of BucketedWeightSender and BucketedWeightReceiver, which get a name that has the process number of the Ray
node as well; sender and receiver inherit it in RAY_RAYLET_PID. Active: in runs with the block
`edge_grpo:`. May go: when verl's name tells runs apart.
"""

import functools
import os
from typing import Any

RAY_NODE_VARIABLE = "RAY_RAYLET_PID"


def name_sockets_by_ray_node(bucketed_weight_transfer: Any) -> None:
    """Make verl's senders and receivers of weights use a socket of their own Ray node."""
    for side in (bucketed_weight_transfer.BucketedWeightSender, bucketed_weight_transfer.BucketedWeightReceiver):
        side.__init__ = _with_own_socket(side.__init__)


def _with_own_socket(original: Any) -> Any:
    @functools.wraps(original)
    def init(self: Any, zmq_handle: str, *args: Any, **kwargs: Any) -> None:
        original(self, own_socket(zmq_handle), *args, **kwargs)

    return init


def own_socket(zmq_handle: str) -> str:
    """Return the name with the Ray node in it; as it is outside of Ray, or for another kind of socket."""
    ray_node = os.environ.get(RAY_NODE_VARIABLE)
    if ray_node is None or not zmq_handle.startswith("ipc://"):
        return zmq_handle
    return f"{zmq_handle}.{ray_node}"

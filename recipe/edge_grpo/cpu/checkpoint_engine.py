"""Sends weights from training processes to rollout processes of their own without an accelerator: verl's engine `gloo`.

`edge_grpo_separate_async` needs an engine that crosses processes, and verl's own need a device: nccl, hccl and kimi
theirs, nixl CuPy and CUDA, mooncake RDMA.

    training rank 0      sends; rank 0 of a gloo group that is made for each update
    training ranks > 0   only take part in gathering the full tensors, which is collective among the training ranks
    rollout workers      receive; ranks 1, 2, … of the group

A tensor travels whole, as three broadcasts: the length of its description, the description (JSON), its bytes. No
message is unpickled. What is received is memory of its own, so it need not be copied before the next one comes.
"""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Iterable
from datetime import timedelta
from typing import Any

import ray
import torch
from torch.distributed import ProcessGroupGloo
from verl.checkpoint_engine.base import CheckpointEngine, CheckpointEngineRegistry
from verl.utils.distributed import create_tcp_store
from verl.workers.rollout.utils import ensure_async_iterator

ENGINE = "gloo"

SENDER = 0
"""Rank of the sender in the group."""

OUTSIDE = -1
"""In place of a rank: not in the group."""

TIMEOUT = timedelta(minutes=10)
"""For the others to join, and for one broadcast: it includes waiting for the other side to gather or load a tensor."""

LOOPBACK_ADDRESS = "127.0.0.1"


@CheckpointEngineRegistry.register(ENGINE)
class GlooCheckpointEngine(CheckpointEngine):
    """See the module; methods without a docstring do what `CheckpointEngine` asks."""

    def __init__(self, bucket_size: int, is_master: bool = False) -> None:
        """Take no notice of `bucket_size`: both sides hold each tensor whole anyway. Training rank 0 is the master."""
        self.is_master = is_master
        # A TCPStore and a ProcessGroupGloo, of which torch tells too little for their types.
        self.store: Any = None
        self.group: Any = None

    def prepare(self) -> dict[str, Any]:
        """On training rank 0, open the store through which the group finds itself, and return its address."""
        if not self.is_master:
            return {}
        host = own_address()
        listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        port = listener.getsockname()[1]
        self.store = create_tcp_store(host, port, listener, is_master=True, wait_for_workers=False, timeout=TIMEOUT)
        return {"host": host, "port": port}

    @classmethod
    def build_topology(
        cls, actor_wg_world_size: int, rollout_world_size: int, metadata: list[dict[str, Any]]
    ) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        def arguments(ranks: list[int]) -> dict[str, list[Any]]:
            return {
                "rank": ranks,
                "world_size": [1 + rollout_world_size] * len(ranks),
                "store_address": [metadata[0]] * len(ranks),
            }

        training_ranks = [SENDER] + [OUTSIDE] * (actor_wg_world_size - 1)
        return arguments(training_ranks), arguments(list(range(1, 1 + rollout_world_size)))

    def init_process_group(  # type: ignore[override]  # verl calls it with what `build_topology` returns
        self, rank: int, world_size: int, store_address: dict[str, Any]
    ) -> None:
        if rank == OUTSIDE:
            return
        if not self.is_master:
            self.store = create_tcp_store(store_address["host"], store_address["port"], timeout=TIMEOUT)
        # torch's only way to choose the address that the group listens on.
        options: Any = ProcessGroupGloo._Options()  # type: ignore[attr-defined]
        options._devices = [ProcessGroupGloo.create_device(hostname=own_address())]
        options._timeout = TIMEOUT
        self.group = ProcessGroupGloo(self.store, rank, world_size, options)

    def finalize(self) -> None:
        self.group = self.store = None

    @torch.no_grad()
    async def send_weights(self, weights: Iterable[tuple[str, torch.Tensor]], global_steps: int | None = None) -> None:
        async for name, weight in ensure_async_iterator(weights):
            if self.group is not None:
                await asyncio.to_thread(self._send, name, weight)
        if self.group is not None:
            await asyncio.to_thread(self._send_description, None)

    @torch.no_grad()
    async def receive_weights(  # type: ignore[override]  # verl's own engines are generators like this one
        self, global_steps: int | None = None
    ) -> AsyncGenerator[tuple[str, torch.Tensor], None]:
        while (received := await asyncio.to_thread(self._receive)) is not None:
            yield received

    def _send(self, name: str, weight: torch.Tensor) -> None:
        dtype = str(weight.dtype).removeprefix("torch.")
        self._send_description({"name": name, "dtype": dtype, "shape": list(weight.shape)})
        self._broadcast(weight.cpu().contiguous().view(-1).view(torch.uint8))

    def _receive(self) -> tuple[str, torch.Tensor] | None:
        """Return the next weight; None after the last."""
        description = self._receive_description()
        if description is None:
            return None
        weight = torch.empty(description["shape"], dtype=getattr(torch, description["dtype"]))
        self._broadcast(weight.view(-1).view(torch.uint8))
        return description["name"], weight

    def _send_description(self, description: dict[str, Any] | None) -> None:
        text = json.dumps(description).encode()
        self._broadcast(torch.tensor([len(text)]))
        self._broadcast(torch.tensor(list(text), dtype=torch.uint8))

    def _receive_description(self) -> dict[str, Any] | None:
        self._broadcast(length := torch.empty(1, dtype=torch.int64))
        self._broadcast(text := torch.empty(int(length), dtype=torch.uint8))
        description: dict[str, Any] | None = json.loads(bytes(text.tolist()))
        return description

    def _broadcast(self, tensor: torch.Tensor) -> None:
        """Fill `tensor` on the receivers with what it holds on the sender."""
        if tensor.numel():
            self.group.broadcast(tensor, SENDER).wait()


def own_address() -> str:
    """Return the address to listen on: this node's, as Ray knows it; loopback where Ray is one node or not running."""
    is_alone = not ray.is_initialized() or sum(node["Alive"] for node in ray.nodes()) == 1
    return LOOPBACK_ADDRESS if is_alone else str(ray.util.get_node_ip_address()).strip("[]")

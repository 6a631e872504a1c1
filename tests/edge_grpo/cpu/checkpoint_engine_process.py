"""A training or rollout process of test_checkpoint_engine.py, on the CPU platform.

    python checkpoint_engine_process.py training RANK FILE     FILE: where the two training processes find each other
    python checkpoint_engine_process.py rollout

Each line of the standard input is a JSON list [method, keyword arguments]; the answer is a line of JSON.
"""

import asyncio
import hashlib
import json
import sys

import torch
import torch.distributed as dist
import verl.checkpoint_engine
from torch.distributed.tensor import DeviceMesh, Shard, distribute_tensor

BUCKET_BYTES = 1 << 10
NUM_TRAINING_PROCESSES = 2


def weights_of(seed):
    """Tensors of several types and shapes, drawn by seed."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    return {
        "larger than the bucket": draw(6, BUCKET_BYTES),
        "bfloat16": draw(4, 5).bfloat16(),
        "float16": draw(2, 3, 4).half(),
        "float64": draw(6).double(),
        "float8": draw(4, 4).to(torch.float8_e4m3fn),
        "int64": torch.randint(-9, 9, (3,), generator=generator),
        "bool, an odd number of bytes": draw(3) > 0,
        "scalar": draw(),
        "empty": draw(0, 4),
        "not contiguous": draw(4, 6).t(),
        "with gradient": draw(2, 2).requires_grad_(),
        "not ASCII: θ": draw(2),
    }


def digests(weights):
    """[[name, type, shape, SHA-256 of the bytes], …] of (name, tensor) pairs."""
    return [
        [
            name,
            str(weight.dtype),
            list(weight.shape),
            hashlib.sha256(weight.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()).hexdigest(),
        ]
        for name, weight in weights
    ]


class Endpoint:
    """What a process can be told."""

    def __init__(self, engine, mesh):
        self.engine = engine
        self.mesh = mesh

    def expected(self, seed):
        return digests(weights_of(seed).items())

    def send(self, seed, is_sharded):
        asyncio.run(self.engine.send_weights(self._gathered(seed) if is_sharded else iter(weights_of(seed).items())))

    def _gathered(self, seed):
        """As verl's FSDP engine does: to make a full tensor, every training process has to take part."""
        for name, weight in weights_of(seed).items():
            is_divisible = weight.is_floating_point() and weight.dim() > 0 and weight.dtype != torch.float8_e4m3fn
            if is_divisible and weight.numel():
                yield name, distribute_tensor(weight.detach(), self.mesh, [Shard(0)]).full_tensor()
            else:
                yield name, weight

    def receive(self):
        async def all_weights():
            return [weight async for weight in self.engine.receive_weights()]

        return digests(asyncio.run(all_weights()))  # after the last has come: none may have overwritten another

    def __getattr__(self, method):
        return getattr(self.engine, method)


def main(role, rank=None, rendezvous=None):
    mesh = None
    if role == "training":
        dist.init_process_group(
            "gloo", init_method=f"file://{rendezvous}", rank=int(rank), world_size=NUM_TRAINING_PROCESSES
        )
        mesh = DeviceMesh("cpu", list(range(NUM_TRAINING_PROCESSES)))
    options = {"is_master": rank == "0"} if role == "training" else {}  # as verl's workers make theirs
    engine = verl.checkpoint_engine.CheckpointEngineRegistry.new("gloo", bucket_size=BUCKET_BYTES, **options)
    endpoint = Endpoint(engine, mesh)
    print("READY", flush=True)
    for line in sys.stdin:
        method, arguments = json.loads(line)
        print(json.dumps(getattr(endpoint, method)(**arguments)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

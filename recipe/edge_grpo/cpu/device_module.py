"""The device module of the CPU platform: what verl calls on `torch.cuda`, answered for this process."""

import resource
from types import ModuleType
from typing import Any

import psutil
import torch


class CPUDeviceModule(ModuleType):
    """`torch.cpu`, plus the calls of `torch.cuda` that verl makes and `torch.cpu` lacks; memory is this process's."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.cpu, name)

    def is_available(self) -> bool:
        return True

    def get_device_name(self, *_: Any) -> str:
        return "CPU"

    def empty_cache(self) -> None:
        return None

    ipc_collect = reset_peak_memory_stats = empty_cache

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    manual_seed_all = manual_seed

    def memory_allocated(self, *_: Any) -> int:
        return psutil.Process().memory_info().rss

    memory_reserved = memory_allocated

    def max_memory_allocated(self, *_: Any) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    max_memory_reserved = max_memory_allocated

    def mem_get_info(self, *_: Any) -> tuple[int, int]:
        memory = psutil.virtual_memory()
        return memory.available, memory.total

    def get_rng_state(self, *_: Any) -> torch.Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: torch.Tensor, *_: Any) -> None:
        torch.set_rng_state(state)

    def set_per_process_memory_fraction(self, *_: Any) -> None:
        return None

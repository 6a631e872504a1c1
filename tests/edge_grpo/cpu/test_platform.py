"""The CPU as verl sees it: as a platform of its own, and with the calls of `torch.cuda` that `torch.cpu` lacks."""

import inspect

import pytest
import torch
from verl.plugin.platform import PlatformBase, PlatformRegistry

from recipe.edge_grpo.cpu import ENVIRONMENT
from recipe.edge_grpo.cpu import platform as cpu_platform
from recipe.edge_grpo.cpu.platform import CPUDeviceModule, CPUPlatform


@pytest.fixture(scope="module")
def platform():
    return CPUPlatform()


@pytest.fixture(scope="module")
def device():
    return CPUDeviceModule("torch.cpu")


@pytest.mark.process
def test_the_profile_on_the_command_line_makes_it_verls_platform(cpu_process):
    assert cpu_process["platform_variable"] == "cpu"
    assert cpu_process["platform"] == "recipe.edge_grpo.cpu.platform.CPUPlatform"
    assert (cpu_process["device_name"], cpu_process["device_module"]) == ("cpu", "CPUDeviceModule")
    assert cpu_process["device_id"] == "cpu"  # verl hands it to torch as a device
    assert cpu_process["resource_name"] == "GPU"  # what Ray is told stands for training processes


@pytest.mark.process
def test_the_environment_is_set_where_the_user_has_not(cpu_process):
    environment = cpu_process["environment"]
    for name in ("TOKENIZERS_PARALLELISM", "TORCH_COMPILE_DISABLE", "VLLM_LOGGING_LEVEL"):
        assert environment[name] == ENVIRONMENT[name]
    assert environment["OMP_NUM_THREADS"] == "2"  # the user's
    assert "CUDA_VISIBLE_DEVICES" not in environment  # an empty one hides Ray's "devices"


def test_it_answers_everything_that_verl_asks_of_a_platform(platform):
    """Fails when verl asks for more."""
    assert inspect.isabstract(PlatformBase)
    assert CPUPlatform.__abstractmethods__ == frozenset()
    for name in PlatformBase.__abstractmethods__:
        method = getattr(PlatformBase, name)
        if not isinstance(method, property):
            expected = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(CPUPlatform, name)).parameters) == expected, name


def test_registering_adds_it_beside_verls_own(monkeypatch):
    monkeypatch.setattr(PlatformRegistry, "_platforms", dict(PlatformRegistry._platforms))
    PlatformRegistry._platforms.pop("cpu", None)
    before = PlatformRegistry.registered_names()
    cpu_platform.register()
    cpu_platform.register()
    assert PlatformRegistry.registered_names() == (*before, "cpu")
    assert PlatformRegistry.get("cpu") is CPUPlatform


def test_it_is_one_available_device_without_ipc_over_gloo(platform):
    assert platform.is_available()
    assert platform.device_count() == 1
    assert not platform.is_ipc_supported()
    assert platform.communication_backend_name() == "gloo"
    assert platform.ray_resource_options(0.5) == {"num_gpus": 0.5}
    assert torch.zeros(1, device=platform.current_device()).device.type == "cpu"


def test_seeding_the_platform_seeds_torch(platform):
    for seed in (platform.manual_seed, platform.manual_seed_all, platform.device_module.manual_seed_all):
        seed(5)
        first = torch.rand(3)
        seed(5)
        assert torch.equal(torch.rand(3), first)


def test_regions_and_synchronisation_do_nothing(platform):
    with platform.nvtx_range("step"):
        assert platform.synchronize() is None
    for call in (platform.empty_cache, platform.profiler_start, platform.profiler_stop, platform.cudart):
        assert call() is None
    assert platform.set_device(3) is None


def test_memory_is_that_of_this_process_and_machine(device):
    before = device.memory_allocated()
    block = bytearray(64 * 2**20)
    block[:: 2**12] = b"x" * len(block[:: 2**12])  # touch every page
    assert device.memory_allocated() - before > 32 * 2**20
    assert device.max_memory_allocated() >= 64 * 2**20
    free, total = device.mem_get_info()
    assert 0 < free < total
    assert device.memory_reserved() > 0
    assert device.max_memory_reserved() > 0


def test_the_random_state_is_saved_and_restored(device):
    state = device.get_rng_state()
    first = torch.rand(4)
    device.set_rng_state(state)
    assert torch.equal(torch.rand(4), first)


def test_what_is_not_added_is_answered_by_torch_cpu(device):
    assert device.current_device is torch.cpu.current_device
    assert device.Stream is torch.cpu.Stream
    with pytest.raises(AttributeError):
        _ = device.no_such_call


@pytest.mark.parametrize(
    "name",
    ["memory_allocated", "memory_reserved", "max_memory_allocated", "mem_get_info", "manual_seed_all", "empty_cache"],
)
def test_each_added_call_is_one_that_torch_cpu_still_lacks(device, name):
    """Fails when torch brings it, and ours can go."""
    assert not hasattr(torch.cpu, name)
    assert callable(getattr(device, name))

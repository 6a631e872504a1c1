"""On the CPU vLLM's engine has the policy in its own process, where one process can hold it."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from recipe.edge_grpo import cpu


@pytest.mark.parametrize(("num_parts", "executor"), [(1, "uni"), (2, None)])
def test_the_profile_asks_for_one_process_unless_the_policy_is_in_parts(compose, num_parts, executor):
    tensor_parallel = f"actor_rollout_ref.rollout.tensor_model_parallel_size={num_parts}"
    config = compose("+recipe=edge_grpo", "+profile=cpu", tensor_parallel)
    assert config.actor_rollout_ref.rollout.engine_kwargs.vllm.distributed_executor_backend == executor


def test_verls_server_takes_the_executor_of_the_configuration_and_its_own_for_none():
    server = Path(find_spec("verl").origin).parent / "workers/rollout/vllm_rollout/vllm_async_server.py"
    source = server.read_text()
    assert "for key, val in engine_kwargs.items() if val is not None" in source
    assert source.index('"distributed_executor_backend": "mp"') < source.index("**engine_kwargs,")


def test_vllm_refuses_one_process_on_the_cpu_unless_a_variable_says_otherwise():
    vllm = Path(find_spec("vllm").origin).parent
    refusal = 'os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING", "1") == "1"'
    assert refusal in (vllm / "platforms/cpu.py").read_text()
    assert cpu.ENVIRONMENT["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"

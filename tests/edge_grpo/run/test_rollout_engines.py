"""Which rollout engines a run may have: what verl's own server of each does, and what is refused before Ray starts."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
from support.configurations import RECIPES

from recipe.edge_grpo.run import rollout_engines
from recipe.edge_grpo.run.config_checks import check_config
from recipe.edge_grpo.run.rollout_engines import KEY, ROLLOUT_ENGINES

VERLS_ROLLOUT = Path(importlib.util.find_spec("verl").origin).parent / "workers" / "rollout"
VERLS_SERVERS = {
    "vllm": "vllm_rollout/vllm_async_server.py",
    "sglang": "sglang_rollout/async_sglang_server.py",
    "trtllm": "trtllm_rollout/trtllm_async_server.py",
}


@pytest.fixture
def installed(monkeypatch):
    """installed(*packages): these are there, and no others."""
    return lambda *packages: monkeypatch.setattr(rollout_engines, "is_installed", packages.__contains__)


def refusal(config):
    with pytest.raises(ValueError) as refused:
        check_config(config)
    return str(refused.value)


def test_the_engines_are_those_that_verl_has_a_server_for():
    """Fails when verl changes there."""
    registered = re.findall(r'RolloutReplicaRegistry\.register\("(\w+)"', (VERLS_ROLLOUT / "replica.py").read_text())
    assert sorted(registered) == sorted(ROLLOUT_ENGINES)


@pytest.mark.parametrize("name", VERLS_SERVERS)
def test_an_engine_bounds_tokens_if_verls_server_reads_max_tokens_of_a_request(name):
    """Fails when verl changes there; as read, without importing the engine."""
    tree = ast.parse((VERLS_ROLLOUT / VERLS_SERVERS[name]).read_text())
    (generate,) = (
        node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef) and node.name == "generate"
    )
    is_read = "sampling_params.pop('max_tokens')" in ast.unparse(generate)
    is_replaced = "sampling_params['max_tokens'] = max_tokens" in ast.unparse(generate)
    assert (is_read, is_replaced) == (ROLLOUT_ENGINES[name].bounds_tokens, not ROLLOUT_ENGINES[name].bounds_tokens)


def test_error_correction_is_refused_where_the_engine_ignores_how_much_it_may_sample(compose, installed):
    installed("tensorrt_llm")
    message = refusal(compose("+recipe=edge_grpo", f"{KEY}=trtllm", "edge_grpo.gec.first_pass_max_tokens=null"))
    assert f"{KEY}=trtllm with edge_grpo.gec.enabled=True: " in message
    assert message.endswith(f"set {KEY}=vllm, or edge_grpo.gec.enabled=False")


def test_a_cap_of_the_first_pass_is_refused_there_too_and_both_are_said_at_once(compose, installed):
    installed("tensorrt_llm")
    cap = "edge_grpo.gec.first_pass_max_tokens"
    alone = refusal(compose("+recipe=grpo", f"{KEY}=trtllm", f"{cap}=64"))
    assert f"{KEY}=trtllm with {cap}=64: " in alone
    assert alone.endswith(f"or {cap}=null")
    both = refusal(compose("+recipe=edge_grpo", f"{KEY}=trtllm", f"{cap}=64"))
    assert f"with edge_grpo.gec.enabled=True and {cap}=64: " in both
    assert both.endswith(f"or edge_grpo.gec.enabled=False and {cap}=null")


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_is_for_such_an_engine_as_it_is(compose, installed, name):
    """Each caps its first pass, or corrects."""
    installed("tensorrt_llm")
    assert f"{KEY}=trtllm with edge_grpo.gec." in refusal(compose(f"+recipe={name}", f"{KEY}=trtllm"))


def test_an_engine_that_ignores_it_may_sample_what_nothing_bounds(compose, installed):
    installed("tensorrt_llm")
    check_config(compose("+recipe=eda_only", f"{KEY}=trtllm", "edge_grpo.gec.first_pass_max_tokens=null"))


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_sglang_may_sample_for_every_recipe(compose, installed, name):
    installed("sglang")
    check_config(compose(f"+recipe={name}", f"{KEY}=sglang"))


@pytest.mark.parametrize("name", ["hf", "naive", "vlm", "???"])
def test_an_engine_that_verl_has_no_server_for_is_refused_with_the_choices(compose, name):
    message = refusal(compose("+recipe=edge_grpo", f"{KEY}={name}"))
    assert KEY in message and "set it to vllm" in message
    if name != "???":
        assert f"{KEY}={name}: " in message and "vllm, sglang, trtllm" in message


@pytest.mark.parametrize(
    ("name", "package", "fix"),
    [
        ("vllm", "vllm", "pip install .[gpu]"),
        ("vllm", "vllm", "make install"),
        ("sglang", "sglang", "pip install 'verl[sglang]'"),
        ("trtllm", "tensorrt_llm", "install TensorRT-LLM"),
    ],
)
def test_an_engine_that_is_not_installed_is_refused_with_what_installs_it(compose, installed, name, package, fix):
    installed()
    free = ["+recipe=grpo", "edge_grpo.gec.first_pass_max_tokens=null"]
    message = refusal(compose(*free, f"{KEY}={name}"))
    assert f"{KEY}={name}, and {package} is not installed" in message
    assert fix in message
    installed(package)
    check_config(compose(*free, f"{KEY}={name}"))


def test_what_can_be_imported_is_installed():
    assert rollout_engines.is_installed("json")
    assert not rollout_engines.is_installed("no_package_of_this_name")


def test_an_engine_is_no_business_of_ours_in_a_run_that_is_verls(compose):
    check_config(compose(f"{KEY}=hf"))

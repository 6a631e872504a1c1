"""The pure modules load without the libraries that only sampling needs."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "vllm", "verl", "ray", "transformers")
# `tables` and `summary` import all the others.
MODULES = ("recipe.edge_grpo.evaluate", "recipe.edge_grpo.evaluate.tables", "recipe.edge_grpo.evaluate.summary")


@pytest.mark.parametrize("module", MODULES)
def test_a_pure_module_imports_neither_torch_nor_vllm_nor_verl(module):
    script = f"import sys\nsys.modules.update(dict.fromkeys({HEAVY}))\nimport {module}"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr

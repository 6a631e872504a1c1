"""When Ray is given a launcher in the place of Python."""

import os
import subprocess
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.cpu.warm_workers.start import SWITCH, use_template

KEY = "ray_kwargs.ray_init.runtime_env.py_executable"


@pytest.fixture
def config(compose, monkeypatch, tmp_path):
    """config(key, value): of a run on the CPU, after the driver has looked whether its processes may be forks."""
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(SWITCH, raising=False)

    def config(key=None, value=None):
        config = compose("+recipe=edge_grpo", "+profile=cpu")
        if key is not None:
            OmegaConf.update(config, key, value, force_add=True)
        use_template(config)
        return config

    return config


def test_ray_is_given_an_executable_that_runs_python_where_no_template_answers(config):
    python = Path(OmegaConf.select(config(), KEY))
    assert python.parent.stat().st_mode & 0o077 == 0  # who may ask the template runs what he likes as this user
    (python.parent / "started").touch()  # by somebody, long ago
    os.utime(python.parent / "started", (0, 0))
    done = subprocess.run([python, "-c", "import sys; print(sys.argv)", "a b"], capture_output=True, text=True)
    assert done.stdout == "['-c', 'a b']\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ray_kwargs.ray_init.runtime_env.working_dir", "/a/folder"),
        ("ray_kwargs.ray_init.runtime_env.pip", ["a-package"]),
    ],
)
def test_processes_with_a_python_of_their_own_import_for_themselves(config, key, value):
    assert OmegaConf.select(config(key, value), KEY) is None


def test_an_executable_of_the_users_is_kept(config):
    assert OmegaConf.select(config(KEY, "/a/python"), KEY) == "/a/python"


@pytest.mark.parametrize(("name", "value"), [(SWITCH, "0"), ("VLLM_CPU_OMP_THREADS_BIND", "auto")])
def test_variables_that_switch_it_off(config, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert OmegaConf.select(config(), KEY) is None

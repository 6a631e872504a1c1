"""Has Ray start the processes of a run as forks of one that has their imports."""

import atexit
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from recipe.edge_grpo.cpu.warm_workers import launcher

SWITCH = "EDGE_GRPO_WARM_WORKERS"
"""With "0" in the environment every process imports for itself."""


def use_template(config: DictConfig) -> None:
    """Give Ray the launcher in the place of Python, in the driver of a run on one machine, before it starts its Ray.

    Nothing is done where the run gives its processes more than variables (`pip`, `working_dir`, …), so that they need a
    Python of their own, and where vLLM binds threads to cores, for which it starts its engine with a library loaded
    first.
    """
    runtime_env = config.ray_kwargs.get("ray_init", {}).get("runtime_env", {})
    has_variables_only = {name for name, value in runtime_env.items() if value is not None} <= {"env_vars"}
    binds_no_threads = os.environ.get("VLLM_CPU_OMP_THREADS_BIND") == "nobind"
    if os.environ.get(SWITCH) == "0" or not has_variables_only or not binds_no_threads:
        return
    folder = Path(tempfile.mkdtemp(prefix="edge-grpo-python-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # the template does it too, where this process is killed
    python = folder / launcher.PYTHON
    command = shlex.join([sys.executable, "-I", "-S", launcher.__file__, str(folder)])
    python.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    python.chmod(0o700)
    OmegaConf.update(config, "ray_kwargs.ray_init.runtime_env.py_executable", str(python), force_add=True)

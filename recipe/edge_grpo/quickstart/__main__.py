"""Makes data and a tiny policy, trains it for a short EDGE-GRPO run on the CPU, and draws what happened.

    python -m recipe.edge_grpo.quickstart [--model DIR --train FILE --val FILE --steps N] [verl overrides …]

Data and model are made once and kept; every call trains into a new folder, so nothing is ever overwritten.
"""

import argparse
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from data_prep.sampling.options import existing, positive
from recipe.edge_grpo.quickstart.launch import run_and_show

DEFAULT_STEPS = 20

TINY_POLICY = "recipe.edge_grpo.quickstart.tiny_policy.build"


def main(arguments: list[str] | None = None) -> int:
    """Run everything; returns the exit code."""
    options, overrides = parse_arguments(arguments)
    data_folder, model_folder = options.output_dir / "data", options.output_dir / "model"
    if options.train is None or options.model is None:
        _run_module("data_prep.arithmetic", "--output-dir", data_folder)
    if options.model is None:
        _run_module(TINY_POLICY, "--data-dir", data_folder, "--output-dir", model_folder)
    run_folder = options.output_dir / f"run-{datetime.now():%Y%m%d-%H%M%S}"
    if options.train and not options.val:
        print(f"No validation file given: validating on the first 64 rows of {options.train}.")
    options.val = options.val or options.train or data_folder / "test.parquet"
    options.train = options.train or data_folder / "train.parquet"
    options.model = options.model or model_folder
    command = training_command(options, run_folder)
    run_folder.mkdir(parents=True)
    print(f"Training {options.steps} steps of EDGE-GRPO; everything goes to {run_folder}", flush=True)
    exit_code = run_and_show([*command, *overrides], log_file=run_folder / "train.log")
    if exit_code == 0:
        _run_module("recipe.edge_grpo.report", run_folder, "--output", run_folder)
        print(f"Also there: metrics.jsonl, rollouts/, global_step_{options.steps}/ (checkpoint), train.log")
    return exit_code


def parse_arguments(arguments: list[str] | None = None) -> tuple[argparse.Namespace, list[str]]:
    """Return our options, and the rest, which verl gets as overrides."""
    parser = argparse.ArgumentParser(prog="python -m recipe.edge_grpo.quickstart", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--model", type=existing, help="folder of a Hugging Face model (default: a tiny one, made here)"
    )
    parser.add_argument("--train", type=existing, help="verl parquet to train on (default: arithmetic, made here)")
    parser.add_argument("--val", type=existing, help="verl parquet to validate on")
    parser.add_argument("--steps", type=positive, default=DEFAULT_STEPS, help="training steps (default: %(default)s)")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/quickstart"), help="(default: %(default)s)")
    options, overrides = parser.parse_known_args(arguments)
    unknown = [override for override in overrides if override.startswith("-")]
    if unknown:
        parser.error(f"unknown option {unknown[0]}; verl overrides have the form key=value")
    return options, overrides


def training_command(options: argparse.Namespace, run_folder: Path) -> list[str]:
    """Return the command that a user would type; `options` name a model, both data files and the number of steps."""
    return [
        sys.executable,
        *("-m", "verl.trainer.main_ppo", "+recipe=edge_grpo", "+profile=cpu"),
        f"actor_rollout_ref.model.path={options.model.resolve()}",
        f"data.train_files={options.train.resolve()}",
        f"data.val_files={options.val.resolve()}",
        "data.val_max_samples=64",
        f"trainer.total_training_steps={options.steps}",
        "trainer.total_epochs=1000000",  # total_training_steps ends the run, however few rows there are
        f"trainer.test_freq={max(options.steps // 2, 1)}",
        f"trainer.save_freq={options.steps}",
        "trainer.resume_mode=disable",
        f"trainer.default_local_dir={run_folder.resolve()}",
    ]


def _run_module(module: str, *arguments: object) -> None:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    completed = subprocess.run(command)
    if completed.returncode:
        sys.exit(f"quickstart stopped: {' '.join(command)} exited with {completed.returncode}")


if __name__ == "__main__":
    sys.exit(main())

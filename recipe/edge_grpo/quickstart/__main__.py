"""Makes data and a tiny policy, trains it on the CPU with EDGE-GRPO, and shows what it has learned.

    python -m recipe.edge_grpo.quickstart [--recipe RECIPE] [--compare RECIPE]
        [--model DIR --train FILE --val FILE --steps N] [verl overrides …]

Data and model are made once and kept; every call trains into a new folder, so nothing is ever overwritten.
"""

import argparse
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pyarrow.parquet

from data_prep.sampling.options import existing, positive
from recipe.edge_grpo.quickstart.launch import run_and_show
from recipe.edge_grpo.quickstart.learning import progress_of

TASK = "carry"
TRAIN_SIZE, VAL_SIZE = 2048, 256
DEFAULT_STEPS = 20

OF_THE_TASK = ("data.train_batch_size=16", "actor_rollout_ref.actor.optim.lr=3e-4")
"""Overrides for the task and the policy that are made here: enough that twice a batch of eight is learned from."""

TINY_POLICY = "recipe.edge_grpo.quickstart.tiny_policy.build"


def main(arguments: list[str] | None = None) -> int:
    """Run everything; returns the exit code."""
    options, overrides = parse_arguments(arguments)
    overrides = [*make_what_is_missing(options), *overrides]
    output_dir = options.output_dir / f"run-{datetime.now():%Y%m%d-%H%M%S}"
    run_folders = [output_dir / recipe for recipe in [options.recipe, *options.compare]]
    for run_folder in run_folders:
        run_folder.mkdir(parents=True)
        print(
            f"Training {options.steps} steps with +recipe={run_folder.name}; everything goes to {run_folder}",
            flush=True,
        )
        exit_code = run_and_show(
            [*training_command(options, run_folder), *overrides], log_file=run_folder / "train.log"
        )
        if exit_code:
            return exit_code
    _run_module("recipe.edge_grpo.report", *run_folders, "--output", output_dir)
    print(f"\nValidation on {options.num_val} problems, greedy, with the 95 % interval for so many problems:")
    print(*(progress_of(run_folder, options.num_val) for run_folder in run_folders), sep="\n")
    print(f"In {run_folders[0]}: metrics.jsonl, rollouts/, global_step_{options.steps}/ (checkpoint), train.log")
    return 0


def parse_arguments(arguments: list[str] | None = None) -> tuple[argparse.Namespace, list[str]]:
    """Return our options, and the rest, which verl gets as overrides."""
    parser = argparse.ArgumentParser(prog="python -m recipe.edge_grpo.quickstart", description=__doc__.split("\n")[0])
    parser.add_argument("--recipe", default="edge_grpo", help="what to train with (default: %(default)s)")
    parser.add_argument(
        "--compare", nargs=1, default=[], metavar="RECIPE", help="train with this recipe as well, and draw both"
    )
    parser.add_argument(
        "--model", type=existing, help="folder of a Hugging Face model (default: a tiny one, made here)"
    )
    parser.add_argument("--train", type=existing, help="verl parquet to train on (default: chains of sums, made here)")
    parser.add_argument("--val", type=existing, help="verl parquet to validate on")
    parser.add_argument("--steps", type=positive, default=DEFAULT_STEPS, help="training steps (default: %(default)s)")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/quickstart"), help="(default: %(default)s)")
    options, overrides = parser.parse_known_args(arguments)
    unknown = [override for override in overrides if override.startswith("-")]
    if unknown:
        parser.error(f"unknown option {unknown[0]}; verl overrides have the form key=value")
    if options.compare == [options.recipe]:
        parser.error(f"--compare {options.recipe}: that is what is trained anyway; name another recipe")
    return options, overrides


def make_what_is_missing(options: argparse.Namespace) -> list[str]:
    """Make data and model that are not given, and put them into the options; returns overrides that fit them."""
    data_folder, model_folder = options.output_dir / "data", options.output_dir / "model"
    makes_model, makes_data = options.model is None, options.train is None
    if makes_data or makes_model:
        sizes = ("--train-size", TRAIN_SIZE, "--test-size", VAL_SIZE)
        _run_module("data_prep.arithmetic", "--task", TASK, *sizes, "--output-dir", data_folder)
    if makes_model:
        _run_module(TINY_POLICY, "--task", TASK, "--data-dir", data_folder, "--output-dir", model_folder)
    if options.train and not options.val:
        print(f"No validation file given: validating on the first {VAL_SIZE} rows of {options.train}.")
    options.val = options.val or options.train or data_folder / "test.parquet"
    options.train = options.train or data_folder / "train.parquet"
    options.model = options.model or model_folder
    options.num_val = min(VAL_SIZE, pyarrow.parquet.read_metadata(options.val).num_rows)
    return [*OF_THE_TASK] if makes_model and makes_data else []


def training_command(options: argparse.Namespace, run_folder: Path) -> list[str]:
    """Return the command that a user would type, for the recipe that the folder is named after.

    `options` name a model, both data files and the number of steps.
    """
    return [
        sys.executable,
        *("-m", "verl.trainer.main_ppo", f"+recipe={run_folder.name}", "+profile=cpu"),
        f"actor_rollout_ref.model.path={options.model.resolve()}",
        f"data.train_files={options.train.resolve()}",
        f"data.val_files={options.val.resolve()}",
        f"data.val_max_samples={VAL_SIZE}",
        f"trainer.total_training_steps={options.steps}",
        "trainer.total_epochs=1000000",  # total_training_steps ends the run, however few rows there are
        f"trainer.test_freq={max(options.steps // 4, 1)}",
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

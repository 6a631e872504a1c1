"""`make study-pretrained`: trains SmolLM2-135M-Instruct, a pretrained model, on short arithmetic, in verl on a CPU.

    python tests/bench/pretrained_study.py FOLDER [--steps 32] [verl overrides …]

The problems are the easy ones of `data_prep.arithmetic`. Two solved ones stand before each as turns of the chat: with
an instruction instead of them the model hardly ever writes a box, and only a method that pastes solutions would have
anything to learn from. The runs of both recipes and their records, PRETRAINED_FILE, are in FOLDER.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet
from omegaconf import OmegaConf

from recipe.edge_grpo.laboratory.study.origin import here_and_now
from recipe.edge_grpo.laboratory.study.plan import VERL, Job
from recipe.edge_grpo.laboratory.study.records import (
    METRICS_OF_PRETRAINED,
    PRETRAINED_FILE,
    RunRecord,
    read_entries,
    thin,
    write_records,
)
from recipe.edge_grpo.names import METRICS_FILE

METHODS = ("edge_grpo_plus", "grpo")
TASK = "easy"

EXAMPLES = (
    ("What is 2+5?", "2+5=7\n\\boxed{7}"),
    ("Kim has 6 pens. Then 2 fewer. How many pens?", "6-2=4\n\\boxed{4}"),
)
"""Problems, and solutions in the form of the reference solutions; none of their sums is among those of validation."""

SIZES = ("--train-size", "400", "--test-size", "64")
OVERRIDES = (
    "data.max_prompt_length=128",
    "data.max_response_length=64",
    "edge_grpo.gec.first_pass_max_tokens=32",
    "edge_grpo.gec.max_new_tokens=32",
    "actor_rollout_ref.rollout.n=4",
    "actor_rollout_ref.actor.optim.lr=5e-6",
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=32)
    options, overrides = parser.parse_known_args(arguments)
    folder: Path = options.folder
    run_python(Path(__file__).parents[1] / "support" / "pretrained_model.py", folder)
    train_file, val_file = make_data(folder / "data")
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))  # Ray's one thread is enough for a tiny policy only
    run_python(
        *("-m", "recipe.edge_grpo.quickstart", "--recipe", METHODS[0], "--compare", METHODS[1]),
        *("--model", folder / "model", "--train", train_file, "--val", val_file, "--steps", options.steps),
        *("--output-dir", folder, *OVERRIDES, *overrides),
    )
    records = [record(run) for run in max(folder.glob("run-*")).iterdir() if run.name in METHODS]
    write_records(folder / PRETRAINED_FILE, records)


def make_data(folder: Path) -> tuple[Path, Path]:
    """Make the problems, and return files of them with `EXAMPLES` before each: for training and for validation."""
    run_python("-m", "data_prep.arithmetic", "--difficulty", f"{TASK}=1.0", *SIZES, "--output-dir", folder)
    return prepend_examples(folder / "train.parquet"), prepend_examples(folder / "test.parquet")


def prepend_examples(source: Path) -> Path:
    """Write the rows of `source` with `EXAMPLES` before each prompt to a file beside it, and return that file."""
    turns = [
        {"role": role, "content": content}
        for example in EXAMPLES
        for role, content in zip(("user", "assistant"), example, strict=True)
    ]
    rows = [row | {"prompt": turns + row["prompt"]} for row in pyarrow.parquet.read_table(source).to_pylist()]
    target = source.with_stem(f"{source.stem}-with-examples")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), target)
    return target


def record(run: Path) -> RunRecord:
    """Return the record of a run that has ended; its time is that from its configuration to its last metrics."""
    steps, curves = thin(read_entries(run / METRICS_FILE), METRICS_OF_PRETRAINED)
    config = OmegaConf.load(run / "config.yaml")
    seconds = (run / METRICS_FILE).stat().st_mtime - (run / "config.yaml").stat().st_mtime
    job = Job(TASK, run.name, config.actor_rollout_ref.actor.optim.lr, config.edge_grpo.seed, steps[-1], VERL)
    return RunRecord(job, steps, curves, here_and_now(seconds))


def run_python(*arguments: object) -> None:
    """Run Python with `arguments`; what it prints is shown, and its failure ends us too."""
    exit_code = subprocess.run([sys.executable, *map(str, arguments)]).returncode
    if exit_code:
        sys.exit(exit_code)


if __name__ == "__main__":
    main()

"""Runs a study: methods x tasks x seeds in the laboratory, on all cores; what is finished is not run again.

    python -m recipe.edge_grpo.laboratory.study --output-dir runs/study [--plan FILE] [--workers N]

First each method is trained on each task with each learning rate of one grid, on seeds of their own; then, with the
rate whose last validation was best, on the seeds of the study. A study that was stopped goes on with the same command.
Runs are in OUTPUT_DIR/TASK/lr-RATE/METHOD-seed-N, as `python -m recipe.edge_grpo.report` reads them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from recipe.edge_grpo.laboratory.study_plan import (
    Job,
    Study,
    choose_learning_rates,
    final_jobs,
    read_study,
    tuning_jobs,
)
from recipe.edge_grpo.laboratory.training import validation_accuracy
from recipe.edge_grpo.names import METRICS_FILE

PLAN = Path(__file__).with_name("study.yaml")

_TASK_MODULES = ("data_prep.arithmetic", "recipe.edge_grpo.quickstart.tiny_policy.build")


@dataclass(frozen=True)
class Workplace:
    """Where the runs of a study are, and how many are made at a time."""

    folder: Path
    num_workers: int

    def folder_of(self, job: Job) -> Path:
        """Return the folder of a run."""
        return self.folder / job.task / f"lr-{job.learning_rate:g}" / f"{job.method}-seed-{job.seed}"

    def accuracy_of(self, jobs: Iterable[Job]) -> dict[Job, float | None]:
        """Return the last validation of each run, None for one that is not finished."""
        return {job: last_validation(self.folder_of(job), job.num_steps) for job in jobs}

    def prepare_task(self, task: str) -> None:
        """Make data and policy of a task; a policy that is there is kept."""
        data, model = self.folder / task / "data", self.folder / task / "model"
        sizes = ["--train-size", "2048", "--test-size", "256"]
        _run([_TASK_MODULES[0], "--task", task, *sizes, "--output-dir", str(data)], data.with_suffix(".log"))
        build = [_TASK_MODULES[1], "--task", task, "--data-dir", str(data), "--output-dir", str(model)]
        _run(build, model.with_suffix(".log"))

    def train(self, job: Job) -> None:
        """Make one run, in a process of its own; raises RuntimeError, naming its log, if it fails."""
        task, folder = self.folder / job.task, self.folder_of(job)
        files = ["--model", task / "model", "--train", task / "data/train.parquet", "--val", task / "data/test.parquet"]
        plan = ["--steps", job.num_steps, "--seeds", job.seed, "--learning-rate", job.learning_rate]
        arguments = [*files, "--recipe", job.method, *plan, "--output-dir", folder.parent]
        _run(["recipe.edge_grpo.laboratory", *map(str, arguments)], folder / "log.txt")


def run_study(study: Study, place: Workplace) -> str:
    """Make all runs that are missing, and return the table of the study.

    Raises RuntimeError, naming the log, for a run that failed; what is finished is kept.
    """
    tuning = list(tuning_jobs(study))
    _run_missing(tuning, place, "choosing learning rates")
    final = list(final_jobs(study, choose_learning_rates(place.accuracy_of(tuning))))
    _run_missing(final, place, "study")
    return table(place.accuracy_of(final))


def last_validation(folder: Path, num_steps: int) -> float | None:
    """Return the accuracy after the last step, a mean over the data sources; None for a run that is not finished."""
    try:
        lines = (folder / METRICS_FILE).read_text(encoding="utf-8").splitlines()
        last = json.loads(lines[-1])
        return validation_accuracy(last["data"]) if last["step"] == num_steps else None
    except (OSError, LookupError, ValueError):  # Not begun, or stopped: in the middle of a line, or of a step.
        return None


def table(accuracy_by_job: Mapping[Job, float | None]) -> str:
    """Return a table of the last validations: mean and deviation over the seeds.

    >>> jobs = {Job("carry", "grpo", 3e-4, seed, 60): 0.9 + seed / 50 for seed in (0, 1)}
    >>> print(table(jobs).splitlines()[-1])
    | carry | grpo | 0.0003 | 2 | 0.910 | 0.014 |
    """
    lines = ["| task | method | learning rate | seeds | validation | ± |", "|---|---|--:|--:|--:|--:|"]
    for task, method, rate in dict.fromkeys((job.task, job.method, job.learning_rate) for job in accuracy_by_job):
        values = [
            value
            for job, value in accuracy_by_job.items()
            if (job.task, job.method) == (task, method) and value is not None
        ]
        deviation = f"{statistics.stdev(values):.3f}" if len(values) > 1 else "-"
        lines.append(f"| {task} | {method} | {rate:g} | {len(values)} | {statistics.fmean(values):.3f} | {deviation} |")
    return "\n".join(lines)


def _run_missing(jobs: Sequence[Job], place: Workplace, described: str) -> None:
    missing = [job for job, accuracy in place.accuracy_of(jobs).items() if accuracy is None]
    for task in dict.fromkeys(job.task for job in missing):
        place.prepare_task(task)
    with ThreadPoolExecutor(place.num_workers) as executor:
        finished = as_completed([executor.submit(place.train, job) for job in missing])
        progress = tqdm(finished, desc=described, initial=len(jobs) - len(missing), total=len(jobs), unit="run")
        try:
            for each in progress:
                each.result()
        except BaseException:  # A run that failed, or Ctrl-C: those that have not begun do not begin.
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _run(module_and_arguments: Sequence[str], log_file: Path) -> None:
    log_file.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # One run a core.
    with log_file.open("w", encoding="utf-8") as log:
        process = subprocess.run([sys.executable, "-m", *module_and_arguments], stdout=log, stderr=log, env=environment)
    if process.returncode != 0:
        raise RuntimeError(f"{module_and_arguments[0]} ended with exit code {process.returncode}; see {log_file}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m recipe.edge_grpo.laboratory.study", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--plan", type=Path, default=PLAN, help="(default: study.yaml of this package)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="runs at a time (default: one a core)")
    options = parser.parse_args(arguments)
    try:
        print(run_study(read_study(options.plan), Workplace(options.output_dir, options.workers)))
    except (OSError, ValueError, RuntimeError) as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

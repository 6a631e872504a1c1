"""Makes the runs of a study: in the laboratory on all cores, in verl one after the other; none is made twice."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from recipe.edge_grpo.laboratory.study.origin import here_and_now
from recipe.edge_grpo.laboratory.study.plan import (
    VERL,
    Job,
    Study,
    choose_learning_rates,
    confirming_jobs,
    final_jobs,
    tuning_jobs,
)
from recipe.edge_grpo.laboratory.study.records import (
    ACCURACY,
    RECORDS_FILE,
    RunRecord,
    read_entries,
    read_records,
    thin,
    write_records,
)
from recipe.edge_grpo.names import METRICS_FILE

TRAIN_SIZE, VAL_SIZE = 2048, 256


class Workplace:
    """Where the runs of a study are, and its records.

    folder: TASK/lr-RATE/METHOD-seed-N below it are the runs of the laboratory, verl/TASK/… those of verl,
        TASK/policy-N their policies
    records: of the runs that are finished; read once, and written after each run
    num_workers: runs of the laboratory at a time
    """

    def __init__(self, folder: Path, records_folder: Path, num_workers: int) -> None:
        self.folder, self.num_workers = folder, num_workers
        self.records_file = records_folder / RECORDS_FILE
        self.records = read_records(self.records_file)
        self._lock = threading.Lock()

    def folder_of(self, job: Job) -> Path:
        """Return the folder of a run."""
        parts = [VERL, job.task] if job.engine == VERL else [job.task, f"lr-{job.learning_rate:g}"]
        return self.folder.joinpath(*parts, f"{job.method}-seed-{job.seed}")

    def make(self, job: Job) -> None:
        """Make one run, and record it.

        Raises RuntimeError, naming its log, if it fails, and where it began with another policy than recorded runs.
        """
        begin = time.monotonic()
        metrics_file = self.train(job)
        steps, curves = thin(read_entries(metrics_file))
        record = RunRecord(job, steps, curves, here_and_now(time.monotonic() - begin))
        with self._lock:
            check_policy(record, self.records.values())
            self.records[job] = record
            write_records(self.records_file, self.records.values())

    def policy_of(self, task: str, seed: int) -> Path:
        """Return the folder of the policy of a seed."""
        return self.folder / task / f"policy-{seed}"

    def make_data(self, task: str) -> None:
        """Make the problems of a task."""
        data = self.folder / task / "data"
        options = ("--task", task, "--train-size", TRAIN_SIZE, "--test-size", VAL_SIZE, "--output-dir", data)
        run_module("data_prep.arithmetic", *options, log_file=data.with_suffix(".log"))

    def teach_policy(self, task: str, seed: int) -> None:
        """Make the policy of a seed, when the data of its task are there; one that is there is kept."""
        policy = self.policy_of(task, seed)
        options = ("--task", task, "--data-dir", self.folder / task / "data", "--output-dir", policy, "--seed", seed)
        run_module("recipe.edge_grpo.quickstart.tiny_policy.build", *options, log_file=policy.with_suffix(".log"))

    def train(self, job: Job) -> Path:
        """Train in a process of its own; returns the file of its metrics."""
        folder, task = self.folder_of(job), self.folder / job.task
        data = ("--train", task / "data/train.parquet", "--val", task / "data/test.parquet")
        files = ("--model", self.policy_of(job.task, job.seed), *data)
        plan = ("--recipe", job.method, "--steps", job.num_steps)
        if job.engine == VERL:
            options = (*files, *plan, "--output-dir", folder, *verl_overrides(job))
            run_module("recipe.edge_grpo.quickstart", *options, log_file=folder / "log.txt", num_threads=None)
            return max(folder.glob(f"run-*/{job.method}/{METRICS_FILE}"))  # of several attempts the last one ended well
        rate = ("--seeds", job.seed, "--learning-rate", job.learning_rate)
        options = (*files, *plan, *rate, "--output-dir", folder.parent)
        run_module("recipe.edge_grpo.laboratory", *options, log_file=folder / "log.txt")
        return folder / METRICS_FILE


def check_policy(record: RunRecord, recorded: Iterable[RunRecord]) -> None:
    """Raise RuntimeError if a run validates otherwise before training than others of its seed, task and engine did.

    A policy is taught where the study runs, and the least bit in which two processors round differently grows to
    another policy. What one policy has learned is not to be compared with what another has.
    """
    job, begin = record.job, record.curves[ACCURACY][0]
    for other in recorded:
        begins_alike = (other.job.task, other.job.seed, other.job.engine) == (job.task, job.seed, job.engine)
        if begins_alike and other.curves[ACCURACY][0] != begin:
            raise RuntimeError(
                f"{job.task}, seed {job.seed}: before training the policy validates at {begin} here and at "
                f"{other.curves[ACCURACY][0]} in the records, so it is another one: processors round differently. "
                "Methods are compared from one policy; this seed needs records of its own (--records)"
            )


def run_study(study: Study, place: Workplace) -> list[RunRecord]:
    """Make all runs that are missing; returns the records of those that the plan has, tuning included.

    Raises RuntimeError, naming the log, for a run that failed; what is finished is kept.
    """
    tuning = list(tuning_jobs(study))
    make_missing(tuning, place, "choosing learning rates", place.num_workers)
    chosen = choose_learning_rates({job: place.records[job].accuracy for job in tuning})
    final, confirming = list(final_jobs(study, chosen)), list(confirming_jobs(study))
    make_missing(final, place, "study", place.num_workers)
    make_missing(confirming, place, "confirming in verl", 1)  # two runs of verl at once halve each other's speed
    return [place.records[job] for job in (*tuning, *final, *confirming)]


def make_missing(jobs: Sequence[Job], place: Workplace, described: str, num_workers: int) -> None:
    """Make those of the runs that have no record, behind their data and policies, with progress bars."""
    missing = [job for job in jobs if job not in place.records]
    with ThreadPoolExecutor(num_workers) as executor:
        policies = dict.fromkeys((job.task, job.seed) for job in missing)
        list(executor.map(place.make_data, dict.fromkeys(task for task, _ in policies)))
        taught = executor.map(lambda policy: place.teach_policy(*policy), policies)
        list(tqdm(taught, desc=f"policies for {described}", total=len(policies), unit="policy", disable=not policies))
        finished = as_completed([executor.submit(place.make, job) for job in missing])
        progress = tqdm(finished, desc=described, initial=len(jobs) - len(missing), total=len(jobs), unit="run")
        try:
            for each in progress:
                each.result()
        except BaseException:  # A run that failed, or Ctrl-C: those that have not begun do not begin.
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def verl_overrides(job: Job) -> list[str]:
    """Return what a run of verl needs besides the quickstart's options: batch, learning rate and all seeds."""
    seeds = (
        "edge_grpo.seed",
        "data.seed",
        "actor_rollout_ref.actor.data_loader_seed",
        "actor_rollout_ref.rollout.seed",
    )
    return [
        "data.train_batch_size=16",
        f"actor_rollout_ref.actor.optim.lr={job.learning_rate:g}",
        *(f"{seed}={job.seed}" for seed in seeds),
    ]


def run_module(module: str, *arguments: object, log_file: Path, num_threads: int | None = 1) -> None:
    """Run a module of Python with its output in a log; raises RuntimeError, naming the log, if it fails."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    threads = {} if num_threads is None else {"OMP_NUM_THREADS": str(num_threads)}  # In the laboratory one run a core.
    with log_file.open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        process = subprocess.run(command, stdout=log, stderr=log, env={**os.environ, **threads})
    if process.returncode != 0:
        raise RuntimeError(f"{module} ended with exit code {process.returncode}; see {log_file}")

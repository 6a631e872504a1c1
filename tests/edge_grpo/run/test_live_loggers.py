"""What TensorBoard and Weights & Biases are told of a step is what metrics.jsonl has, by the same names."""

import json

import pytest
from support.wandb_file import read_history

from recipe.edge_grpo.run.metrics_file import log_metrics_below_run_folder
from recipe.edge_grpo.training_step.sub_steps import COMBINING_RULES

OURS = {f"edge_grpo/{name}": 0.1 * number - 1 for number, name in enumerate(sorted(COMBINING_RULES))}
VERLS = {
    "actor/grad_norm": 1e-30,
    "timing_s/step": 86_400.125,
    "val-core/my data/acc/mean@1": 0.5,  # of a data_source with a blank
    "val-aux/openai/gsm8k/score/best@8/mean": 2 / 3,
    "training/global_step": 7,
    "perf/total_num_tokens": 123_456_789,
}
STEPS = {0: {"val-core/my data/acc/mean@1": 0.25}, 1: OURS | VERLS, 2: {**OURS, **VERLS, "actor/grad_norm": -0.0}}


@pytest.fixture
def log_steps(tmp_path, monkeypatch):
    """log_steps(backend): what metrics.jsonl has after verl's tracking has told both of some steps; {step: metrics}."""
    # What the code under test sets is restored.
    monkeypatch.setenv("VERL_FILE_LOGGER_PATH", "")
    monkeypatch.setenv("TENSORBOARD_DIR", str(tmp_path / "tensorboard"))
    for name, value in {"MODE": "offline", "DIR": str(tmp_path), "SILENT": "true"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)

    def log_steps(backend):
        from verl.utils.tracking import Tracking

        path = log_metrics_below_run_folder(str(tmp_path / "run"))
        tracking = Tracking("project", "experiment", ["file", backend], {"trainer": {"logger": ["file", backend]}})
        for step, metrics in STEPS.items():
            tracking.log(metrics, step)
        tracking.finish()
        lines = map(json.loads, path.read_text().splitlines())
        return {line["step"]: line["data"] for line in lines}

    return log_steps


def test_tensorboard_has_every_metric_of_the_metrics_file_by_its_name(log_steps, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    in_file = log_steps("tensorboard")
    shown = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    in_tensorboard = {step: {} for step in in_file}
    for name in shown.Tags()["scalars"]:
        for event in shown.Scalars(name):
            in_tensorboard[event.step][name] = event.value
    assert in_file == STEPS
    assert {step: set(metrics) for step, metrics in in_tensorboard.items()} == {
        step: set(metrics) for step, metrics in in_file.items()
    }
    for step, metrics in in_file.items():
        # TensorBoard keeps 32 bits of a number: 24 of them are digits.
        assert in_tensorboard[step] == pytest.approx(metrics, rel=2**-24, abs=1e-37)


@pytest.mark.process
def test_weights_and_biases_has_every_metric_of_the_metrics_file_by_its_name(log_steps, tmp_path):
    in_file = log_steps("wandb")
    (path,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    history = read_history(path)
    assert len(OURS) > 50
    added = {"_step", "_runtime", "_timestamp"}
    assert all(added <= set(metrics) for metrics in history)
    assert {
        metrics["_step"]: {name: value for name, value in metrics.items() if name not in added} for metrics in history
    } == in_file

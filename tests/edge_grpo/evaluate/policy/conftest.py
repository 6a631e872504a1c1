"""Folders as verl and peft leave them, of a tiny model; mergers are noted, not started."""

import json
import shutil

import pytest
import torch

from recipe.edge_grpo.evaluate.policy import merging


@pytest.fixture
def make_actor(untrained_model):
    """make_actor(folder, world_size=1): an FSDP checkpoint as verl saves it; its shards are empty of weights."""

    def make_actor(folder, world_size=1):
        shutil.copytree(untrained_model, folder / "huggingface")
        (folder / "huggingface" / "model.safetensors").unlink()
        (folder / "fsdp_config.json").write_text(json.dumps({"FSDP_version": 2, "world_size": world_size}))
        for rank in range(world_size):
            torch.save({"rank": rank}, folder / f"model_world_size_{world_size}_rank_{rank}.pt")
        return folder

    return make_actor


@pytest.fixture
def make_run(tmp_path, make_actor):
    """make_run(steps, accuracies={}): the folder of a run with checkpoints at steps, and validation at others."""

    def make_run(steps, accuracies=None):
        run = tmp_path / "run"
        run.mkdir()
        for step in steps:
            make_actor(run / f"global_step_{step}" / "actor")
        lines = [
            json.dumps({"step": step, "data": {"val-core/amc/acc/mean@1": accuracy}})
            for step, accuracy in (accuracies or {}).items()
        ]
        (run / "metrics.jsonl").write_text("\n".join([*lines, '{"step": 9, "da']))
        return run

    return make_run


@pytest.fixture
def merged(monkeypatch, untrained_model):
    """The programs that were run to merge; each writes the untrained model, as verl's merger would."""
    commands = []

    def run_program(words, source):
        commands.append([str(word) for word in words])
        target = next(commands[-1][number + 1] for number, word in enumerate(words) if word in OUTPUTS)
        shutil.copytree(untrained_model, target)

    monkeypatch.setattr(merging, "_run_program", run_program)
    return commands


OUTPUTS = ("--target_dir", "--output")

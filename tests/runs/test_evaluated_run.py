"""A run is evaluated as its checkpoint, as a model folder and as an adapter: all answer alike."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.run, pytest.mark.timeout(1500)]


def evaluate(folder: Path, *options: object) -> bytes:
    """The responses to sixteen problems, sampled greedily, as they are in the file."""
    words = ["--temperature", 0, "--limit", 16, "--max-tokens", 64, "--entropy", "none", "--output-dir", folder]
    command = [sys.executable, "-m", "recipe.edge_grpo.evaluate", *map(str, (*options, *words))]
    subprocess.run(command, check=True, timeout=300)
    return (folder / "responses.parquet").read_bytes()


def test_a_run_its_merged_folder_a_copy_and_an_adapter_of_nothing_give_the_same_responses(
    undisturbed_run: Any, assets: Path, tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    of_run = evaluate(tmp_path / "of_run", "--run", undisturbed_run.folder)
    card = (tmp_path / "of_run" / "MODEL_CARD.md").read_text()
    assert f"Base model: `{assets / 'model'}`" in card and "algorithm.adv_estimator" in card and "Warning" not in card
    actor = undisturbed_run.folder / "global_step_6" / "actor"
    shutil.copytree(actor / "merged", tmp_path / "copy")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "copy")
    get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"])).save_pretrained(tmp_path / "adapter")
    for number, path in enumerate((actor, actor / "merged", tmp_path / "copy", tmp_path / "adapter")):
        assert evaluate(tmp_path / str(number), "--model", path, "--data", assets / "test.parquet") == of_run, path
    assert json.loads((tmp_path / "of_run" / "settings.json").read_text())["step"] == 6

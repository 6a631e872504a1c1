"""The folder of the tiny policy: what is in it, when it is built again, and what is never replaced."""

import math
import os
import re
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedTokenizerFast

from recipe.edge_grpo.quickstart.tiny_policy.build import PLANS, build_model_folder, main


def test_the_folder_loads_as_an_ordinary_float32_qwen2(model_dir, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(model_dir)
    config = model.config
    assert config.model_type == "qwen2"
    assert config.hidden_size // config.num_attention_heads in (32, 64, 128)
    assert config.tie_word_embeddings
    assert config.max_position_embeddings == 4096
    assert config.vocab_size == len(tokenizer)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert (model_dir / "model.safetensors").is_file()
    generation = GenerationConfig.from_pretrained(model_dir)
    assert (generation.eos_token_id, generation.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)


@pytest.mark.slow
def test_the_same_arguments_give_the_same_weights_and_another_seed_others(brief_plan, data_dir, model_dir, tmp_path):
    build_model_folder(data_dir, tmp_path / "same", plan=brief_plan)
    build_model_folder(data_dir, tmp_path / "other", seed=1, plan=brief_plan)
    first, same, other = (
        (directory / "model.safetensors").read_bytes()
        for directory in (model_dir, tmp_path / "same", tmp_path / "other")
    )
    assert first == same != other
    assert (model_dir / "tokenizer.json").read_text() == (tmp_path / "other" / "tokenizer.json").read_text()


@pytest.mark.slow
def test_a_complete_folder_is_kept_unless_forced_or_built_otherwise(brief_plan, data_dir, tmp_path):
    model_dir = tmp_path / "tiny"
    build_model_folder(data_dir, model_dir, plan=brief_plan)
    weights = model_dir / "model.safetensors"
    weights.write_bytes(b"marker")
    assert "already built" in build_model_folder(data_dir, model_dir, plan=brief_plan)
    assert weights.read_bytes() == b"marker"
    build_model_folder(data_dir, model_dir, plan=brief_plan, should_rebuild=True)
    assert weights.read_bytes() != b"marker"
    weights.write_bytes(b"marker")
    build_model_folder(data_dir, model_dir, plan=replace(brief_plan, num_steps=1))
    assert weights.read_bytes() != b"marker"
    assert os.listdir(tmp_path) == ["tiny"]


def interrupt(*arguments, **keywords):
    raise KeyboardInterrupt


def test_an_interrupted_build_leaves_nothing(brief_plan, data_dir, tmp_path, monkeypatch):
    # The tokenizer is saved after the weights, so half of the folder is there by then.
    monkeypatch.setattr(PreTrainedTokenizerFast, "save_pretrained", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build_model_folder(data_dir, tmp_path / "tiny", plan=brief_plan)
    assert os.listdir(tmp_path) == []


def test_a_folder_with_other_files_is_not_replaced(brief_plan, data_dir, tmp_path):
    (tmp_path / "notes.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="other"):
        build_model_folder(data_dir, tmp_path, plan=brief_plan, should_rebuild=True)
    assert (tmp_path / "notes.txt").read_text() == "keep"


def test_a_policy_that_has_not_learned_is_refused_and_not_written(data_dir, tmp_path, monkeypatch, capsys):
    unlearned = replace(PLANS["carry"], num_steps=2, batch_size=4)
    with pytest.raises(
        ValueError, match=r"the loss after 6 steps is \d\.\d+, above 0.06: .* another --seed than 7 may do"
    ):
        build_model_folder(data_dir, tmp_path / "tiny", seed=7, plan=unlearned)
    monkeypatch.setitem(PLANS, "carry", unlearned)
    with pytest.raises(SystemExit):
        main(["--task", "carry", "--data-dir", str(data_dir), "--output-dir", str(tmp_path / "tiny")])
    assert "has not learned its task" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
    monkeypatch.setitem(PLANS, "carry", replace(unlearned, highest_loss=100.0))
    main(["--task", "carry", "--data-dir", str(data_dir), "--output-dir", str(tmp_path / "tiny")])
    assert os.listdir(tmp_path) == ["tiny"]


def loss_and_steps(summary):
    found = re.search(r"(\d+) steps, loss (\d\.\d+)", summary)
    return float(found[2]), int(found[1])


def test_a_policy_that_has_not_learned_yet_is_supervised_again(data_dir, tmp_path):
    plan = replace(PLANS["carry"], num_steps=30, batch_size=4, highest_loss=None)
    first_loss, num_steps = loss_and_steps(build_model_folder(data_dir, tmp_path / "once", plan=plan))
    assert num_steps == 30
    plan = replace(plan, highest_loss=first_loss - 0.1)
    loss, num_steps = loss_and_steps(build_model_folder(data_dir, tmp_path / "again", plan=plan))
    assert loss <= first_loss - 0.1
    assert num_steps in (60, 90)


@pytest.mark.parametrize(("loss", "is_learned"), [(0.06, True), (0.061, False), (math.nan, False)])
def test_a_policy_has_learned_up_to_the_highest_loss(loss, is_learned):
    assert PLANS["carry"].is_learned(loss) is is_learned
    assert PLANS["mixed"].is_learned(loss)


def test_missing_data_is_named(brief_plan, tmp_path):
    with pytest.raises(FileNotFoundError, match="train.parquet"):
        build_model_folder(tmp_path, tmp_path / "tiny", plan=brief_plan)

"""What `--model` accepts, and in what line the rest is refused."""

import json
import shutil
from pathlib import Path

import pytest

from recipe.edge_grpo.evaluate.policy import merging
from recipe.edge_grpo.evaluate.policy.accepted import loadable_model


@pytest.fixture
def refusal():
    """refusal(model): the line with which it is refused."""

    def refusal(model):
        with pytest.raises(ValueError) as refused:
            loadable_model(str(model))
        assert "\n" not in str(refused.value)
        return str(refused.value)

    return refusal


def test_a_folder_of_hugging_faces_format_and_a_name_on_the_hub_are_taken_as_they_are(untrained_model, merged):
    assert loadable_model(str(untrained_model)) == str(untrained_model)
    assert loadable_model("Qwen/Qwen2.5-Math-1.5B") == "Qwen/Qwen2.5-Math-1.5B"
    assert merged == []


def test_shards_are_merged_beside_themselves_once(make_actor, tmp_path, merged):
    actor = make_actor(tmp_path / "global_step_3" / "actor", world_size=2)
    assert loadable_model(str(actor)) == str(actor / "merged")
    assert (actor / "merged" / "model.safetensors").is_file()
    assert merged[0][:5] == ["-m", "verl.model_merger", "merge", "--backend", "fsdp"]
    assert merged[0][merged[0].index("--local_dir") + 1] == str(actor)
    loadable_model(str(actor.parent))  # the folder of the step, too
    assert len(merged) == 1
    with (actor / "model_world_size_2_rank_1.pt").open("ab") as file:
        file.write(b"changed")
    loadable_model(str(actor))
    assert len(merged) == 2
    assert not list(actor.glob(".unfinished*"))


def test_a_merged_folder_of_someone_else_is_not_replaced(make_actor, tmp_path, merged, refusal):
    actor = make_actor(tmp_path / "actor")
    (actor / "merged").mkdir()
    assert f"{actor}/merged was not made by this command" in refusal(actor)
    assert merged == []


def test_a_checkpoint_that_cannot_be_written_to_is_refused_with_what_helps(
    make_actor, tmp_path, merged, monkeypatch, refusal
):
    actor = make_actor(tmp_path / "actor")
    monkeypatch.setattr(merging.os, "access", lambda *_: False)
    assert "cannot be written to, and the merged model goes below it; copy it and give the copy" in refusal(actor)
    assert merged == []


def test_a_checkpoint_that_was_saved_with_its_whole_weights_needs_no_merging(
    make_actor, tmp_path, untrained_model, merged
):
    actor = make_actor(tmp_path / "actor")
    shutil.copy(untrained_model / "model.safetensors", actor / "huggingface")
    assert loadable_model(str(actor)) == str(actor / "huggingface")
    assert merged == []


def test_an_adapter_is_merged_into_the_base_model_that_it_names(tmp_path, untrained_model, merged, refusal):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps({"base_model_name_or_path": str(untrained_model)}))
    assert loadable_model(str(adapter)) == str(adapter / "merged")
    assert merged[0][merged[0].index("--base") + 1] == str(untrained_model)
    config.write_text(json.dumps({"base_model_name_or_path": "/gone/base"}))
    assert "the base model /gone/base is not there; change its base_model_name_or_path" in refusal(adapter)
    config.write_text("{}")
    assert "names no base model; write it to its base_model_name_or_path" in refusal(adapter)
    config.write_text("{")
    assert "adapter_config.json is damaged" in refusal(adapter)


def test_half_a_checkpoint_is_refused_with_what_is_missing(make_actor, tmp_path, merged, refusal):
    actor = make_actor(tmp_path / "actor", world_size=3)
    (actor / "model_world_size_3_rank_1.pt").unlink()
    (actor / "model_world_size_3_rank_2.pt").write_bytes(b"")
    line = refusal(actor)
    assert "is half a checkpoint: model_world_size_3_rank_1.pt, model_world_size_3_rank_2.pt missing" in line
    assert "copy the shards of all nodes here, or take another step" in line
    (actor / "fsdp_config.json").unlink()
    assert "half a checkpoint: fsdp_config.json is missing" in refusal(actor)
    assert merged == []


def test_a_model_folder_without_its_weights_is_refused(make_actor, tmp_path, untrained_model, refusal):
    actor = make_actor(tmp_path / "actor")
    assert f"its weights are the shards beside it: --model {actor}" in refusal(actor / "huggingface")
    shutil.copytree(untrained_model, tmp_path / "half")
    (tmp_path / "half" / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-2.safetensors"}}')
    assert "is half a model: model-2.safetensors missing" in refusal(tmp_path / "half")


def test_other_folders_and_files_are_refused_with_what_helps(make_run, tmp_path, untrained_model, refusal):
    (tmp_path / "megatron" / "model" / "dist_ckpt").mkdir(parents=True)
    assert "merge it with: python -m verl.model_merger merge --backend megatron" in refusal(tmp_path / "megatron")
    run = make_run([1])
    assert f"is the folder of a run; give it as --run {run}" in refusal(run)
    (tmp_path / "empty").mkdir()
    assert "is no model: it has no config.json" in refusal(tmp_path / "empty")
    assert f"give the folder that it is in: --model {untrained_model}" in refusal(untrained_model / "config.json")
    assert "there is no such folder" in refusal("/no/such/model")
    assert "there is no such folder" in refusal("models/mine/latest")


def test_shards_of_a_training_with_an_adapter_are_merged_with_it_and_refused_where_its_scale_is_lost(
    make_actor, tmp_path, merged, monkeypatch, refusal
):
    run_program = merging._run_program

    def with_adapter(alpha):
        def run(words, source):
            run_program(words, source)
            if "verl.model_merger" in words:
                adapter = Path(words[-1]) / "lora_adapter"
                adapter.mkdir()
                (adapter / "adapter_config.json").write_text(json.dumps({"lora_alpha": alpha}))

        return run

    actor = make_actor(tmp_path / "actor")
    monkeypatch.setattr(merging, "_run_program", with_adapter(0))
    assert "lora_train_meta.json is missing or has no lora_alpha" in refusal(actor)
    assert not (actor / "merged").exists()
    monkeypatch.setattr(merging, "_run_program", with_adapter(16))
    loadable_model(str(actor))
    adapter, base, output = (merged[-1][merged[-1].index(word) + 1] for word in ("--adapter", "--base", "--output"))
    assert (adapter, Path(output).name) == (f"{base}/lora_adapter", "merged")
    assert (actor / "merged" / "model.safetensors").is_file() and not (actor / "merged" / "lora_adapter").exists()

"""verl's merger and peft themselves, on shards that are saved as verl saves them and on an adapter."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from recipe.edge_grpo.evaluate.policy.accepted import loadable_model

pytestmark = pytest.mark.process

SAVE_SHARDS = """
import sys, torch
import torch.distributed as dist
from torch.distributed.tensor import DeviceMesh, DTensor, Shard
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import AutoModelForCausalLM

model, actor = sys.argv[1:]
dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
mesh = DeviceMesh("cpu", [0, 1], mesh_dim_names=("fsdp",))
weights = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).state_dict()
for rank in range(2):
    shards = {
        name: DTensor.from_local(
            weight.chunk(2)[rank].clone(), mesh, [Shard(0)], run_check=False, shape=weight.shape, stride=weight.stride()
        )
        for name, weight in weights.items()
    }
    torch.save(shards, f"{actor}/model_world_size_2_rank_{rank}.pt")
"""


@pytest.fixture
def actor(tmp_path, make_actor, untrained_model):
    """An FSDP2 checkpoint of two ranks."""
    actor = make_actor(tmp_path / "actor", world_size=2)
    subprocess.run([sys.executable, "-c", SAVE_SHARDS, str(untrained_model), str(actor)], check=True, timeout=200)
    return actor


def test_merged_shards_are_the_model_in_the_precision_of_verls_merger(actor, untrained_model):
    merged = load_file(f"{loadable_model(str(actor))}/model.safetensors")
    expected = load_file(untrained_model / "model.safetensors")
    assert merged.keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.equal(merged[name].float(), weight.bfloat16().float()), name
    before = (actor / "merged" / "model.safetensors").stat().st_mtime_ns
    loadable_model(str(actor))
    assert (actor / "merged" / "model.safetensors").stat().st_mtime_ns == before


def test_a_shard_that_was_cut_off_is_refused_in_a_line_and_leaves_nothing_behind(actor):
    shard = actor / "model_world_size_2_rank_1.pt"
    shard.write_bytes(shard.read_bytes()[:-1000])
    before = sorted(actor.rglob("*"))
    with pytest.raises(ValueError, match="actor could not be merged .*; to see all of it, run: ") as refused:
        loadable_model(str(actor))
    assert "\n" not in str(refused.value)
    assert sorted(actor.rglob("*")) == before


def test_a_merged_adapter_is_the_base_model_plus_what_it_adds(tmp_path, untrained_model):
    from peft import LoraConfig, get_peft_model

    base = AutoModelForCausalLM.from_pretrained(untrained_model, dtype=torch.float32)
    config = LoraConfig(r=2, lora_alpha=6, target_modules=["q_proj"], init_lora_weights=False)
    get_peft_model(base, config).save_pretrained(tmp_path / "adapter")
    adapter = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == str(untrained_model)
    merged = load_file(f"{loadable_model(str(tmp_path / 'adapter'))}/model.safetensors")
    added = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    for name, weight in load_file(untrained_model / "model.safetensors").items():
        if name.endswith("q_proj.weight"):
            a, b = (added[f"base_model.model.{name.replace('.weight', f'.lora_{part}.weight')}"] for part in "AB")
            weight = weight + 6 / 2 * b @ a  # lora_alpha / r
        torch.testing.assert_close(merged[name].float(), weight.float(), rtol=1e-5, atol=1e-6)
    assert (tmp_path / "adapter" / "merged" / "tokenizer.json").is_file()

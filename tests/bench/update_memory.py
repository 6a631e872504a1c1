"""What a token takes in an update of the policy by verl on the CPU, in copies of logits and in activations.

    VERL_PLATFORM=cpu python tests/bench/update_memory.py

Each measurement is a process of its own, since the peak of a process does not go down again. The constants in
`recipe/edge_grpo/cpu/memory.py` are these, rounded up.
"""

import multiprocessing
import types
from pathlib import Path
from typing import Any

NUM_ROWS, LENGTH = 8, 256
HIDDEN, INTERMEDIATE, HEADS = 576, 1_536, 9


def main() -> None:
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        small = {"vocab_size": 256, "hidden_size": 64, "num_heads": 4, "intermediate_size": 128, "num_layers": 1}
        without = pool.apply(bytes_of_token, kwds=small)
        for with_entropy in (False, True):
            words = {**small, "vocab_size": 49_152, "with_entropy": with_entropy}
            copies = (pool.apply(bytes_of_token, kwds=words) - without) / 4 / (49_152 - 256)
            print(f"logits: {copies:.1f} copies, entropy bonus {'on' if with_entropy else 'off'}")
        shape = {"vocab_size": 256, "hidden_size": HIDDEN, "num_heads": HEADS}
        thin, deep, wide = (
            pool.apply(bytes_of_token, kwds={**shape, "num_layers": layers, "intermediate_size": factor * INTERMEDIATE})
            for layers, factor in ((15, 1), (30, 1), (15, 2))
        )
        intermediate = (wide - thin) / 15 / 4 / INTERMEDIATE
        hidden = ((deep - thin) / 15 / 4 - intermediate * INTERMEDIATE) / HIDDEN
        print(f"a layer: {hidden:.1f} hidden sizes and {intermediate:.1f} intermediate sizes")


def bytes_of_token(
    vocab_size: int,
    hidden_size: int,
    num_heads: int,
    intermediate_size: int,
    num_layers: int,
    with_entropy: bool = False,
) -> float:
    """The peak of one forward and backward pass above what the process had before, for each token."""
    import torch
    import verl  # noqa: F401  patches transformers
    from transformers import AutoConfig, AutoModelForCausalLM
    from verl.utils import tensordict_utils
    from verl.utils.dataset.dataset_utils import DatasetPadMode
    from verl.workers.engine.fsdp.transformer_impl import FSDPEngineWithLMHead

    torch.set_num_threads(1)
    config = AutoConfig.for_model(
        "llama", vocab_size=vocab_size, hidden_size=hidden_size, intermediate_size=intermediate_size,
        num_hidden_layers=num_layers, num_attention_heads=num_heads, num_key_value_heads=num_heads,
        tie_word_embeddings=True,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)  # they are there from the first update on
    rows = [torch.randint(0, vocab_size, (LENGTH,)) for _ in range(NUM_ROWS)]
    positions = [torch.arange(LENGTH)] * NUM_ROWS
    batch = tensordict_utils.get_tensordict(
        {
            "input_ids": torch.nested.as_nested_tensor(rows, layout=torch.jagged),
            "position_ids": torch.nested.as_nested_tensor(positions, layout=torch.jagged),
        },
        non_tensor_dict={
            "use_remove_padding": False, "pad_mode": DatasetPadMode.NO_PADDING, "temperature": 1.0,
            "calculate_entropy": with_entropy, "pad_token_id": 0,
        },
    )  # fmt: skip
    engine: Any = object.__new__(FSDPEngineWithLMHead)
    engine.pad_to_length = engine.use_ulysses_sp = False
    engine.engine_config = types.SimpleNamespace(entropy_checkpointing=False, entropy_from_logits_with_chunking=False)
    before = _status("VmRSS")
    inputs, arguments = engine.prepare_model_inputs(batch)
    output = engine.prepare_model_outputs(model(**inputs, use_cache=False), arguments, batch, None)
    output["log_probs"].values().mean().backward()
    return (_status("VmHWM") - before) / NUM_ROWS / LENGTH


def _status(name: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()

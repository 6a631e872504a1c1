"""Estimates the peak memory of a run on this machine, and bounds the tokens of a micro batch by it.

Without an accelerator everything shares main memory: weights and optimizer, vLLM, a dozen processes, and what the
update of the policy needs for each token. The last depends on the vocabulary more than on anything else.
tests/bench/update_memory.py measures the constants below on verl's own forward and backward pass.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

FLOAT_BYTES = 4
LOGITS_COPIES = 6
"""Of the logits, at the peak of the backward pass: measured 5.1, with the entropy bonus 5.9."""
HIDDEN_COPIES = 12
"""Activations of one layer without gradient checkpointing, in hidden sizes: measured 10.3."""
INTERMEDIATE_COPIES = 5
"""The same in intermediate sizes: measured 4.5."""
WEIGHT_COPIES = 7
"""Weights, gradients and two moments of Adam; vLLM's weights; two while new weights are sent."""
PROCESS_BYTES = 7_000_000_000
"""Of all processes of a run of one training process besides: imports, Ray, and vLLM's cache of 1 GiB."""
MAX_TOKENS = 16_384
"""verl's own bound on the tokens of a micro batch, for policies so small that memory is no concern."""
TOKENS_STEP = 256
"""The bound is a multiple of this."""


@dataclass(frozen=True)
class ModelShape:
    """Sizes in a model's `config.json`."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    key_value_share: float = 1.0
    """Of the width of keys and values in that of queries."""
    has_tied_embeddings: bool = False

    def num_parameters(self) -> int:
        """Return the number of weights, norms left out.

        >>> ModelShape(100, 8, 16, num_layers=2).num_parameters()  # 2 x 100 x 8 + 2 x (4 x 64 + 3 x 128)
        2880
        """
        embeddings = self.vocab_size * self.hidden_size * (1 if self.has_tied_embeddings else 2)
        attention = (2 + 2 * self.key_value_share) * self.hidden_size**2
        return int(embeddings + self.num_layers * (attention + 3 * self.hidden_size * self.intermediate_size))


def bytes_per_token(shape: ModelShape, has_checkpoints: bool = False) -> int:
    """Return what one token of a micro batch takes at the peak of an update, in float32.

        4 x (6 x vocabulary + layers x (12 x hidden + 5 x intermediate))

    With gradient checkpointing a layer keeps its input alone, and one layer at a time is whole.

    >>> bytes_per_token(ModelShape(100, 8, 16, num_layers=2))  # 4 x (600 + 2 x (96 + 80))
    3808
    >>> bytes_per_token(ModelShape(100, 8, 16, num_layers=2), has_checkpoints=True)  # 4 x (600 + 2 x 8 + 176)
    3168
    """
    layer = HIDDEN_COPIES * shape.hidden_size + INTERMEDIATE_COPIES * shape.intermediate_size
    layers = shape.num_layers * shape.hidden_size + layer if has_checkpoints else shape.num_layers * layer
    return FLOAT_BYTES * (LOGITS_COPIES * shape.vocab_size + layers)


def peak_bytes(shape: ModelShape, num_tokens: int, num_processes: int = 1, has_checkpoints: bool = False) -> int:
    """Return the estimated peak of a whole run: fixed costs, and `num_tokens` in each training process at a time.

        7 GB + 4 x 7 x parameters + processes x tokens x bytes_per_token

    >>> peak_bytes(ModelShape(100, 8, 16, num_layers=2), 1000)  # 7e9 + 4 x 7 x 2,880 + 1000 x 3,808
    7003888640
    """
    fixed = PROCESS_BYTES + FLOAT_BYTES * WEIGHT_COPIES * shape.num_parameters()
    return fixed + num_processes * num_tokens * bytes_per_token(shape, has_checkpoints)


def tokens_that_fit(shape: ModelShape, memory_bytes: int, num_processes: int = 1, has_checkpoints: bool = False) -> int:
    """Return the largest bound on the tokens of a micro batch that half of the memory beside the fixed costs holds.

    Half, because verl counts tokens without padding, and on the CPU a micro batch is padded to its longest response.
    At least 256, which may be too many: `peak_bytes` tells.

    >>> tokens_that_fit(ModelShape(49_152, 576, 1_536, 30, 1 / 3, True), 24_000_000_000)  # (24 - 10.8) / 2 GB / 2.93 MB
    2048
    >>> tokens_that_fit(ModelShape(100, 8, 16, num_layers=2), 24_000_000_000)
    16384
    """
    free = max(memory_bytes - peak_bytes(shape, 0), 0)
    num_tokens = free // (2 * num_processes * bytes_per_token(shape, has_checkpoints))
    return min(max(num_tokens // TOKENS_STEP, 1) * TOKENS_STEP, MAX_TOKENS)


def read_shape(model: str) -> ModelShape | None:
    """Return the sizes in `config.json` of a model's folder; None if it is not there, or does not say them."""
    try:
        config: dict[str, Any] = json.loads((Path(model).expanduser() / "config.json").read_text())
    except (OSError, ValueError):
        return None
    config = config.get("text_config", config)
    try:
        heads = config["num_attention_heads"]
        return ModelShape(
            vocab_size=config["vocab_size"],
            hidden_size=config["hidden_size"],
            intermediate_size=config["intermediate_size"],
            num_layers=config["num_hidden_layers"],
            key_value_share=config.get("num_key_value_heads", heads) / heads,
            has_tied_embeddings=config.get("tie_word_embeddings", False),
        )
    except (KeyError, TypeError):
        return None


def machine_bytes() -> int:
    """Return the main memory of this machine, or of the control group (a Slurm job, a container) if that has less."""
    (total,) = (line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    limits = [int(total) * 1024]
    try:
        group = Path("/sys/fs/cgroup") / Path("/proc/self/cgroup").read_text().rpartition("::/")[2].strip()
    except OSError:
        return limits[0]
    for folder in (group, *group.parents):
        limit_file = folder / "memory.max"
        if limit_file.is_file() and (limit := limit_file.read_text().strip()).isdigit():
            limits.append(int(limit))
    return min(limits)


def check_memory(config: DictConfig, memory_bytes: int | None = None) -> None:
    """Refuse a run whose estimated peak is above the memory of this machine; a model that is not here is not judged.

    Raises:
        ValueError: naming the key, its value and the override to set.
    """
    actor, model = config.actor_rollout_ref.actor, config.actor_rollout_ref.model
    shape = read_shape(str(model.get("path")))
    if shape is None:
        return
    memory_bytes = memory_bytes or machine_bytes()
    num_processes = config.trainer.n_gpus_per_node
    row_tokens = config.data.max_prompt_length + config.data.max_response_length
    rows_of_process = config.data.train_batch_size * config.actor_rollout_ref.rollout.n // num_processes or 1
    key, is_dynamic = "ppo_max_token_len_per_gpu", actor.use_dynamic_bsz
    if not is_dynamic:
        key = "ppo_micro_batch_size_per_gpu"
    bound = actor[key] or 1
    num_tokens = min(bound if is_dynamic else bound * row_tokens, rows_of_process * row_tokens)
    has_checkpoints = model.enable_gradient_checkpointing
    needed = peak_bytes(shape, num_tokens, num_processes, has_checkpoints)
    if needed <= memory_bytes:
        return
    fitting = tokens_that_fit(shape, memory_bytes, num_processes, has_checkpoints)
    if peak_bytes(shape, row_tokens, num_processes, has_checkpoints) <= memory_bytes:
        fix = max(fitting, row_tokens) if is_dynamic else max(fitting // row_tokens, 1)
        fix_text = f"set actor_rollout_ref.actor.{key}={fix}"
    elif not has_checkpoints and peak_bytes(shape, row_tokens, num_processes, True) <= memory_bytes:
        fix_text = "set actor_rollout_ref.model.enable_gradient_checkpointing=True"
    else:
        fix_text = (
            f"one response with its prompt is too much: set data.max_response_length below "
            f"{config.data.max_response_length}, or take a smaller model"
        )
    raise ValueError(
        f"actor_rollout_ref.actor.{key}={bound}: {num_tokens:,} tokens at a time of a model with {shape.vocab_size:,} "
        f"words and {shape.num_layers} layers take about {needed / 1e9:.1f} GB with all processes of the run, and this "
        f"machine has {memory_bytes / 1e9:.1f} GB; {fix_text}"
    )

"""Finds out what has to be known of a model before it is loaded."""

import hashlib
from pathlib import Path

_WEIGHT_FILES = ("*.safetensors", "*.bin", "config.json")


def context_length(model: str) -> int:
    """Return the number of tokens that a prompt and its response may have together.

    Raises ValueError, naming the model, if its configuration cannot be read.
    """
    from transformers import AutoConfig  # Takes seconds to import.

    try:
        return int(AutoConfig.from_pretrained(model).get_text_config().max_position_embeddings)
    except Exception as error:  # The library raises errors of many unrelated types.
        first_line = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(f"model {model}: {first_line}") from error


def fingerprint(model: str) -> str:
    """Return what tells a checkpoint folder from one that was written again; empty for a model of the hub.

    From the names, sizes and times of the weight files: reading 15 GB of weights would take longer than some runs.
    """
    folder = Path(model)
    files = sorted(file for pattern in _WEIGHT_FILES for file in folder.glob(pattern)) if folder.is_dir() else []
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(states).encode()).hexdigest() if states else ""

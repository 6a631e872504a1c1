"""Makes one Hugging Face folder beside a checkpoint, once: of shards with verl's model merger, of an adapter with peft.

The folder is `merged` below the checkpoint. It is there whole or not at all, and is made again when the files of the
checkpoint have changed. Both mergers are programs of their own: what they take of memory is free when they end.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

MERGED_FOLDER = "merged"
MERGED_FROM = "merged_from.json"
VERLS_ADAPTER = "lora_adapter"
"""Below what verl's merger writes of a checkpoint that was trained with LoRA, beside the weights of the base model."""

_ADAPTER_MERGER = "recipe.edge_grpo.evaluate.policy.merge_adapter"

FileStates = dict[str, list[int]]


def merge_shards(actor: Path) -> Path:
    """Return the folder with the merged shards of an FSDP checkpoint; a LoRA adapter among them is merged as well."""

    def make(target: Path) -> None:
        words = [*("-m", "verl.model_merger", "merge", "--backend", "fsdp"), "--local_dir", actor, "--target_dir"]
        adapter = target / VERLS_ADAPTER
        _run_program([*words, target], actor)
        if adapter.is_dir():
            base = target.with_name("base")
            target.rename(base)
            _check_scale(base / VERLS_ADAPTER, actor)
            _merge_adapter(base / VERLS_ADAPTER, str(base), target, actor)

    return _merge_once(actor, make)


def merge_adapter(adapter: Path, base: str) -> Path:
    """Return the folder with a LoRA adapter merged into its base model."""
    return _merge_once(adapter, lambda target: _merge_adapter(adapter, base, target, adapter))


def file_states(folder: Path) -> FileStates:
    """Return size and time of every file by which a checkpoint is told from one that was written again."""
    paths = [*folder.glob("*"), *folder.glob("huggingface/*")]
    states = {str(path.relative_to(folder)): path.stat() for path in sorted(paths) if path.is_file()}
    return {name: [state.st_size, state.st_mtime_ns] for name, state in states.items()}


def _merge_once(source: Path, make: Callable[[Path], None]) -> Path:
    target, states = source / MERGED_FOLDER, file_states(source)
    if target.exists():
        if not (target / MERGED_FROM).is_file():
            raise ValueError(
                f"{target} was not made by this command: evaluate it with --model {target}, or move it away"
            )
        if _read_states(target) == states:
            return target
    if not os.access(source, os.W_OK):
        raise ValueError(
            f"{source} cannot be written to, and the merged model goes below it; copy it and give the copy"
        )
    print(f"merging {source} into {target}", file=sys.stderr, flush=True)
    # In the folder, because a rename is atomic only within one file system.
    with tempfile.TemporaryDirectory(dir=source, prefix=".unfinished-") as temporary:
        merged = Path(temporary) / MERGED_FOLDER
        make(merged)
        (merged / MERGED_FROM).write_text(json.dumps(states, indent=0), encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        merged.rename(target)
    return target


def _read_states(target: Path) -> Mapping[str, Any] | None:
    try:
        return json.loads((target / MERGED_FROM).read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except ValueError:
        return None


def _merge_adapter(adapter: Path, base: str, target: Path, source: Path) -> None:
    _run_program(["-m", _ADAPTER_MERGER, "--adapter", adapter, "--base", base, "--output", target], source)


def _check_scale(adapter: Path, actor: Path) -> None:
    """Raise ValueError where verl's merger did not know the scale of an adapter, and wrote 0: it would do nothing."""
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    if not config.get("lora_alpha"):
        raise ValueError(
            f"{actor} is half a checkpoint: lora_train_meta.json is missing or has no lora_alpha, without which its "
            'adapter has no scale; write it, as {"r": …, "lora_alpha": …} of the training'
        )


def _run_program(words: Sequence[object], source: Path) -> None:
    """Run Python with these words, on the CPU: merging needs no accelerator.

    Raises ValueError with the last line that the program wrote, if it fails.
    """
    command = [sys.executable, *map(str, words)]
    environment = {**os.environ, "VERL_PLATFORM": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise ValueError(
            f"{source} could not be merged ({lines[-1].strip()}); to see all of it, run: {shlex.join(command)}"
        )

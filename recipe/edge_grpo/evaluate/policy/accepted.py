"""Turns what `--model` names into a folder that vLLM loads; the rest is refused in a line that says what helps."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recipe.edge_grpo.evaluate.policy.merging import VERLS_ADAPTER, merge_adapter, merge_shards

ADAPTER_CONFIG, FSDP_CONFIG, MODEL_CONFIG = "adapter_config.json", "fsdp_config.json", "config.json"

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")


def loadable_model(model: str) -> str:
    """Return a folder of Hugging Face's format, merged if need be, or the name of a model of the hub as it is.

    Raises ValueError, in one line, for what is neither.
    """
    folder = Path(model)
    if folder.is_dir():
        resolve = next(resolve for is_of_kind, resolve in MODEL_KINDS if is_of_kind(folder))
        return str(resolve(folder))
    if folder.exists():
        raise ValueError(f"--model {model} is a file; give the folder that it is in: --model {folder.parent}")
    if model.startswith(("/", ".", "~")) or model.count("/") != 1:
        raise ValueError(f"--model {model}: there is no such folder, and it is no name on the hub (owner/name)")
    return model


def missing_shards(actor: Path) -> list[str]:
    """Return the names of the shards that an FSDP checkpoint lacks. Raises ValueError if it cannot be told."""
    world_size = _read_json(actor / FSDP_CONFIG).get("world_size")
    if not isinstance(world_size, int):
        raise ValueError(f"{actor / FSDP_CONFIG} has no world_size; the checkpoint is damaged, take another step")
    names = [f"model_world_size_{world_size}_rank_{rank}.pt" for rank in range(world_size)]
    return [name for name in names if not (actor / name).is_file() or not (actor / name).stat().st_size]


def _from_adapter(folder: Path) -> Path:
    base = _read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    if folder.name == VERLS_ADAPTER and not base:
        raise ValueError(f"{folder} is what verl left of an adapter; give the checkpoint: --model {folder.parent}")
    if not base:
        raise ValueError(f"{folder / ADAPTER_CONFIG} names no base model; write it to its base_model_name_or_path")
    if not Path(base).is_dir() and (base.startswith(("/", ".")) or base.count("/") != 1):
        raise ValueError(
            f"{folder / ADAPTER_CONFIG}: the base model {base} is not there; change its base_model_name_or_path"
        )
    return merge_adapter(folder, base)


def _from_shards(folder: Path) -> Path:
    if not (folder / FSDP_CONFIG).is_file():
        raise ValueError(
            f"{folder} is half a checkpoint: {FSDP_CONFIG} is missing; copy it again, or take another step"
        )
    missing = missing_shards(folder)
    if missing:
        raise ValueError(
            f"{folder} is half a checkpoint: {', '.join(missing)} missing; copy the shards of all nodes here, or take "
            "another step (--run RUN_DIR --step N)"
        )
    saved_whole = folder / "huggingface"  # with weights, if actor.checkpoint.save_contents has hf_model
    if not (saved_whole / MODEL_CONFIG).is_file():
        raise ValueError(f"{folder} is half a checkpoint: huggingface/{MODEL_CONFIG} is missing; copy it again")
    return saved_whole if _has_weights(saved_whole) else merge_shards(folder)


def _from_step(folder: Path) -> str:
    return loadable_model(str(folder / "actor"))


def _from_model(folder: Path) -> Path:
    for index in filter(Path.is_file, (folder / name for name in _INDEXES)):
        missing = sorted({name for name in _read_json(index)["weight_map"].values() if not (folder / name).is_file()})
        if missing:
            raise ValueError(f"{folder} is half a model: {', '.join(missing)} missing; copy or download it again")
    if not _has_weights(folder):
        shards = "; its weights are the shards beside it: --model " + str(folder.parent)
        raise ValueError(f"{folder} has no weights{shards if _is_fsdp(folder.parent) else '; download it again'}")
    return folder


def _refuse_megatron(folder: Path) -> Path:
    raise ValueError(
        f"{folder} is a Megatron checkpoint; merge it with: python -m verl.model_merger merge --backend megatron "
        f"--local_dir {folder} --target_dir DIR, then give --model DIR"
    )


def _refuse_run(folder: Path) -> Path:
    raise ValueError(f"{folder} is the folder of a run; give it as --run {folder} [--step N]")


def _refuse(folder: Path) -> Path:
    raise ValueError(
        f"{folder} is no model: it has no {MODEL_CONFIG}, no {FSDP_CONFIG} and no {ADAPTER_CONFIG}; give such a "
        "folder, or that of a run with --run"
    )


def _is_fsdp(folder: Path) -> bool:
    return (folder / FSDP_CONFIG).is_file() or any(folder.glob("model_world_size_*_rank_*.pt"))


def _has_weights(folder: Path) -> bool:
    return any(path.stat().st_size for pattern in _WEIGHTS for path in folder.glob(pattern))


def _is_megatron(folder: Path) -> bool:
    return (folder / "dist_ckpt").is_dir() or (folder / "model" / "dist_ckpt").is_dir()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); copy it again") from error
    return content if isinstance(content, dict) else {}


MODEL_KINDS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Path | str]], ...] = (
    (lambda folder: (folder / ADAPTER_CONFIG).is_file(), _from_adapter),
    (_is_megatron, _refuse_megatron),
    (_is_fsdp, _from_shards),
    (lambda folder: (folder / MODEL_CONFIG).is_file(), _from_model),
    (lambda folder: (folder / "actor").is_dir(), _from_step),
    (lambda folder: any(folder.glob("global_step_*")), _refuse_run),
    (lambda folder: True, _refuse),
)
"""(is a folder of this kind, what to do with it); the first that is decides"""

"""Reads what a run starts from, as far as it is on this machine: data files, tokenizer, the model's configuration."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from omegaconf import DictConfig, ListConfig, OmegaConf

from recipe.edge_grpo.verl_patches.loopback import is_on_one_machine

DATA_FILE_KEYS = ("train_files", "val_files")

MAX_ROWS_READ = 50_000
"""Of one data set; reading a million rows would take longer than the start may."""

PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")
ENVIRONMENT_KEYS = ("working_dir", "py_modules", "pip", "uv", "conda", "container", "image_uri")
"""Settings of Ray's runtime environment after which a worker finds other files and packages than the driver does."""


@dataclass(frozen=True)
class DataSet:
    """What is known of the files of one key: those that are there, and the rows that were read."""

    key: str
    files: tuple[Path, ...]
    missing: tuple[str, ...]
    left_alone: tuple[str, ...]
    schemas: Mapping[Path, pyarrow.Schema]
    damage: Mapping[Path, str]
    num_rows: int
    rows: list[dict[str, Any]]

    @property
    def is_whole(self) -> bool:
        """Returns True if every file is there and each of its rows was read."""
        return not (self.missing or self.left_alone or self.damage) and len(self.rows) == self.num_rows


def read_data_set(data: DictConfig, key: str) -> DataSet:
    """Read the Parquet files of `data.{key}`: their schemas, and the columns of the first rows that the checks need."""
    files, missing, left_alone = _sort_files(data.get(key))
    schemas: dict[Path, pyarrow.Schema] = {}
    damage: dict[Path, str] = {}
    rows: list[dict[str, Any]] = []
    num_rows = 0
    for file in files:
        try:
            with pyarrow.parquet.ParquetFile(file) as opened:
                schemas[file] = opened.schema_arrow
                num_rows += opened.metadata.num_rows
                rows += _read_rows(opened, data.prompt_key, MAX_ROWS_READ - len(rows))
        except (pyarrow.ArrowException, OSError) as error:
            damage[file] = describe_damage(error)
    return DataSet(f"data.{key}", tuple(files), missing, left_alone, schemas, damage, num_rows, rows)


def describe_damage(error: Exception) -> str:
    """Return in a few words what keeps a Parquet file from being read.

    >>> describe_damage(OSError("Corrupt snappy compressed data.")), describe_damage(OSError())
    ('Corrupt snappy compressed data', 'OSError')
    """
    return str(error).splitlines()[0].rstrip(". ") if str(error) else type(error).__name__


def _sort_files(value: Any) -> tuple[list[Path], tuple[str, ...], tuple[str, ...]]:
    """Sort names into Parquet files that are here, names of files that are not, and what is not ours to look at."""
    names = [] if value is None else list(value) if isinstance(value, list | ListConfig) else [value]
    files, missing, left_alone = [], [], []
    for name in map(str, names):
        path = Path(name).expanduser()
        if "://" in name or any(mark in name for mark in "*?[") or path.is_dir():
            left_alone.append(name)
        elif not path.exists():
            missing.append(name)
        elif path.suffix == ".parquet":
            files.append(path)
        else:
            left_alone.append(name)
    return files, tuple(missing), tuple(left_alone)


def _read_rows(file: pyarrow.parquet.ParquetFile, prompt_key: str, limit: int) -> list[dict[str, Any]]:
    columns = [name for name in (prompt_key, "data_source", "reward_model") if name in file.schema_arrow.names]
    rows: list[dict[str, Any]] = []
    if limit <= 0:
        return rows
    if not columns:
        return [{} for _ in range(min(limit, file.metadata.num_rows))]
    for batch in file.iter_batches(batch_size=min(limit, 10_000), columns=columns):
        rows += batch.to_pylist()[: limit - len(rows)]
        if len(rows) >= limit:
            break
    return rows


@dataclass(frozen=True)
class Inputs:
    """What the checks look at; everything is read when it is first asked for, and once."""

    config: DictConfig
    is_this_machine: bool
    """False for a run that starts elsewhere: what is not here is then no problem."""

    @functools.cached_property
    def data_sets(self) -> dict[str, DataSet]:
        """The data sets by key; empty where the dataset is a class of the user's, which may read anything."""
        data = self.config.data
        if OmegaConf.select(data, "custom_cls.path"):
            return {}
        return {key: read_data_set(data, key) for key in DATA_FILE_KEYS}

    @functools.cached_property
    def tokenizer_folder(self) -> Path | None:
        """The folder with the tokenizer, or None where it is not on this machine (a name on the hub, for example)."""
        model = self.config.actor_rollout_ref.model
        return _existing_folder(model.get("tokenizer_path") or model.path)

    @functools.cached_property
    def model_folder(self) -> Path | None:
        return _existing_folder(self.config.actor_rollout_ref.model.path)

    @functools.cached_property
    def model_config(self) -> dict[str, Any]:
        """The model's config.json, {} where it is not here; raises ValueError for one that is no JSON."""
        file = None if self.model_folder is None else self.model_folder / "config.json"
        return {} if file is None or not file.is_file() else json.loads(file.read_text(encoding="utf-8"))

    @functools.cached_property
    def has_processor(self) -> bool:
        """Returns True for a model that takes images, sound or video, whose processor counts the tokens."""
        folder = self.tokenizer_folder
        return folder is not None and any((folder / name).is_file() for name in PROCESSOR_FILES)

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The tokenizer as verl loads it, with the configured chat template; None where it is not here."""
        if self.tokenizer_folder is None:
            return None
        from transformers import AutoTokenizer

        model = self.config.actor_rollout_ref.model
        tokenizer = AutoTokenizer.from_pretrained(
            self.tokenizer_folder, trust_remote_code=bool(model.get("trust_remote_code"))
        )
        if model.get("custom_chat_template") is not None:
            tokenizer.chat_template = model.custom_chat_template
        return tokenizer


def starts_own_ray(config: DictConfig) -> bool:
    """Returns True if the run's processes see this machine's files: no cluster, no environment of their own."""
    ray_init = config.get("ray_kwargs", {}).get("ray_init", {})
    runtime_env = ray_init.get("runtime_env") or {}
    return is_on_one_machine(config) and not any(runtime_env.get(key) for key in ENVIRONMENT_KEYS)


def is_local_path(name: str) -> bool:
    """Returns True for a name that can only be a path of this machine, not one on the hub or in a store.

    >>> [is_local_path(name) for name in ("/models/a", "~/models/a", "./a", "Qwen/Qwen2.5-Math-1.5B", "hdfs://a/b")]
    [True, True, True, False, False]
    """
    return name.startswith(("/", "~", "./", "../"))


def _existing_folder(name: Any) -> Path | None:
    path = Path(str(name)).expanduser()
    return path if path.is_dir() else None

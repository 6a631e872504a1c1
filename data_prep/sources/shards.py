"""Finds the files of one split in a folder, by the names that the hub gives meaning to."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from data_prep.sources.formats import KNOWN_KINDS, is_known

DEFAULT_SPLIT = "train"

_SPLIT_OF_WORD = {
    **dict.fromkeys(["train", "training"], "train"),
    **dict.fromkeys(["validation", "valid", "val", "dev"], "validation"),
    **dict.fromkeys(["test", "testing", "eval", "evaluation"], "test"),
}
"""{word in the name of a file or folder: the split that it means}, as the library `datasets` has it."""

_METADATA_FILES = {"dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json"}


def find_shards(folder: Path, split: str | None = None) -> list[Path]:
    """Return the files of a split, `train` if none is asked for, in `folder` and below it, sorted.

    Where no file has the name of a split in its own, all are the split `train`. Hidden files and folders, and files of
    other kinds, are left out.

    Raises ValueError, naming the folder, for no file of a known kind, a split that is not there, a slice of a split,
    and files of which some have the name of a split and some do not.
    """
    paths = sorted(path for path in _visible_files(folder) if is_known(path) and path.name not in _METADATA_FILES)
    if not paths:
        raise ValueError(f"{folder}: no file of a known kind in this folder; expected {KNOWN_KINDS}")
    if split is not None and ("[" in split or "+" in split):
        fix = "a folder of files has whole splits only: give the name of one"
        raise ValueError(f"{folder}: --split {split} asks for part of a split or for several; {fix}")
    split_of = {path: split_in_name(path.relative_to(folder)) for path in paths}
    if not any(split_of.values()):
        split_of = dict.fromkeys(paths, DEFAULT_SPLIT)
    without = [path for path, name in split_of.items() if name is None]
    if without:
        fix = f"give the files themselves, such as '{folder}/*{without[0].suffix}'"
        raise ValueError(f"{without[0]}: names no split, as other files in {folder} do; {fix}")
    asked_for = _SPLIT_OF_WORD.get(split or DEFAULT_SPLIT, split)
    shards = [path for path, name in split_of.items() if name == asked_for]
    if not shards:
        names = ", ".join(sorted({str(name) for name in split_of.values()}))
        raise ValueError(f"{folder}: no split {asked_for!r}; it has: {names}; choose one with --split")
    return shards


def split_in_name(path: Path) -> str | None:
    """Return the split that a word in the name of a file means, or one in that of the nearest folder, or else None.

    >>> split_in_name(Path("train-00000-of-00002.parquet")), split_in_name(Path("dev/part-0.jsonl"))
    ('train', 'validation')
    """
    for part in reversed(path.parts):
        for word in re.split(r"[^a-z]+", part.lower()):
            if word in _SPLIT_OF_WORD:
                return _SPLIT_OF_WORD[word]
    return None


def _visible_files(folder: Path) -> Iterator[Path]:
    for parent, folder_names, file_names in os.walk(folder, onerror=_refuse):
        folder_names[:] = [name for name in folder_names if not name.startswith(".")]
        yield from (Path(parent, name) for name in file_names if not name.startswith("."))


def _refuse(error: OSError) -> None:
    raise error  # os.walk would pass over a folder that it may not open.

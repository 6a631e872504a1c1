"""Turns what the user gives as inputs into files and datasets, and refuses what is not there before any is read."""

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.sources.formats import KNOWN_KINDS, is_known
from data_prep.sources.hub import is_saved_folder
from data_prep.sources.shards import find_shards

_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)
_CONFIGS_OF_CARD = re.compile(r"---\n(?:(?!---).*\n)*configs:")


@dataclass(frozen=True, slots=True)
class Part:
    """One file, or one dataset that the library `datasets` loads: a folder or a name on the hub."""

    source: str
    is_file: bool


def expand_inputs(inputs: Sequence[str], split: str | None = None, config: str | None = None) -> list[Part]:
    """Return the files and datasets that the inputs are, in their order; those of a glob or a folder are sorted.

    Raises ValueError or OSError, naming the input, for one that is not there or not of a known kind, a file for which
    `split` or `config` is set, and a file or dataset that is given twice.
    """
    parts = [part for text in inputs for part in _expand(text, split, config)]
    if not parts:
        raise ValueError("no inputs; give files, folders, or names of datasets on the hub")
    first_of: dict[str, Part] = {}
    for part in parts:
        location = str(Path(part.source).resolve()) if Path(part.source).exists() else part.source
        if location in first_of:
            raise ValueError(f"{part.source}: given twice among the inputs; leave one out")
        first_of[location] = part
    return parts


def is_hub_name(text: str) -> bool:
    """Return True for what can be the name of a dataset on the hub; the name of a file of a known kind is none.

    >>> is_hub_name("owner/name-1.5"), is_hub_name("./name"), is_hub_name("owner/rows.jsonl")
    (True, False, False)
    """
    return _HUB_NAME.fullmatch(text) is not None and not is_known(Path(text))


def _expand(text: str, split: str | None, config: str | None) -> list[Part]:
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:  # There is no such user.
        raise ValueError(f"{text}: {error}") from error
    if not text.strip():
        raise ValueError("an input is empty; give a file, a folder, or the name of a dataset on the hub")
    if path.is_file():
        return [_file_part(path, split, config)]
    if path.is_dir():
        return _expand_folder(path, split, config)
    if glob.has_magic(text):
        return [_file_part(match, split, config) for match in _find_matches(path)]
    if is_hub_name(text):
        return [Part(text, is_file=False)]
    raise FileNotFoundError(f"{text}: there is no such file or folder")


def _file_part(path: Path, split: str | None, config: str | None) -> Part:
    if not is_known(path):
        raise ValueError(f"{path}: unknown kind of file; expected {KNOWN_KINDS}")
    for option, value in {"--split": split, "--config": config}.items():
        if value is not None:
            raise ValueError(f"{path}: {option} {value} is for datasets, and this is a plain file; leave out {option}")
    return Part(str(path), is_file=True)


def _find_matches(pattern: Path) -> list[Path]:
    matches = [Path(match) for match in sorted(glob.glob(str(pattern), recursive=True))]
    if not matches:
        raise FileNotFoundError(f"{pattern}: no file matches this pattern")
    for match in matches:
        if not match.is_file():
            raise ValueError(f"{match}: matches {pattern} but is no file; end the pattern as the files do")
    return matches


def _expand_folder(folder: Path, split: str | None, config: str | None) -> list[Part]:
    if config is None and not is_saved_folder(folder) and not _has_configs(folder / "README.md"):
        return [Part(str(path), is_file=True) for path in find_shards(folder, split)]
    return [Part(str(folder), is_file=False)]


def _has_configs(card: Path) -> bool:
    """Return True if the header of a dataset card says which files are which split."""
    return card.is_file() and _CONFIGS_OF_CARD.match(card.read_text(encoding="utf-8", errors="replace")) is not None

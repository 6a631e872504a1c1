"""Loads what the library `datasets` reads: datasets of the Hugging Face hub, and folders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast


def load_splits(source: str, config: str | None = None) -> Mapping[str, Any]:
    """Return the splits of a dataset, each an iterable of records.

    `source` is a folder that `save_to_disk` wrote, a folder as downloaded from the hub, or the name of a dataset on the
    hub, of which `config` names the part to load if it has several. A folder that holds a single unnamed split is
    returned as `train`.

    Raises ValueError, naming `source` and the cause, if it cannot be loaded.
    """
    import datasets  # Takes seconds to import, which the commands that read a plain file need not spend.

    folder = Path(source)
    try:
        if (folder / "dataset_dict.json").exists() or (folder / "state.json").exists():
            loaded = datasets.load_from_disk(source)
            return loaded if isinstance(loaded, datasets.DatasetDict) else {"train": loaded}
        return cast(Mapping[str, Any], datasets.load_dataset(source, config))
    except Exception as error:  # The library raises errors of many unrelated types.
        hint = "" if folder.exists() else "; without a network, give a downloaded file or folder instead of the name"
        raise ValueError(f"{source}: cannot be loaded as a Hugging Face dataset: {error}{hint}") from error


def find_split(splits: Mapping[str, Any], names: tuple[str, ...], source: str) -> Any:
    """Return the split called by the first of `names` that exists.

    Raises ValueError, naming those that exist, if there is none.

    >>> find_split({"aime": ["a problem"]}, ("aime24", "aime"), "DIR")
    ['a problem']
    """
    for name in names:
        if name in splits:
            return splits[name]
    raise ValueError(f"{source}: no split {' or '.join(map(repr, names))}; it has: {', '.join(splits)}")

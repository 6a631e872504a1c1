"""Loads what the library `datasets` reads: datasets of the Hugging Face hub, and folders."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Any, cast

from data_prep.sources.hub_access import find_hub_failure, staying_offline

_ROWS_IN_A_BATCH = 1000


def load_splits(source: str, config: str | None = None) -> Mapping[str, Any]:
    """Return the splits of a dataset, each an iterable of records.

    `source` is a folder that `save_to_disk` wrote, a folder as downloaded from the hub, or the name of a dataset on the
    hub, of which `config` names the part to load if it has several. A folder that holds a single unnamed split is
    returned as `train`. A dataset of the hub is taken from the cache if the hub does not answer within seconds.

    Raises ValueError, naming `source` and the cause, if it cannot be loaded.
    """
    import datasets  # Takes seconds to import, which the commands that read a plain file need not spend.

    folder = Path(source)
    failure = "" if folder.exists() else find_hub_failure()
    try:
        if is_saved_folder(folder):
            if config is not None:
                raise ValueError("a folder that save_to_disk wrote has no configurations; leave out --config")
            loaded = datasets.load_from_disk(source)
            return loaded if isinstance(loaded, datasets.DatasetDict) else {"train": loaded}
        with staying_offline() if failure else nullcontext():
            return cast(Mapping[str, Any], datasets.load_dataset(source, config))
    except Exception as error:  # The library raises errors of many unrelated types.
        cause = f"the hub was not reached ({failure}), and the cache did not help: {error}" if failure else str(error)
        fix = _fix(folder, cause)
        raise ValueError(f"{source}: cannot be loaded as a Hugging Face dataset: {cause}{fix}") from error


def _fix(folder: Path, cause: str) -> str:
    if "Config name is missing" in cause:
        return "; choose one with --config"
    if folder.exists():
        return ""
    return "; no file or folder is called so; without a network, give a downloaded file or folder instead of the name"


def is_saved_folder(folder: Path) -> bool:
    """Return True if `save_to_disk` of the library `datasets` wrote the folder."""
    return (folder / "dataset_dict.json").exists() or (folder / "state.json").exists()


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


def read_split(splits: Mapping[str, Any], split: str, source: str) -> Iterator[Any]:
    """Yield the records of a split, or of parts of some, such as `train[:100]` or `train[10%:20%]+test`.

    Raises ValueError, naming the source, for a split that is not there, or a part of it that is not.
    """
    import datasets

    names = [part.partition("[")[0].strip() for part in split.split("+")]
    num_rows = {name: len(find_split(splits, (name,), source)) for name in names}
    if names == [split]:
        return _rows_of(splits[split])
    try:
        parts = datasets.ReadInstruction.from_spec(split).to_absolute(num_rows)
    except (ValueError, AssertionError) as error:
        fix = "write it as train[:100] or train[10%:20%]"
        raise ValueError(f"{source}: --split {split} cannot be used: {error}; {fix}") from error
    selected = [splits[part.splitname].select(range(part.from_, part.to)) for part in parts]
    return chain.from_iterable(map(_rows_of, selected))


def _rows_of(dataset: Any) -> Iterator[Any]:
    """Yield the rows as plain values of Python, whatever format the dataset was saved with; a batch is faster."""
    for batch in dataset.with_format(None).iter(batch_size=_ROWS_IN_A_BATCH):
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(batch, values, strict=True))

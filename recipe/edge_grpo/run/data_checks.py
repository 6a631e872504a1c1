"""Whether data files can be read, said with the key and the file: a loader's own error names neither."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow
import pyarrow.parquet
from omegaconf import DictConfig, ListConfig

KEYS = ("train_files", "val_files")


def check_data_files(data: DictConfig, whole: bool = False) -> None:
    """Refuse a local Parquet file that is damaged.

    Files that are not there, or not on this machine, are left to verl; so are other formats.

    Args:
        data: the block `data:` of the configuration.
        whole: read all of each file, which takes as long as loading it; else its end, where a file that was cut off, or
            that is no Parquet file, shows.

    Raises:
        ValueError: naming the key and the file.
    """
    for key in KEYS:
        files = data.get(key) or ()
        for file in _local_parquet_files([files] if isinstance(files, str) else files):
            fault = _fault_of(file, whole)
            if fault is not None:
                raise ValueError(f"data.{key}: {file} is damaged ({fault}); make it again, or restore it")


def _local_parquet_files(files: Iterable[str] | ListConfig) -> list[Path]:
    return [Path(file) for file in files if str(file).endswith(".parquet") and Path(file).is_file()]


def _fault_of(file: Path, whole: bool) -> str | None:
    try:
        with pyarrow.parquet.ParquetFile(file) as opened:
            if whole:
                for _ in opened.iter_batches():
                    pass
    except (pyarrow.ArrowException, OSError) as error:
        return str(error).splitlines()[0].rstrip(". ") if str(error) else type(error).__name__
    return None

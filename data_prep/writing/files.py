"""Writes files that appear whole or not at all, and hashes them."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing_files(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; when the block ends, each file in it replaces the one of its name in `folder`.

    `folder` is made as needed. When the block raises, a full disk included, nothing in `folder` changes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Inside the folder, because a rename is atomic only within one file system.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as temporary:
        yield Path(temporary)
        for file in sorted(Path(temporary).iterdir()):
            os.replace(file, folder / file.name)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

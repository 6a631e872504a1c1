"""Opens text files in any encoding, packed by gzip or not, and names the line at which one cannot be decoded."""

import codecs
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO, cast

PACKED_ENDING = ".gz"
UTF_8 = "utf-8"


def check_encoding(encoding: str) -> str:
    """Return Python's own name of an encoding of text.

    Raises ValueError for one that Python does not know, and for a codec, such as `hex`, that is not for texts.

    >>> check_encoding("UTF8")
    'utf-8'
    """
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise ValueError(f"--encoding {encoding!r} is unknown; set one such as utf-8, latin-1 or utf-16") from error


@contextmanager
def open_text(path: Path, encoding: str, newline: str | None = None) -> Iterator[TextIO]:
    """Open a text file for reading, without its byte order mark; `newline` is what `open` takes.

    Raises ValueError, naming the file, the line and the encoding, for what cannot be decoded inside the `with`.
    """
    codec = _find_codec(path, encoding)
    with _open_bytes(path) as file, io.TextIOWrapper(file, encoding=codec, newline=newline) as text:
        try:
            yield text
        except UnicodeError as error:
            place = f"{path}, line {_find_line_at_fault(path, codec)}"
            fix = "set --encoding, such as latin-1 or utf-16"
            raise ValueError(f"{place}: cannot be read as {encoding}; {fix}") from error


def _open_bytes(path: Path) -> IO[bytes]:
    if path.name.lower().endswith(PACKED_ENDING):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _find_codec(path: Path, encoding: str) -> str:
    """Return the codec to decode a file with: the encoding asked for, as the first bytes of the file have it.

    Zero bytes and a mark of the byte order tell UTF-16 and UTF-32 from all else, but decode as Latin-1 without error.
    """
    with _open_bytes(path) as file:
        found = json.detect_encoding(file.read(4))
    asked_for = check_encoding(encoding)
    if found == UTF_8:  # Which is to say, nothing is known.
        return asked_for
    if found.startswith(asked_for[: len("utf-16")]):  # utf-16 and utf-16-le are one, as are utf-8 and utf-8-sig.
        return found
    fix = f"it begins as {found} does; set --encoding {found.removesuffix('-sig')}"
    raise ValueError(f"{path}, line 1: cannot be read as {encoding}: {fix}")


def _find_line_at_fault(path: Path, codec: str) -> int:
    """Return the line, from 1, at which the file cannot be decoded.

    A text file is decoded many lines at a time, so that its reader does not know.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    with _open_bytes(path) as file:
        try:
            while chunk := file.read(1 << 20):
                line += decoder.decode(chunk).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].decode(error.encoding).count("\n")
    return line

"""Reads the file that Weights & Biases leaves of an offline run. The client has no reader in Python.

It is a log of LevelDB (blocks of 32 KiB; records cut into parts) behind seven bytes that say whose it is; each record
is a message of the client's own protocol.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLOCK, _HEADER = 32_768, struct.Struct("<IHB")  # checksum, length, and which part of a record it is
_WHOLE, _LAST = 1, 4
_MARK = b":W&B"
_LENGTH_OF_MARK = 7


def read_history(path: Path) -> list[dict[str, Any]]:
    """What was logged, step by step: {name: value}, with names such as `_step` that the client adds."""
    from wandb.proto.wandb_internal_pb2 import Record

    steps = []
    for content in _records(path.read_bytes()):
        record = Record()
        record.ParseFromString(content)
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            steps.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
    return steps


def _records(log: bytes) -> Iterator[bytes]:
    if not log.startswith(_MARK):
        raise ValueError("no file of Weights & Biases")
    position, parts = _LENGTH_OF_MARK, b""
    while position + _HEADER.size <= len(log):
        left = _BLOCK - position % _BLOCK
        if left < _HEADER.size:  # The end of a block, too short for a header, is empty.
            position += left
            continue
        _, length, part = _HEADER.unpack_from(log, position)
        position += _HEADER.size
        parts += log[position : position + length]
        position += length
        if part in (_WHOLE, _LAST):
            yield parts
            parts = b""

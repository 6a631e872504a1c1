"""Keeps the file from which a killed run continues: JSON Lines, first the settings, then a record a line.

A record counts when its line is complete. Whatever kills the process in the middle of a line, the next start drops that
line and says so.
"""

import fcntl
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

JournalRecord = dict[str, Any]


class Journal:
    """The records of a run, open for more.

    `records` are those that were there when it was opened, in their order.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], should_overwrite: bool = False) -> None:
        """Open `path`, or begin it; folders are made as needed. `settings` hold what JSON can.

        Raises ValueError, naming the setting, if the file was written with others; naming the line, if it is broken
        elsewhere than at its end; and if another process has it open.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        try:
            self._lock()
            if should_overwrite:
                self._file.truncate(0)
            self.records = self._read(settings)
        except BaseException:
            self._file.close()
            raise

    def append(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Write the records and wait until they are on the disk."""
        self._file.write("".join(json.dumps(record) + "\n" for record in records).encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file, for another process to open."""
        self._file.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # Ends with the process.
        except BlockingIOError:
            raise ValueError(f"{self.path}: another process is writing it") from None
        except OSError:
            pass  # Some network file systems have no locks; two runs at once are the user's mistake.

    def _read(self, settings: Mapping[str, Any]) -> list[JournalRecord]:
        records, end = [], 0
        self._file.seek(0)
        for line_number, line in enumerate(self._file, start=1):
            if not line.endswith(b"\n"):
                self._file.truncate(end)
                print(f"{self.path}: dropped an incomplete last line; what it held is done again", file=sys.stderr)
                break
            records.append(self._parse(line, line_number))
            end += len(line)
        if records:
            self._check(records[0], settings)
        else:
            self.append([{"settings": settings}])
        return records[1:]

    def _parse(self, line: bytes, line_number: int) -> JournalRecord:
        try:
            record = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{self.path}, line {line_number}: {error}; start anew with --overwrite") from error
        if not isinstance(record, dict):
            raise ValueError(f"{self.path}, line {line_number}: no record; start anew with --overwrite")
        return record

    def _check(self, header: JournalRecord, settings: Mapping[str, Any]) -> None:
        old, new = header.get("settings"), json.loads(json.dumps(settings))
        if not isinstance(old, dict):
            raise ValueError(f"{self.path} does not begin with settings; start anew with --overwrite")
        for name in dict.fromkeys([*new, *old]):
            if old.get(name) != new.get(name):
                raise ValueError(
                    f"{self.path} was written with {name} = {_shown(old.get(name))}, and now it is "
                    f"{_shown(new.get(name))}; go back to that, take another place for the output, or start anew "
                    "with --overwrite"
                )


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

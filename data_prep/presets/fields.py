"""Says where a dataset keeps a value and how it is read, and what is wrong with a row that has none to use."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from data_prep.presets.paths import Record, find_value, has_value_or_null


class BadRow(ValueError):
    """What is wrong with a row: `reason` is a short class for counting, the text of the error the detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)  # Both, so that it can be sent to another process.
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[1])


def as_it_is(value: Any, record: Record) -> Any:
    """Return `value` as the record has it.

    >>> as_it_is(25.0, {"answer": 25.0})
    25.0
    """
    return value


@dataclass(frozen=True)
class Field:
    """Where a value is, and how it becomes ours; a few lines of a preset.

    The first of `paths` that the record has, and of which `read` makes something, is the value. Where there is none,
    `otherwise` is read. `clean` takes out of a text what can be switched off, such as thoughts.
    """

    paths: tuple[str, ...]
    read: Callable[[Any, Record], Any] = as_it_is
    clean: Callable[[str], str] | None = None
    otherwise: "Field | None" = None

    def value(self, record: Record) -> Any:
        """Return the value, or None if the record has none; a text of which `clean` leaves nothing is none.

        Raises BadRow, naming the path, for a value that `read` refuses.
        """
        for path in self.paths:
            found = find_value(record, path)
            if found is None:
                continue
            try:
                value = self.read(found, record)
            except BadRow as error:
                raise BadRow(error.reason, f"{path} {error}") from error
            if isinstance(value, str) and self.clean is not None:
                value = self.clean(value) or None
            if value is not None:
                return value
        return None if self.otherwise is None else self.otherwise.value(record)

    def has_column(self, record: Record) -> bool:
        """Return True if the record has one of the columns that are read, even where it is null."""
        if any(has_value_or_null(record, path) for path in self.paths):
            return True
        return self.otherwise is not None and self.otherwise.has_column(record)

    def without_cleaning(self) -> "Field":
        """Return a field that leaves texts whole."""
        otherwise = None if self.otherwise is None else self.otherwise.without_cleaning()
        return replace(self, clean=None, otherwise=otherwise)

    def find_columns(self, record: Record) -> set[str]:
        """Return the paths that the record has."""
        found = {path for path in self.paths if has_value_or_null(record, path)}
        return found if self.otherwise is None else found | self.otherwise.find_columns(record)

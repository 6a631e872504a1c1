"""A row of a dataset with what must become of it, and what the makers of such rows share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from support.problems_as_published import PROBLEMS, Problem

UNANSWERABLE = "unanswerable"  # The preset gives the answer; the check of golds refuses it.


@dataclass(frozen=True)
class PublishedRow:
    """A record; the text of its problem, its accepted answers and its solution ("" for none); or what is bad of it."""

    record: dict[str, Any]
    problem: str = ""
    answers: tuple[str, ...] = ()
    solution: str = ""
    is_bad: str | None = None
    correctness_rate: float | str | None = None


def make(maker: Callable[[int, Any], PublishedRow], items: Sequence[Any] = PROBLEMS) -> list[PublishedRow]:
    return list(starmap(maker, enumerate(items)))


def bad(row: PublishedRow, reason: str, **changes: Any) -> PublishedRow:
    """The record of a row with other values in some of its columns, for which it is refused."""
    return PublishedRow({**row.record, **changes}, is_bad=reason)


def user(content: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


def thinking(item: Problem) -> str:
    return f"<think>\nIs it \\boxed{{0}}? {item.working} No.\n</think>\n\n{item.solution}"

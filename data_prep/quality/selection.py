"""Selects the problems of an input that are kept: without repetitions, and a subset drawn reproducibly."""

import hashlib
import itertools
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from data_prep.problems.reading import MathProblem

# Unicode's compatibility forms that mean something else: x² is not x2, ½ is not 1/2 and ① may count equations.
_FORMS_WITH_MEANING = ("<super>", "<sub>", "<fraction>", "<circle>")


@dataclass
class Selection:
    """The problems that are left, and the rows of the input that were dropped, by reason."""

    problems: list[MathProblem]
    dropped_rows: dict[str, list[int]] = field(default_factory=dict)

    def drop(self, reason: str, row_numbers: Collection[int]) -> None:
        """Leave out the problems with these row numbers, and note them under `reason`, even if there are none."""
        self.problems = [problem for problem in self.problems if problem.row_number not in row_numbers]
        self.dropped_rows[reason] = sorted(row_numbers)


def folded(text: str) -> str:
    """Return a text by which problems are compared: runs of white space are one space, forms of a letter are one form.

    >>> folded("  What is\\n\\u00a0\uff11+\uff11? "), folded("x² + 1")
    ('What is 1+1?', 'x² + 1')
    """
    if not text.isascii():
        parts = itertools.groupby(
            text, lambda character: unicodedata.decomposition(character).startswith(_FORMS_WITH_MEANING)
        )
        text = "".join(
            "".join(part) if has_meaning else unicodedata.normalize("NFKC", "".join(part))
            for has_meaning, part in parts
        )
    return " ".join(text.split())


def find_repetitions(
    problems: Sequence[MathProblem], have_equal_answers: Callable[[MathProblem, MathProblem], bool]
) -> tuple[set[int], set[int]]:
    """Return the row numbers of duplicates and of contradictions.

    Problems with the same `folded` text belong together. If all of them have an answer equal to that of the first, the
    others are duplicates of it. If not, all of them contradict each other: which answer is right cannot be known.

    >>> problems = [MathProblem(row, text, ("2",)) for row, text in enumerate(["1 + 1?", "2?", "1  + 1? "], start=1)]
    >>> find_repetitions(problems, lambda first, second: first.answers == second.answers)
    ({3}, set())
    """
    duplicates: set[int] = set()
    contradictions: set[int] = set()
    for first, *others in _by_text(problems).values():
        if all(have_equal_answers(first, other) for other in others):
            duplicates.update(other.row_number for other in others)
        else:
            contradictions.update(problem.row_number for problem in (first, *others))
    return duplicates, contradictions


def find_overlap(problems: Sequence[MathProblem], excluded_texts: Iterable[str]) -> set[int]:
    """Return the row numbers of the problems whose `folded` text is that of one of `excluded_texts`.

    >>> find_overlap([MathProblem(1, "1 + 1?", ("2",)), MathProblem(2, "2?", ("2",))], ["1  +\\n1?"])
    {1}
    """
    excluded = set(map(folded, excluded_texts))
    return {problem.row_number for problem in problems if folded(problem.text) in excluded}


def draw_random(problems: Sequence[MathProblem], size: int, seed: int) -> list[MathProblem]:
    """Draw `size` of the problems at random, in their order: those with the smallest SHA-256 of "seed, newline, text".

    So the draw depends on the texts only and not on the order or the format of the input, can be repeated with any
    tool, and a smaller one is part of a larger one with the same seed.

    Raises ValueError if there are fewer than `size`.

    >>> problems = [MathProblem(row, f"{row}+1?", ("2",)) for row in range(1, 6)]
    >>> [problem.row_number for problem in draw_random(problems, size=2, seed=0)]
    [4, 5]
    """
    if size > len(problems):
        raise ValueError(f"a subset of {size} was asked for, and {len(problems)} problems are left to draw from")

    by_position = sorted(problems, key=lambda problem: _position(problem.text.strip(), seed))
    drawn = {problem.row_number for problem in by_position[:size]}
    return [problem for problem in problems if problem.row_number in drawn]


def draw_validation(problems: Sequence[MathProblem], size: int, seed: int) -> set[int]:
    """Draw `size` rows to be held out, and return their numbers: no `folded` text is among both these and the others.

    All rows of a text are drawn or none, by the smallest hashes as in `draw_random`. Where repetitions of a text leave
    no way to draw exactly `size`, as many fewer as it takes are drawn.

    Raises ValueError if no row would be left to train on, or none can be drawn.

    >>> problems = [MathProblem(row, text, ("2",)) for row, text in enumerate(["a", "b", "a", "c"], start=1)]
    >>> sorted(draw_validation(problems, size=2, seed=0))
    [1, 3]
    """
    if not 0 < size < len(problems):
        raise ValueError(
            f"a validation set of {size} was asked for, and there are {len(problems)} problems to draw from"
        )
    groups = sorted(_by_text(problems).items(), key=lambda group: _position(group[0], seed))
    drawn = _choose_by_size([len(group) for _, group in groups], size)
    rows = {problem.row_number for number in drawn for problem in groups[number][1]}
    if not rows:
        raise ValueError(f"no text has as few as {size} rows, and a validation set needs all rows of a text")
    return rows


def find_easy(problems: Sequence[MathProblem], max_correctness_rate: float) -> set[int]:
    """Return the row numbers of the problems whose correctness rate is higher than `max_correctness_rate`.

    Raises ValueError, naming the row, for a problem without a rate.

    >>> find_easy([MathProblem(1, "1+1?", ("2",), correctness_rate=0.5)], max_correctness_rate=0.125)
    {1}
    """
    for problem in problems:
        if problem.correctness_rate is None:
            raise ValueError(f"row {problem.row_number} has no correctness rate, and the hard subset is chosen by it")
    return {
        problem.row_number
        for problem in problems
        if problem.correctness_rate is not None and problem.correctness_rate > max_correctness_rate
    }


def _by_text(problems: Sequence[MathProblem]) -> dict[str, list[MathProblem]]:
    by_text: dict[str, list[MathProblem]] = {}
    for problem in problems:
        by_text.setdefault(folded(problem.text), []).append(problem)
    return by_text


def _position(text: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\n{text}".encode()).digest()


def _choose_by_size(sizes: Sequence[int], total: int) -> list[int]:
    """Return the positions of sizes with the largest sum up to `total`, the first in their order that have it."""
    chosen, missing = [], total
    for position, size in enumerate(sizes):
        if size <= missing:
            chosen.append(position)
            missing -= size
    return chosen if missing == 0 else _choose_by_sums(sizes, total)


def _choose_by_sums(sizes: Sequence[int], total: int) -> list[int]:
    # Bit n of reachable[i] says whether some of the sizes from i on have the sum n. A million sizes would take much
    # memory, and as good as always have a 1 among them, with which taking what fits is enough.
    reachable = [1]
    for size in reversed(sizes):
        reachable.append((reachable[-1] | reachable[-1] << size) & ((2 << total) - 1))
    reachable.reverse()
    chosen, missing = [], reachable[0].bit_length() - 1
    for position, size in enumerate(sizes):
        if size <= missing and reachable[position + 1] >> (missing - size) & 1:
            chosen.append(position)
            missing -= size
    return chosen

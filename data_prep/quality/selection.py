"""Selects the problems of an input that are kept: without repetitions, and a subset drawn reproducibly."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from data_prep.sources.problems import MathProblem


@dataclass
class Selection:
    """The problems that are left, and the rows of the input that were dropped, by reason."""

    problems: list[MathProblem]
    dropped_rows: dict[str, list[int]] = field(default_factory=dict)

    def drop(self, reason: str, row_numbers: Collection[int]) -> None:
        """Leave out the problems with these row numbers, and note them under `reason`, even if there are none."""
        self.problems = [problem for problem in self.problems if problem.row_number not in row_numbers]
        self.dropped_rows[reason] = sorted(row_numbers)


def find_repetitions(
    problems: Sequence[MathProblem], have_equal_answers: Callable[[MathProblem, MathProblem], bool]
) -> tuple[set[int], set[int]]:
    """Return the row numbers of duplicates and of contradictions.

    Problems with the same text, apart from outer spaces, belong together. If all of them have an answer equal to that
    of the first, the others are duplicates of it. If not, all of them contradict each other: which answer is right
    cannot be known.

    >>> problems = [MathProblem(row, text, ("2",)) for row, text in enumerate(["1+1?", "0+2?", "1+1? "], start=1)]
    >>> find_repetitions(problems, lambda first, second: first.answers == second.answers)
    ({3}, set())
    """
    by_text: dict[str, list[MathProblem]] = {}
    for problem in problems:
        by_text.setdefault(problem.text.strip(), []).append(problem)
    duplicates: set[int] = set()
    contradictions: set[int] = set()
    for first, *others in by_text.values():
        if all(have_equal_answers(first, other) for other in others):
            duplicates.update(other.row_number for other in others)
        else:
            contradictions.update(problem.row_number for problem in (first, *others))
    return duplicates, contradictions


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

    def position(problem: MathProblem) -> bytes:
        return hashlib.sha256(f"{seed}\n{problem.text.strip()}".encode()).digest()

    drawn = {problem.row_number for problem in sorted(problems, key=position)[:size]}
    return [problem for problem in problems if problem.row_number in drawn]


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

"""Makes the rows of verl of a file's problems, each when it is asked for: all at once they would take gigabytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

from data_prep.problems.reading import MathProblem
from data_prep.writing.rows import Row, build_row


@dataclass(frozen=True)
class ProblemRows(Sequence[Row]):
    """The rows of one file. Without indices of the input's own, they are numbered from 0.

    split: what `extra_info.split` says.
    instruction: what is appended to every problem.
    data_source: of all rows; None for each problem's own.
    has_lists: whether the ground truth is a list of accepted answers, or the one answer as a text: verl reads several
        files together only if they agree in this.
    has_rates: whether there is a `correctness_rate` in `extra_info`.

    >>> rows = ProblemRows([MathProblem(1, "1+1?", ("2",))], "train", "Think.", "mine")
    >>> rows[0]["prompt"], rows[0]["reward_model"]["ground_truth"]
    ([{'role': 'user', 'content': '1+1? Think.'}], '2')
    """

    problems: Sequence[MathProblem]
    split: str
    instruction: str = ""
    data_source: str | None = None
    has_lists: bool = False
    has_rates: bool = False

    def __len__(self) -> int:
        return len(self.problems)

    @overload
    def __getitem__(self, position: int) -> Row: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Row]: ...
    def __getitem__(self, position: int | slice) -> Row | Sequence[Row]:
        if isinstance(position, slice):
            return [self[number] for number in range(len(self))[position]]
        problem = self.problems[position]
        extra_info: dict[str, Any] = {"correctness_rate": problem.correctness_rate} if self.has_rates else {}
        return build_row(
            data_source=self.data_source or problem.data_source or self.split,
            problem=problem.prompt(self.instruction),
            answer=problem.answers if self.has_lists else problem.answers[0],
            solution=problem.solution,
            index=range(len(self))[position] if problem.index is None else problem.index,
            split=self.split,
            **extra_info,
        )

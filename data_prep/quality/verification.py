r"""Checks reference answers and reference solutions with the verifier that rewards use.

Error correction puts both before the policy: the answer in a box, the solution as it is. What the verifier does not
accept there would be trained on as a wrong response.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tqdm import tqdm

from data_prep.sources.problems import MathProblem
from reward_fns.math_reward import grade


@dataclass(frozen=True)
class Verification:
    """Row numbers of the problems that were checked, and of those whose answer or solution was not accepted.

    A problem without a solution is in `without_solution` and not in `rejected_solutions`.
    """

    checked: frozenset[int]
    rejected_answers: frozenset[int]
    rejected_solutions: frozenset[int]
    without_solution: frozenset[int]

    @property
    def num_accepted_answers(self) -> int:
        """The number of problems that accept every one of their answers when it is put in a box."""
        return len(self.checked) - len(self.rejected_answers)

    @property
    def num_accepted_solutions(self) -> int:
        """The number of reference solutions that end in a box with an accepted answer."""
        return len(self.checked) - len(self.without_solution) - len(self.rejected_solutions)


def verify_references(problems: Sequence[MathProblem], num_threads: int | None = None) -> Verification:
    """Grade the answers and the solution of every problem, with a progress bar; blocks until all are done.

    `num_threads` (default: one a core) wait for the verifier, which computes in processes of its own. Raises
    RuntimeError if it cannot be started.
    """
    executor = ThreadPoolExecutor(max_workers=num_threads or os.cpu_count())
    try:
        verdicts = list(
            tqdm(
                executor.map(_verify, problems),
                desc="verifying",
                total=len(problems),
                unit="problem",
                delay=1,
                mininterval=1,
            )
        )
    finally:
        executor.shutdown(cancel_futures=True)  # After Ctrl-C, thousands of problems may be waiting.

    def rows(is_included: Iterable[bool]) -> frozenset[int]:
        return frozenset(p.row_number for p, included in zip(problems, is_included, strict=True) if included)

    return Verification(
        checked=rows(True for _ in problems),
        rejected_answers=rows(not answer_accepted for answer_accepted, _ in verdicts),
        rejected_solutions=rows(not solution_accepted for _, solution_accepted in verdicts),
        without_solution=rows(not problem.solution.strip() for problem in problems),
    )


def have_equal_answers(first: MathProblem, second: MathProblem) -> bool:
    """Return True if an accepted answer of `second` is accepted for `first`."""
    return first.answers == second.answers or any(grade(_boxed(answer), first.answers) for answer in second.answers)


def _verify(problem: MathProblem) -> tuple[bool, bool]:
    """Return whether the answers are accepted, and whether the solution is (True if there is none)."""
    answers_accepted = all(grade(_boxed(answer), problem.answers) for answer in problem.answers)
    return answers_accepted, not problem.solution.strip() or bool(grade(problem.solution, problem.answers))


def _boxed(answer: str) -> str:
    return f"\\boxed{{{answer}}}"

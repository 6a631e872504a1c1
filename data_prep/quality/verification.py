r"""Checks reference answers and reference solutions with the verifier that rewards use.

An answer in a box graded against itself is right whatever it is, a whole solution as well. So the final answer alone is
graded too, found independently of how answers are compared, and a wrong answer, which must not be accepted. Error
correction puts answer and solution before the policy; what the verifier does not accept there would be trained on as a
wrong response.

A new check: its row in `REFERENCE_CHECKS`. A fault that an answer's text shows: in problems/golds.py.
"""

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tqdm import tqdm

from data_prep.problems.golds import GOLD_FAULTS, gold_fault, is_certain
from data_prep.problems.reading import MathProblem
from data_prep.quality.answer_forms import BOX, FORMS, final_answer, forms_asked, wrong_answer
from reward_fns.math_reward import grade

ANOTHER_FORM = "another form asked for"
SOLUTION_NOT_ACCEPTED = "solution not accepted"
_MAX_EXAMPLES = 3
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 40, 15


@dataclass(frozen=True)
class Verification:
    """What was found about the references of some problems; all are known by their row numbers.

    failures: {what went wrong: rows}, for each of `FAILURES` in its order, some without rows.
    without_solution: rows that are not checked for `SOLUTION_NOT_ACCEPTED`.
    failed_golds: {row: its first reference answer, shortened}, for the rows with any failure.
    """

    checked: frozenset[int]
    failures: Mapping[str, frozenset[int]]
    without_solution: frozenset[int] = frozenset()
    failed_golds: Mapping[int, str] = field(default_factory=dict)

    @property
    def failed(self) -> frozenset[int]:
        """The rows with any failure."""
        return frozenset().union(*self.failures.values())

    @property
    def rejected_answers(self) -> frozenset[int]:
        """The rows whose answer is certainly none, or is not graded as it should be; prose is left to the reader."""
        not_of_answers = (ANOTHER_FORM, SOLUTION_NOT_ACCEPTED)
        return frozenset().union(
            *(rows for kind, rows in self.failures.items() if kind not in not_of_answers and is_certain(kind))
        )

    @property
    def num_accepted_answers(self) -> int:
        """The number of problems whose answers are all graded as they should be."""
        return len(self.checked) - len(self.rejected_answers)


def verify_references(
    problems: Sequence[MathProblem], instruction: str = "", num_threads: int | None = None
) -> Verification:
    """Look at the answers and the solution of every problem, with a progress bar; blocks until all are done.

    `instruction` follows each problem in its prompt. `num_threads` (default: one a core) wait for the verifier, which
    computes in processes of its own. Raises RuntimeError if it cannot be started.
    """
    executor = ThreadPoolExecutor(max_workers=num_threads or os.cpu_count())
    found = executor.map(functools.partial(find_failures, instruction=instruction), problems)
    try:
        failures = list(tqdm(found, desc="verifying", total=len(problems), unit="problem", delay=1, mininterval=1))
    finally:
        executor.shutdown(cancel_futures=True)  # After Ctrl-C, thousands of problems may be waiting.
    by_row = [(problem.row_number, kinds) for problem, kinds in zip(problems, failures, strict=True)]
    return Verification(
        checked=frozenset(problem.row_number for problem in problems),
        failures={kind: frozenset(row for row, kinds in by_row if kind in kinds) for kind in FAILURES},
        without_solution=frozenset(problem.row_number for problem in problems if not problem.solution.strip()),
        failed_golds={
            problem.row_number: _shorten(problem.answers[0])
            for problem, kinds in zip(problems, failures, strict=True)
            if kinds
        },
    )


def find_failures(problem: MathProblem, instruction: str = "") -> set[str]:
    r"""Return what is wrong with the references of a problem, some of `FAILURES`.

    >>> sorted(find_failures(MathProblem(1, "1+1?", ("It is 1+1=2\n#### 2",))))
    ["'####' in the answer", 'final answer alone not accepted']
    """
    prompt = problem.prompt(instruction)
    failures = {kind for kind, has_failed in REFERENCE_CHECKS.items() if has_failed(problem, prompt)}
    return failures | {fault for answer in problem.answers if (fault := gold_fault(answer)) is not None}


def too_faulty(verification: Verification) -> str | None:
    """Return why the answers cannot be used, with examples, if more than half of them have a fault; else None.

    What a prompt asks for and what a solution ends in is no fault of an answer.

    >>> found = Verification(frozenset({1}), {"placeholder as answer": frozenset({1})}, failed_golds={1: "?"})
    >>> print(too_faulty(found))
    1 of 1 reference answers are no final answers that the reward can grade: row 1 (placeholder as answer) '?'
    """
    kinds = {
        kind: rows for kind, rows in verification.failures.items() if kind not in (ANOTHER_FORM, SOLUTION_NOT_ACCEPTED)
    }
    faulty = frozenset().union(*kinds.values())
    if 2 * len(faulty) <= len(verification.checked):
        return None
    # One example a kind, the texts' own faults first: they say more than what grading found.
    first_rows: dict[int, str] = {}
    for kind in sorted(kinds, key=lambda kind: kind not in GOLD_FAULTS):
        if kinds[kind]:
            first_rows.setdefault(min(kinds[kind]), kind)
    examples = [f"row {row} ({kind}) {verification.failed_golds[row]!r}" for row, kind in first_rows.items()]
    return (
        f"{len(faulty)} of {len(verification.checked)} reference answers are no final answers that the reward can "
        f"grade: {'; '.join(examples[:_MAX_EXAMPLES])}"
    )


def have_equal_answers(first: MathProblem, second: MathProblem) -> bool:
    """Return True if an accepted answer of `second` is accepted for `first`."""
    return first.answers == second.answers or any(_accepts(first, answer) for answer in second.answers)


def _shorten(gold: str) -> str:
    """Return the beginning and the end, where a solution tells the answer."""
    text = " ".join(gold.split())
    is_long = len(text) > _HEAD_CHARACTERS + _TAIL_CHARACTERS + len(" … ")
    return f"{text[:_HEAD_CHARACTERS]} … {text[-_TAIL_CHARACTERS:]}" if is_long else text


@functools.cache
def _forms_read() -> frozenset[str]:
    """Return the forms in which the reward tells a right answer from a wrong one."""
    return frozenset(form for form, response in FORMS.items() if grade(response % 72, 72) > grade(response % 73, 72))


def _accepts(problem: MathProblem, answer: str, form: str = BOX) -> bool:
    return bool(grade(FORMS[form] % answer, problem.answers))


def _asks_for_another_form(problem: MathProblem, prompt: str) -> bool:
    asked = forms_asked([prompt])
    return bool(asked) and _forms_read().isdisjoint(asked)


def _rejects_answer(problem: MathProblem, prompt: str) -> bool:
    form = next((form for form in forms_asked([prompt]) if form in _forms_read()), BOX)
    return not all(_accepts(problem, answer, form) for answer in problem.answers)


def _rejects_final_answer(problem: MathProblem, _: str) -> bool:
    return not all(_accepts(problem, final_answer(answer)) for answer in problem.answers)


def _accepts_wrong_answer(problem: MathProblem, _: str) -> bool:
    return _accepts(problem, wrong_answer(problem.answers))


def _rejects_solution(problem: MathProblem, _: str) -> bool:
    return bool(problem.solution.strip()) and not grade(problem.solution, problem.answers)


REFERENCE_CHECKS: dict[str, Callable[[MathProblem, str], bool]] = {
    ANOTHER_FORM: _asks_for_another_form,
    "answer not accepted": _rejects_answer,
    "final answer alone not accepted": _rejects_final_answer,
    "wrong answer accepted": _accepts_wrong_answer,
    SOLUTION_NOT_ACCEPTED: _rejects_solution,
}
"""{what goes wrong: whether it does, for a problem and its prompt}, each found by grading."""

FAILURES = (*REFERENCE_CHECKS, *GOLD_FAULTS)

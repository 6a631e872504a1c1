"""Writes what went in, what came out, and what the problems are like, as tables for the terminal and the card."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from data_prep.problems.reading import MathProblem
from data_prep.quality.answer_kinds import KINDS, kind_of
from data_prep.quality.token_lengths import PERCENTILES, percentiles
from data_prep.quality.verification import REFERENCE_CHECKS, SOLUTION_NOT_ACCEPTED, Verification
from data_prep.writing.markdown import aligned_table

_NUM_EXAMPLES = 5


def row_table(num_rows_in: int, dropped_rows: Mapping[str, Sequence[int]], num_rows_out: int) -> str:
    """Return a table of the rows in, dropped by reason, with the first rows of the input that were, and out.

    >>> print(row_table(3, {"duplicate": [2]}, 2))
    | rows               | number | input rows |
    | ------------------ | -----: | ---------- |
    | in                 |      3 |            |
    | dropped: duplicate |      1 | 2          |
    | out                |      2 |            |
    """
    rows: list[list[object]] = [["in", num_rows_in, ""]]
    rows += [[f"dropped: {reason}", len(dropped), _examples(dropped)] for reason, dropped in dropped_rows.items()]
    return aligned_table([["rows", "number", "input rows"], *rows, ["out", num_rows_out, ""]])


def answer_table(problems: Sequence[MathProblem]) -> str:
    """Return a table of how many answers are of which kind; of several accepted ones, the first counts."""
    counts = Counter(kind_of(problem.answers[0]) for problem in problems)
    kinds = [[kind, counts[kind]] for kind in KINDS if counts[kind]]
    num_several = sum(len(problem.answers) > 1 for problem in problems)
    return aligned_table([["answers", "problems"], *kinds, ["several accepted", num_several]])


def verification_table(verification: Verification) -> str:
    """Return a table of what was checked of the references, and of the first rows that failed.

    What grading can find has a row in any case, what an answer's text shows only if it was found.
    """
    num_checked = len(verification.checked)
    num_solutions = num_checked - len(verification.without_solution)
    rows = [
        [kind, num_solutions if kind == SOLUTION_NOT_ACCEPTED else num_checked, len(failed), _examples(failed)]
        for kind, failed in verification.failures.items()
        if failed or kind in REFERENCE_CHECKS
    ]
    failed = verification.failed
    return aligned_table(
        [
            ["references", "checked", "failed", "input rows"],
            *rows,
            ["any of these", num_checked, len(failed), _examples(failed)],
        ]
    )


def length_table(lengths_by_text: Mapping[str, Sequence[int]]) -> str:
    """Return percentiles of the lengths in tokens of each kind of text, such as prompts; empty kinds are left out."""
    header = ["tokens", *("longest" if percentile == 100 else f"{percentile} %" for percentile in PERCENTILES)]
    return aligned_table(
        [header, *([text, *percentiles(lengths)] for text, lengths in lengths_by_text.items() if lengths)]
    )


def _examples(row_numbers: Iterable[int]) -> str:
    first, rest = sorted(row_numbers)[:_NUM_EXAMPLES], len(list(row_numbers)) > _NUM_EXAMPLES
    return ", ".join(map(str, first)) + (", …" if rest else "")

r"""The verdicts of this project's grader and of verl's on labelled answers, as a Markdown table.

    python tests/bench/graders.py CASES.jsonl [--graders NAME ...] [--show]

Each line of CASES.jsonl is an object with `response`, `ground_truth` and `note` (text) and `expected` (true or false).
Tags in the note sort the cases: [adversarial], [contested] (a matter of convention), [multi-box] or [multi-box-set],
[robust-positive]; without any of them a case is core. The first in this order counts.

Every grader runs in a process of its own, which is killed and replaced when one case takes too long. verl's math_verify
is measured by the function that its pool calls, in the main thread of that process: its pool is four children that
each import torch, and its cold start and its queue are not what is compared. verl's prime_math is left out, because it
calls Python's `eval` on the text of the response.

A case on which a grader raised, died or hung counts as wrong, whichever verdict was expected, and is in a column of its
own; false positives and false negatives are the wrong verdicts.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from killable_child import KillableChild, Outcome

KILL_SECONDS = 20.0
SLOW_SECONDS = 2.5

# Needs matrix algebra, so that a grader that leaves this to another process starts that process.
FIRST_CALL = (
    r"\boxed{\begin{pmatrix}1 & 2\end{pmatrix}+\begin{pmatrix}3 & 4\end{pmatrix}}",
    r"\begin{pmatrix}4 & 6\end{pmatrix}",
)

KEYS = {"response": str, "ground_truth": str, "expected": bool, "note": str}
CATEGORIES = {
    "adversarial": "[adversarial]",
    "contested": "[contested]",
    "multi-box": "[multi-box",
    "robust-positive": "[robust-positive]",
}


@dataclass(frozen=True)
class Case:
    """A labelled answer; `line` is where it stands in its file, `category` one of CATEGORIES or `core`."""

    line: int
    response: str
    ground_truth: str
    expected: bool
    note: str

    @property
    def category(self) -> str:
        return next((name for name, tag in CATEGORIES.items() if tag in self.note), "core")


def ours(response: str, ground_truth: str) -> bool:
    from reward_fns.math_reward import grade

    return grade(response, ground_truth) > 0.5


def verl_math_verify(response: str, ground_truth: str) -> bool:
    from verl.utils.reward_score.math_verify import _verify_in_subprocess

    return _verify_in_subprocess("\\boxed{" + ground_truth + "}", response) > 0.5


def verl_math_dapo(response: str, ground_truth: str) -> bool:
    from verl.utils.reward_score.math_dapo import compute_score

    return compute_score(response, ground_truth)["score"] > 0  # Its scores are -1 and 1.


def verl_math_reward(response: str, ground_truth: str) -> bool:
    from verl.utils.reward_score.math_reward import compute_score

    return compute_score(response, ground_truth) > 0.5


GRADERS: dict[str, Callable[[str, str], bool]] = {
    "ours": ours,
    "verl math_verify": verl_math_verify,
    "verl math_dapo": verl_math_dapo,
    "verl math_reward": verl_math_reward,
}
TABLE_HEAD = (
    f"| grader | core | false positives | false negatives | multi-box | contested | robust positives | adversarial "
    f"| longer than {SLOW_SECONDS} s | never returned | raised or died | longest adversarial |\n" + "|---" * 12 + "|"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("cases", type=Path, metavar="CASES.jsonl")
    parser.add_argument("--graders", nargs="+", choices=GRADERS, default=list(GRADERS), metavar="NAME")
    parser.add_argument("--show", action="store_true", help="list the cases that this project's grader gets wrong")
    options = parser.parse_args()
    try:
        cases = read_cases(options.cases)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(TABLE_HEAD)
    wrong: list[str] = []
    for name in options.graders:
        outcomes = grade_all(f"graders:{GRADERS[name].__name__}", cases)
        print(table_row(name, cases, outcomes), flush=True)
        if name == "ours" and options.show:
            wrong = [described(*pair) for pair in zip(cases, outcomes, strict=True) if not is_right(*pair)]
    for line in wrong:
        print(line)


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a JSON Lines file. Raises ValueError with the line, and the key if one is at fault."""
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: not JSON ({error})") from None
        if not isinstance(row, dict):
            raise ValueError(f"{path}, line {number}: not a JSON object")
        row = with_usual_keys(row)
        for key, kind in KEYS.items():
            if not isinstance(row.get(key), kind):
                fault = f"must be of type {kind.__name__}, got {row[key]!r:.80}" if key in row else "is missing"
                raise ValueError(f"{path}, line {number}: {key} {fault}")
        cases.append(Case(number, **{key: row[key] for key in KEYS}))
    return cases


def with_usual_keys(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a file that has `gold` and a key `contested` in the keys of the others."""
    if "gold" not in row or "ground_truth" in row:
        return row
    note = ("[contested] " if row.get("contested") else "") + str(row.get("root_cause", ""))
    return {**row, "ground_truth": row["gold"], "expected": bool(row.get("expected")), "note": note}


def grade_all(target: str, cases: Sequence[Case], kill_seconds: float = KILL_SECONDS) -> list[Outcome]:
    """Let `target`, a `module:function` of (response, ground_truth), judge every case in a child process."""
    with KillableChild(target, first_call=FIRST_CALL) as child:
        return [child.call(case.response, case.ground_truth, kill_seconds=kill_seconds) for case in cases]


def is_right(case: Case, outcome: Outcome) -> bool:
    return not outcome.failure and outcome.value == case.expected


def table_row(name: str, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> str:
    """The row of the table for the grader `name`; `outcomes` are its verdicts on `cases`, in the same order."""
    pairs = list(zip(cases, outcomes, strict=True))
    verdicts = [(case, outcome.value) for case, outcome in pairs if case.category == "core" and not outcome.failure]
    failures = [outcome.failure for outcome in outcomes if outcome.failure]

    def right(category: str) -> str:
        rights = [is_right(*pair) for pair in pairs if pair[0].category == category]
        return f"{sum(rights)} / {len(rights)}"

    cells = [
        name,
        right("core"),
        sum(verdict and not case.expected for case, verdict in verdicts),
        sum(case.expected and not verdict for case, verdict in verdicts),
        *(right(category) for category in ("multi-box", "contested", "robust-positive", "adversarial")),
        sum(outcome.seconds > SLOW_SECONDS for outcome in outcomes),
        failures.count("hung"),
        len(failures) - failures.count("hung"),
        f"{max((outcome.seconds for case, outcome in pairs if case.category == 'adversarial'), default=0.0):.1f} s",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def described(case: Case, outcome: Outcome) -> str:
    verdict = outcome.failure or outcome.value
    return (
        f"line {case.line} ({case.category}: {case.note}): {case.response[-80:]!a} against {case.ground_truth!a}: "
        f"{verdict}, expected {case.expected} ({outcome.seconds:.1f} s)"
    )


if __name__ == "__main__":
    main()

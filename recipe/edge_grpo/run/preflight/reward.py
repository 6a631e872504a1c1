"""Checks of the reward: it imports, it tells a right answer from a wrong one, and it reads what the prompts ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recipe.edge_grpo.run.preflight.findings import Finding, ok, refuse, warn

OWN_REWARD = "pkg://reward_fns.math_reward"

VERLS_REWARD: Mapping[str, Any] = {
    "path": "pkg://verl.utils.reward_score",
    "name": "default_compute_score",
    "reward_kwargs": {},
}
"""What verl calls where no function is named: it chooses one by `data_source`."""

MEND_FUNCTION = "mend the path, the name or the file"
NAME_FUNCTION = (
    "name a function (pkg://reward_fns.math_reward), or rename the data_source to one that verl's reward knows"
)


@dataclass(frozen=True)
class Probe:
    """What came of calling the reward.

    grades: {way: (accuracy of the reference answer, of a wrong one)}; empty if it was not called to the end.
    error: why not, in one line.
    is_certain: whether the same will happen in the run (no such file, no such function, no Python, not implemented).
    """

    grades: Mapping[str, tuple[float, float]]
    error: str | None = None
    is_certain: bool = False


def ways_read(grades: Mapping[str, tuple[float, float]]) -> list[str]:
    """Return the ways of giving an answer in which the reward tells right from wrong.

    >>> ways_read({"####": (1.0, 0.0), "the bare answer": (0.0, 0.0)})
    ['####']
    """
    return [way for way, (right, wrong) in grades.items() if right > wrong]


def check_grades(path: str | None, gold: Any, probe: Probe, is_this_machine: bool) -> Iterator[Finding]:
    """Say whether the reward tells the reference answer from a wrong one.

    Only what is certain is refused: a reward that does not import, or the project's own grading wrongly.
    """
    key = f"reward.custom_reward_function.path={path or 'null (verl chooses by data_source)'}"
    if probe.error is not None:
        if probe.is_certain and is_this_machine:
            yield refuse(f"{key}: {probe.error}", MEND_FUNCTION if path else NAME_FUNCTION)
        else:
            yield warn(f"{key} was not tried: {probe.error}")
        return
    ways = ways_read(probe.grades)
    if ways:
        yield ok(f"reward: tells the reference answer {gold!r} from a wrong one, given as {', '.join(ways)}")
    elif path == OWN_REWARD:
        yield refuse(
            f"{key} does not tell the reference answer {gold!r} of a training row from a wrong one",
            "reward_model.ground_truth must be the final answer alone, as docs/reward.md describes it",
        )
    else:
        yield warn(
            f"{key} gives the reference answer {gold!r} no more than a wrong one, given as {', '.join(probe.grades)}",
            "see whether it reads the answer as the prompts ask for it",
        )


def check_forms(path: str | None, asked: Mapping[str, int], num_prompts: int, probe: Probe) -> Iterator[Finding]:
    """Compare the form that the prompts ask for with what the reward reads.

    Refused only for the project's own reward, where all prompts ask for another form; a warning from half of them on.
    """
    read = ways_read(probe.grades)
    if not read or not asked or any(form in read for form in asked):
        return
    form, count = max(asked.items(), key=lambda item: item[1])
    if 2 * count < num_prompts:
        return
    text = (
        f"{count} of {num_prompts} training prompts ask for the answer as {form!r}, and "
        f"reward.custom_reward_function.path={path or 'null'} reads {', '.join(map(repr, read))} only"
    )
    fix = "change the prompts, or use the reward that reads what they ask for"
    yield refuse(text, fix) if path == OWN_REWARD and count == num_prompts else warn(text, fix)

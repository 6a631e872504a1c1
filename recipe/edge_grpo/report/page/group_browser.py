"""Makes the data of the browser of groups, of as many groups as a budget of bytes has room for; pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recipe.edge_grpo.report.page.injected_text import pieces_of, reflection_text_of
from recipe.edge_grpo.report.page.rollouts import Response, Rollouts, evenly_chosen, number_in

MAX_STEPS_SHOWN = 12
"""The most steps of each run whose groups are shown."""
MAX_SHOWN_CHARACTERS = 6000
"""The most characters of one text; the rest is cut."""

NUMBER_COLUMNS = {
    "score": ("score",),
    "first_score": ("first_pass_score", "score"),
    "accuracy": ("accuracy", "score"),
    "entropy": ("entropy",),
    "ratio": ("entropy_ratio",),
    "advantage_before": ("advantage_before_eda",),
    "advantage": ("advantage",),
}
"""{number of a response on the page: the columns of the dump that may hold it}."""

FILTERS = ("all_wrong", "revived", "destroyed", "skipped", "corrected", "all_correct")
"""What groups can be chosen by; `flags_of` says what each means."""


@dataclass(frozen=True)
class BrowserData:
    """What the page shows of groups."""

    json: str
    """Safe inside of a script element."""
    notes: Sequence[str]
    """What was left out, one sentence a run."""


def flags_of(group: Sequence[Response]) -> list[str]:
    """Return the filters that a group passes.

    `all_wrong`, `all_correct`: every first pass is. `revived`: the first passes had one and the same score, the
    responses after correction have not. `destroyed`: the other way round. `skipped`: a response could not be
    corrected. `corrected`: one was.

    >>> right, wrong = {"score": 1.0, "first_pass_score": 0.0, "strategy": "answer"}, {"score": 0.0}
    >>> flags_of([right, wrong])
    ['all_wrong', 'revived', 'corrected']
    """
    first = [number_in(response, *NUMBER_COLUMNS["first_score"]) for response in group]
    after = [number_in(response, "score") for response in group]
    accuracies = [number_in(response, "first_pass_accuracy", "first_pass_score", "score") or 0.0 for response in group]
    had_contrast, has_contrast = len(set(first)) > 1, len(set(after)) > 1
    holds = {
        "all_wrong": max(accuracies) <= 0,
        "revived": has_contrast and not had_contrast,
        "destroyed": had_contrast and not has_contrast,
        "skipped": any(response.get("skipped") or response.get("hint_skipped") for response in group),
        "corrected": any(response.get("strategy") for response in group),
        "all_correct": min(accuracies) >= 1,
    }
    return [name for name in FILTERS if holds[name]]


def _shown_response(response: Response, reflection_text: str) -> dict[str, Any]:
    numbers = {name: number_in(response, *columns) for name, columns in NUMBER_COLUMNS.items()}
    shown: dict[str, Any] = {name: round(value, 4) for name, value in numbers.items() if value is not None}
    for name in ("strategy", "skipped", "guard_role", "hint_number", "hint_skipped"):
        if response.get(name) is not None:
            shown[name] = str(response[name])
    first = response.get("first_pass_text")
    if response.get("strategy") and isinstance(first, str):
        shown["first"] = _cut(first)
    shown["pieces"] = [(writer, _cut(text)) for writer, text in pieces_of(response, reflection_text)]
    return shown


def _cut(text: str) -> str:
    more = len(text) - MAX_SHOWN_CHARACTERS
    return text if more <= 0 else f"{text[:MAX_SHOWN_CHARACTERS]} […{more} more characters]"


def shown_group(step: int, number: int, group: Sequence[Response], reflection_text: str) -> dict[str, Any]:
    """Return what the page shows of a group.

    >>> shown_group(3, 0, [{"input": "1+1", "output": "2", "gts": "2", "score": 1.0}], "")["prompt"]
    '1+1'
    """
    return {
        "step": step,
        "group": number,
        "prompt": _cut(str(group[0].get("input", ""))),
        "answer": _cut(str(group[0].get("gts", ""))),
        "flags": flags_of(group),
        "responses": [_shown_response(response, reflection_text) for response in group],
    }


def browser_data(rollouts_by_run: Mapping[str, Rollouts], max_bytes: int) -> BrowserData:
    """Return the groups of some steps of each run, evenly chosen, in at most so many bytes.

    Every run and every step gets the same share; what does not fit is left out and noted.
    """
    runs: list[str] = []
    notes: list[str] = []
    for number, (name, rollouts) in enumerate(rollouts_by_run.items()):
        used = sum(len(run) for run in runs)
        share = (max_bytes - used) // (len(rollouts_by_run) - number)
        text, note = _run_data(name, rollouts, share)
        runs.append(text)
        notes.append(note)
    return BrowserData(f"[{','.join(runs)}]", notes)


def _run_data(name: str, rollouts: Rollouts, max_bytes: int) -> tuple[str, str]:
    read = list(rollouts.groups_by_step)
    steps = evenly_chosen(read, MAX_STEPS_SHOWN)
    reflection_text = reflection_text_of([response for step in read for response in rollouts.responses(step)])
    groups: list[str] = []
    left = max_bytes - 200 - 6 * len(name)
    num_groups = 0
    for place, step in enumerate(steps):
        share = left // (len(steps) - place)
        num_groups += len(rollouts.groups_by_step[step])
        for number, group in enumerate(rollouts.groups_by_step[step]):
            text = for_script(shown_group(step, number, group, reflection_text))
            if len(text) + 1 > share:
                break
            groups.append(text)
            share -= len(text) + 1
            left -= len(text) + 1
    note = f"{name}: steps {', '.join(map(str, steps))}"
    if len(groups) < num_groups:
        note += f"; {len(groups)} of their {num_groups} groups, the first of each step, for the page to stay small"
    return f'{{"name":{for_script(name)},"groups":[{",".join(groups)}]}}', note


def for_script(value: object) -> str:
    """Return the value as JSON that cannot end the script element in which it stands.

    >>> for_script("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

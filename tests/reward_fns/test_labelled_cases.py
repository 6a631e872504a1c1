"""The reward on labelled responses: real generations, reference answers and near misses, hostile answers."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from reward_fns.math_reward import compute_score

CASES = Path(__file__).parents[3] / "shared" / "data" / "grader_dev.jsonl"

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the labelled grader cases are not part of this repository")

# Tags of the notes, of which the first counts. Cases without a tag are the core, what every grader has to get right.
KINDS = ("[contested]", "[adversarial]", "[multi-box", "[robust-positive]")


@pytest.fixture(scope="module")
def graded():
    """The cases of each kind, as pairs (case, result)."""

    async def grade_all(cases):
        return [await compute_score("math", case["response"], case["ground_truth"]) for case in cases]

    cases = [json.loads(line) for line in CASES.read_text().splitlines()]
    graded = {kind: [] for kind in (*KINDS, "core")}
    for case, result in zip(cases, asyncio.run(grade_all(cases)), strict=True):
        graded[next((kind for kind in KINDS if kind in case["note"]), "core")].append((case, result))
    return graded


def wrong(graded):
    return [
        f"{case['response'][-80:]!r} for {case['ground_truth']!r}: {result}, labelled {case['expected']}"
        for case, result in graded
        if (result["acc"] == 1.0) != case["expected"]
    ]


def test_ninety_nine_of_a_hundred_core_cases_are_right(graded):
    assert len(graded["core"]) > 350
    errors = wrong(graded["core"])
    assert len(errors) <= 0.01 * len(graded["core"]), errors


def test_no_wrong_core_answer_is_called_right(graded):
    assert wrong([(case, result) for case, result in graded["core"] if not case["expected"]]) == []


def test_every_hostile_answer_is_judged_rightly_and_in_time(graded):
    assert len(graded["[adversarial]"]) > 30
    assert wrong(graded["[adversarial]"]) == []
    assert not {result["verify_status"] for _, result in graded["[adversarial]"]} & {"timeout", "crash"}


@pytest.mark.parametrize("kind", ["[multi-box", "[robust-positive]"])
def test_every_response_with_several_boxes_or_in_a_strange_form_is_judged_rightly(graded, kind):
    assert graded[kind]
    assert wrong(graded[kind]) == []


def test_contested_cases_are_reported(graded):
    cases = graded["[contested]"]
    assert cases
    print(f"\n{len(wrong(cases))} of {len(cases)} contested cases differ from their labels:", *wrong(cases), sep="\n")
    for kind, results in graded.items():
        print(kind, Counter(result["verify_status"] for _, result in results))

"""The reward as verl calls it and as a script calls it."""

import asyncio
import functools
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from reward_fns import math_reward
from reward_fns.math_reward import compute_score, gold_answers, grade

KEYS = {"score", "acc", "format", "verify_status"}
GRADER_CASES = Path(__file__).parents[3] / "shared" / "data" / "grader_dev.jsonl"


def score(response, ground_truth):
    return asyncio.run(compute_score("math", response, ground_truth, {"index": 0}, reward_router_address=None))


@pytest.fixture
def verifier_says(monkeypatch):
    """Replace the child process by a table: gold -> (equal, status)."""

    def replace(answers):
        monkeypatch.setattr(math_reward._VERIFIER, "compare", lambda candidate, gold: answers[gold])

    return replace


@pytest.mark.parametrize(
    ("response", "ground_truth", "accuracy", "has_box", "status"),
    [
        (r"so \boxed{42}", "42", 1.0, 1.0, "ok"),
        (r"so \boxed{41}", "42", 0.0, 1.0, "ok"),
        (r"\boxed{41}, wait, \boxed{42}", "42", 1.0, 1.0, "ok"),
        (r"\boxed{42}, wait, \boxed{41}", "42", 0.0, 1.0, "ok"),
        ("the answer is 42", "42", 0.0, 0.0, "no_box"),
        (r"\boxed{}", "42", 0.0, 0.0, "no_box"),
        ("", "42", 0.0, 0.0, "no_box"),
        (r"\boxed{" + "9" * 300 + "}", "42", 0.0, 1.0, "limit"),
        (r"\boxed{42.0}", 42, 1.0, 1.0, "ok"),
        (r"\boxed{25}", 25.0, 1.0, 1.0, "ok"),
        (r"\boxed{25}", np.float64(25), 1.0, 1.0, "ok"),
        (r"\boxed{2}", ["1", "2"], 1.0, 1.0, "ok"),
        (r"\boxed{3}", np.array(["1", "2"]), 0.0, 1.0, "ok"),
        (r"\boxed{60}", r"\(\boxed{60}\)", 1.0, 1.0, "ok"),
    ],
)
def test_score_is_accuracy_of_the_last_box(response, ground_truth, accuracy, has_box, status):
    expected = {"score": accuracy, "acc": accuracy, "format": has_box, "verify_status": status}
    assert score(response, ground_truth) == expected
    assert grade(response, ground_truth) == accuracy


@pytest.mark.parametrize("status", ["ok", "timeout", "crash", "parse_error"])
def test_a_failed_comparison_counts_as_wrong_with_the_same_keys(verifier_says, status):
    verifier_says({"1+x": (False, status)})
    result = score(r"\boxed{x+1}", "1+x")
    assert result == {"score": 0.0, "acc": 0.0, "format": 1.0, "verify_status": status}
    assert set(result) == KEYS


def test_a_right_alternative_outweighs_one_that_could_not_be_compared(verifier_says):
    verifier_says({"y": (False, "timeout"), "1+x": (True, "ok")})
    assert score(r"\boxed{x+1}", ["y", "1+x"]) == {"score": 1.0, "acc": 1.0, "format": 1.0, "verify_status": "ok"}


def test_an_alternative_that_could_not_be_compared_shows_when_the_others_are_wrong(verifier_says):
    verifier_says({"y": (False, "timeout"), "z": (False, "ok")})
    assert score(r"\boxed{x+1}", ["y", "z"])["verify_status"] == "timeout"


def test_answers_that_need_algebra_go_through_the_verifier():
    assert score(r"\boxed{x+1}", "1+x")["acc"] == 1.0
    math_reward._VERIFIER.close()


def test_the_event_loop_runs_on_while_the_verifier_computes(monkeypatch):
    # The verifier answers only after the loop has run another task: a blocked loop would never get there.
    async def both():
        loop, has_run = asyncio.get_running_loop(), asyncio.Event()

        def wait_for_the_loop(candidate, gold):
            asyncio.run_coroutine_threadsafe(has_run.wait(), loop).result(timeout=30)
            return True, "ok"

        monkeypatch.setattr(math_reward._VERIFIER, "compare", wait_for_the_loop)
        scoring = asyncio.create_task(compute_score("math", r"\boxed{x+1}", "1+x"))
        await asyncio.sleep(0)
        has_run.set()
        return await scoring

    assert asyncio.run(both())["acc"] == 1.0


@pytest.mark.parametrize("ground_truth", [None, "", "  ", [], ["1", ""], [None], float("nan"), True, {"answer": "1"}])
def test_a_missing_answer_in_the_data_is_an_error_that_names_it(ground_truth):
    with pytest.raises(ValueError, match="ground_truth"):
        score(r"\boxed{}", ground_truth)
    with pytest.raises(ValueError, match="ground_truth"):
        grade("no box", ground_truth)


def test_gold_answers_lose_their_box_and_keep_their_order():
    assert gold_answers([r"$\boxed{a=170}$", 83.0, " x "]) == ["a=170", "83.0", "x"]


def test_verl_recognises_a_bound_compute_score_as_a_coroutine_function():
    # verl binds reward_kwargs with functools.partial and awaits only what inspect calls a coroutine function.
    assert inspect.iscoroutinefunction(functools.partial(compute_score, some_option=1))


def test_verl_can_call_with_keywords_only():
    result = asyncio.run(
        compute_score(
            data_source="math",
            solution_str=r"\boxed{1}",
            ground_truth="1",
            extra_info=None,
            reward_router_address=None,
            reward_model_tokenizer=None,
        )
    )
    assert {key: type(value) for key, value in result.items()} == {
        "score": float,
        "acc": float,
        "format": float,
        "verify_status": str,
    }


@pytest.mark.skipif(not GRADER_CASES.exists(), reason="the labelled grader cases are not part of this repository")
def test_almost_all_labelled_cases_that_are_settled_quickly_are_right():
    # Only cases outside the convention questions, and only those decided without the child process. Errors known: two
    # real generations that end in an empty box after the right one (labelled as no answer), and one rounded decimal.
    excluded = ("[adversarial]", "[contested]", "[multi-box", "[robust-positive]")
    cases = [json.loads(line) for line in GRADER_CASES.read_text().splitlines()]
    cases = [case for case in cases if not any(tag in case["note"] for tag in excluded)]
    gradings = [(math_reward._grade_quickly(case["response"], case["ground_truth"]), case) for case in cases]
    settled = [(grading, case) for grading, case in gradings if not grading.open_golds]
    wrong = [case for grading, case in settled if grading.is_correct != case["expected"]]
    assert len(settled) > 250
    assert len(wrong) <= 3, [(case["response"][-80:], case["ground_truth"]) for case in wrong]

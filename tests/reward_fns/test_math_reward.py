"""The reward as verl calls it and as a script calls it."""

import asyncio
from concurrent.futures import Future
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_fns.limits import MAX_CHARACTERS, MAX_NESTING
from reward_fns.math_reward import compute_score, grade, read_gold_answers
from reward_fns.verifier.link import Verdict
from reward_fns.verifier.pool import WorkerPool

KEYS = {"score", "acc", "format", "verify_status"}


def score(response, ground_truth, **weights):
    return asyncio.run(
        compute_score("math", response, ground_truth, {"index": 0}, reward_router_address=None, **weights)
    )


@contextmanager
def verifier_that_says(answer):
    """Replace the child processes by `answer(candidate, gold)`; yields the list of what was asked."""
    asked = []

    def submit(pool, candidate, gold):
        asked.append((candidate, gold))
        verdict = Future()
        verdict.set_result(Verdict(*answer(candidate, gold)))
        return verdict

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorkerPool, "submit", submit)
        yield asked


@pytest.mark.parametrize(
    ("response", "ground_truth", "accuracy", "has_box", "status"),
    [
        (r"so \boxed{42}", "42", 1.0, 1.0, "ok"),
        (r"so \boxed{41}", "42", 0.0, 1.0, "ok"),
        (r"so \fbox{42}", "42", 1.0, 1.0, "ok"),
        (r"\boxed{41}, wait, \boxed{42}", "42", 1.0, 1.0, "ok"),
        (r"\boxed{42}, wait, \boxed{41}", "42", 0.0, 1.0, "ok"),
        (r"\boxed{42}, wait, \boxed{}", "42", 0.0, 0.0, "no_box"),
        ("the answer is 42", "42", 0.0, 0.0, "no_box"),
        (r"\boxed{}", "42", 0.0, 0.0, "no_box"),
        ("", "42", 0.0, 0.0, "no_box"),
        (None, "42", 0.0, 0.0, "no_box"),
        (b"\\boxed{42}", "42", 0.0, 0.0, "no_box"),
        (r"\boxed{" + "9" * 300 + "}", "42", 0.0, 1.0, "limit"),
        (r"\boxed{" + "x" * (MAX_CHARACTERS + 1) + "}", "42", 0.0, 1.0, "limit"),
        (r"\boxed{9^{9^{9^9}}}", "42", 0.0, 1.0, "limit"),
        (r"\boxed{9^{9^{9^9}}}", ["42", "9^{9^{9^9}}"], 1.0, 1.0, "ok"),
        (r"\boxed{\int_0^1 x\,dx}", "1/2", 0.0, 1.0, "limit"),
        (r"\boxed{\int_0^1 x\,dx}", r"\int_0^1 x \, dx", 1.0, 1.0, "ok"),
        (r"\boxed{\lim_{x \to 0} x}", ["0", r"\lim_{x\to0}x"], 1.0, 1.0, "ok"),
        (r"\boxed{42.0}", 42, 1.0, 1.0, "ok"),
        (r"\boxed{25}", 25.0, 1.0, 1.0, "ok"),
        (r"\boxed{25}", np.float64(25), 1.0, 1.0, "ok"),
        (r"\boxed{25}", np.int32(25), 1.0, 1.0, "ok"),
        (r"\boxed{2.5}", Decimal("2.5"), 1.0, 1.0, "ok"),
        (r"\boxed{2.5}", Fraction(5, 2), 1.0, 1.0, "ok"),
        (r"\boxed{2}", ["1", "2"], 1.0, 1.0, "ok"),
        (r"\boxed{3}", np.array(["1", "2"]), 0.0, 1.0, "ok"),
        (r"\boxed{2}", np.array(["1", "2"], dtype=object), 1.0, 1.0, "ok"),
        (r"\boxed{60}", r"\(\boxed{60}\)", 1.0, 1.0, "ok"),
        (r"\boxed{1}", None, 0.0, 1.0, "no_gold"),
        ("no box", None, 0.0, 0.0, "no_gold"),
    ],
)
def test_score_is_accuracy_of_the_last_box(response, ground_truth, accuracy, has_box, status):
    expected = {"score": accuracy, "acc": accuracy, "format": has_box, "verify_status": status}
    with verifier_that_says(lambda candidate, gold: pytest.fail(f"the verifier was asked about {candidate}")):
        assert score(response, ground_truth) == expected
        assert grade(response, ground_truth) == accuracy


@pytest.mark.parametrize(
    ("response", "accuracy", "has_box"),
    [(r"\boxed{42}", 1.0, 1.0), (r"\boxed{41}", 0.0, 1.0), (r"\boxed{}", 0.0, 0.0), ("42", 0.0, 0.0)],
)
@pytest.mark.parametrize(("accuracy_weight", "format_weight"), [(1.0, 0.0), (1.0, 1.0), (2.0, 0.5), (0.0, 1.0)])
def test_the_score_is_the_weighted_sum_of_accuracy_and_format(
    response, accuracy, has_box, accuracy_weight, format_weight
):
    result = score(response, "42", accuracy_weight=accuracy_weight, format_weight=format_weight)
    assert (result["acc"], result["format"]) == (accuracy, has_box)
    assert result["score"] == accuracy_weight * accuracy + format_weight * has_box


@pytest.mark.parametrize("status", ["ok", "timeout", "crash", "parse_error", "limit"])
def test_a_failed_comparison_counts_as_wrong_with_the_same_keys(status):
    with verifier_that_says(lambda candidate, gold: (False, status)) as asked:
        result = score(r"\boxed{ \log $100$ }", r"\left\lfloor 2\right\rfloor")
        assert grade(r"\boxed{ \log $100$ }", r"\left\lfloor 2\right\rfloor") == 0.0
    assert result == {"score": 0.0, "acc": 0.0, "format": 1.0, "verify_status": status}
    assert set(result) == KEYS
    # Both sides are cleaned before they are asked about.
    assert asked == [(r"\log 100", r"\lfloor 2\rfloor")] * 2


def test_a_right_alternative_outweighs_one_that_could_not_be_compared():
    for answers in ({r"\log 10": "timeout", r"\log 20": "ok"}, {r"\log 20": "ok", r"\log 10": "timeout"}):
        with verifier_that_says(lambda candidate, gold: (gold == r"\log 20", answers[gold])):  # noqa: B023 - called within
            result = score(r"\boxed{\log 30}", list(answers))
            assert grade(r"\boxed{\log 30}", list(answers)) == 1.0
        assert result == {"score": 1.0, "acc": 1.0, "format": 1.0, "verify_status": "ok"}


def test_an_alternative_that_could_not_be_compared_shows_when_the_others_are_wrong():
    for golds in ([r"\log 10", r"\log 20", "5"], ["5", r"\log 20", r"\log 10"]):
        with verifier_that_says(lambda candidate, gold: (False, "timeout" if gold == r"\log 10" else "ok")):
            assert score(r"\boxed{\log 30}", golds)["verify_status"] == "timeout"


def test_an_alternative_that_is_too_large_shows_when_the_others_are_wrong():
    assert score(r"\boxed{5}", ["9^{9^{9^9}}", "6"])["verify_status"] == "limit"
    assert score(r"\boxed{5}", ["9^{9^{9^9}}", "5"])["verify_status"] == "ok"


def test_nothing_is_asked_once_an_alternative_is_right():
    with verifier_that_says(lambda candidate, gold: (True, "ok")) as asked:
        assert grade(r"\boxed{\log 30}", [r"\log 10", r"\log 20"]) == 1.0
        assert score(r"\boxed{\log 30}", [r"\log 10", r"\log 20"])["acc"] == 1.0
    assert [gold for _, gold in asked] == [r"\log 10", r"\log 10"]


def test_answers_that_need_algebra_go_through_the_verifier():
    assert score(r"\boxed{\log 100}", "2")["acc"] == 1.0
    assert score(r"\boxed{\log 100}", "3") == {"score": 0.0, "acc": 0.0, "format": 1.0, "verify_status": "ok"}


class ImpatientFuture(Future):
    def result(self, timeout=30):
        return super().result(timeout)


def test_the_event_loop_runs_on_while_the_verifier_computes():
    # The verdict comes from the loop itself: whoever blocks it waits in vain.
    async def score_one():
        loop = asyncio.get_running_loop()

        def submit(pool, candidate, gold):
            verdict = ImpatientFuture()
            loop.call_soon(verdict.set_result, Verdict(True, "ok"))
            return verdict

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(WorkerPool, "submit", submit)
            return await compute_score("math", r"\boxed{\log 100}", "2")

    assert asyncio.run(score_one())["acc"] == 1.0


@pytest.mark.parametrize("has_box", [True, False])
@pytest.mark.parametrize(
    "ground_truth",
    [
        None,
        "",
        "  ",
        [],
        ["1", ""],
        [None],
        [[]],
        float("nan"),
        float("inf"),
        True,
        {"answer": "1"},
        b"1",
        slice(1),
    ]
    + [np.array([]), Decimal("sNaN"), 1j, [1, 1j]],
    ids=repr,
)
def test_a_missing_answer_in_the_data_is_wrong_and_says_so(ground_truth, has_box):
    result = score(r"\boxed{1}" if has_box else "1", ground_truth)
    assert result == {"score": 0.0, "acc": 0.0, "format": float(has_box), "verify_status": "no_gold"}
    assert grade(r"\boxed{1}", ground_truth) == 0.0
    with pytest.raises(ValueError):
        read_gold_answers(ground_truth)


def nested_list(depth):
    answer = ["1"]
    for _ in range(depth):
        answer = [answer]
    return answer


STRANGE_GOLDS = {
    "more parentheses than there is stack": "(" * 5000 + "1" + ")" * 5000,
    "more braces than there is stack": "{" * 5000 + "1" + "}" * 5000,
    "more sets than there is stack": r"\{" * 1000 + "1,2" + r"\}" * 1000,
    "more exponents than there is stack": "x^{" * 5000 + "2" + "}" * 5000,
    "more lists than there is stack": nested_list(5000),
    "more digits than Python reads": "1" * 5000,
    "more digits than Python reads, in an expression": "1" * 5000 + "x",
    "a number beyond floats": 10**400,
    "a number of more digits than Python writes": 10**5000,
    "an array without dimensions": np.array("1"),
    "a lone surrogate": "\ud800",
    "NUL": "\x00",
}


@pytest.mark.parametrize("ground_truth", STRANGE_GOLDS.values(), ids=STRANGE_GOLDS.keys())
def test_no_reference_answer_raises_an_error(ground_truth):
    for response in (r"\boxed{2}", r"\boxed{x+2}", "no box", r"\boxed{\{2,3\}}"):
        assert set(score(response, ground_truth)) == KEYS
        assert grade(response, ground_truth) == 0.0


def test_an_answer_at_the_limits_of_the_text_is_compared():
    nested = "(" * MAX_NESTING + "1" + ")" * MAX_NESTING
    assert score(rf"\boxed{{{nested}}}", "1")["acc"] == 1.0
    assert score(rf"\boxed{{({nested})}}", "1")["verify_status"] == "limit"


pieces = st.lists(
    st.sampled_from(
        [r"\boxed{", "}", "{", r"\frac", "1", "2", "x", "^", "!", "(", ")", ",", "=", r"\pm", "%", " ", r"\int"]
    ),
    max_size=20,
).map("".join)
texts = pieces | st.text(max_size=80)
boxes = texts.map(lambda text: rf"\boxed{{{text}}}")
numbers = st.integers() | st.floats() | st.complex_numbers()
values = texts | boxes | st.none() | st.booleans() | numbers | st.binary() | st.dictionaries(texts, texts, max_size=2)
anything = values | st.recursive(values, lambda children: st.lists(children, max_size=3), max_leaves=4)


@settings(max_examples=300)
@given(texts | boxes | anything, anything)
def test_whatever_comes_is_scored_and_nothing_is_raised(response, ground_truth):
    with verifier_that_says(lambda candidate, gold: (False, "ok")):
        result = score(response, ground_truth)
        assert grade(response, ground_truth) == result["acc"]
    assert set(result) == KEYS
    assert result["score"] == result["acc"] <= result["format"]
    assert result["verify_status"] in ("ok", "no_box", "no_gold", "limit")
    assert (result["verify_status"] in ("no_box", "no_gold")) <= (result["acc"] == 0.0)


def test_gold_answers_lose_their_box_and_keep_their_order():
    assert read_gold_answers([r"$\boxed{a=170}$", 83.0, " x ", ["y"], r"\boxed{}"]) == [
        "a=170",
        "83.0",
        "x",
        "y",
        r"\boxed{}",
    ]

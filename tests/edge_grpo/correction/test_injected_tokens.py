"""Tokens that correction injects: their mask in every treatment, and solutions that are longer than a response."""

import pytest
from support.error_correction import ANSWER, EOS, N42, RIGHT, SECRET, SO, TWO, WAIT, WRONG, A

from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy

LOSSES = [
    ("mask", None, 0),
    ("train", None, 1),
    ("weight", 0.5, 1),  # the loss is weighted later, where the token still counts
    ("weight", 0, 1),
    ("shaped", None, 1),
]


@pytest.mark.parametrize(("injected_loss", "weight", "expected"), LOSSES)
@pytest.mark.parametrize("strategy", RESPONSE_STRATEGIES)
def test_the_treatment_of_injected_tokens_changes_their_mask_and_nothing_else(
    start, policy, response, strategy, injected_loss, weight, expected
):
    run = start(strategy, policy(SO, EOS), injected_loss=injected_loss, injected_weight=weight)
    stored = run.sample(response(SO, TWO, WRONG, EOS, mask=[1, 0, 1, 1]))
    # i: injected, s: sampled, t: a tool's token, which is in the loss of no run
    ids, kinds, log_probs = {
        Strategy.REFLECTION: (
            [SO, TWO, WRONG, WAIT, SO, EOS],
            "stsiss",
            [-float(SO), -float(TWO), -float(WRONG), 0.0, -0.5, -0.5],
        ),
        Strategy.ANSWER: (
            [SO, TWO, WRONG, WAIT, ANSWER, N42, EOS],
            "stsiiii",
            [-float(SO), -float(TWO), -float(WRONG), 0.0, 0.0, 0.0, 0.0],
        ),
        Strategy.SOLUTION: ([SECRET, SO, N42, EOS], "iiii", [0.0] * 4),
    }[strategy]
    assert stored.response_ids == ids
    assert stored.response_mask == [{"i": expected, "s": 1, "t": 0}[kind] for kind in kinds]
    assert stored.response_logprobs == log_probs
    assert run.record.injected_spans == ((kinds.index("i"), kinds.rindex("i") + 1),)


@pytest.mark.parametrize(("injected_loss", "weight", "expected"), LOSSES)
def test_injected_tokens_of_every_round_have_the_same_mask(start, policy, response, injected_loss, weight, expected):
    run = start(
        Strategy.REFLECTION, policy(SO), injected_loss=injected_loss, injected_weight=weight, reflection_rounds=2,
        max_new_tokens=1, reflection_texts=[" Wait a"],
    )  # fmt: skip
    stored = run.sample(response(WRONG, EOS))
    assert stored.response_ids == [WRONG, WAIT, A, SO, WAIT, A, SO]
    assert stored.response_mask == [1, expected, expected, 1, expected, expected, 1]


def test_a_response_that_is_not_corrected_keeps_its_mask(start, response):
    run = start(Strategy.ANSWER, injected_loss="mask")
    assert run.sample(response(RIGHT, TWO, EOS, mask=[1, 0, 1])).response_mask == [1, 0, 1]


@pytest.mark.parametrize(
    ("num_words", "expected", "is_cut"),
    [
        (6, [A] * 6 + [EOS], False),
        (7, [A] * 7 + [EOS], False),  # 7 and EOS are just 8
        (8, [A] * 8, True),  # all of the solution, and no EOS
        (9, [A] * 8, True),
        (50, [A] * 8, True),
    ],
)
def test_a_solution_that_is_too_long_is_cut_to_the_response_length(start, response, num_words, expected, is_cut):
    run = start(Strategy.SOLUTION, long_solution="cut")
    stored = run.sample(response(WRONG, EOS), extra_info={"solution": " ".join("a" * num_words)})
    assert stored.response_ids == expected
    assert stored.response_mask == [1] * len(expected)
    assert stored.response_logprobs == [0.0] * len(expected)
    assert run.record == CorrectionRecord(
        0.25, 0.0, True, Strategy.SOLUTION, is_solution_cut=is_cut, injected_spans=((0, len(expected)),)
    )
    assert stored.reward_score == 0.25  # scored as it is now, without its answer
    assert len(run.scored) == 2


def test_a_cut_solution_stays_out_of_the_loss_where_injected_tokens_do(start, response):
    run = start(Strategy.SOLUTION, long_solution="cut", injected_loss="mask")
    assert run.sample(response(WRONG), extra_info={"solution": "a " * 9}).response_mask == [0] * 8


@pytest.mark.parametrize(("num_words", "is_skipped"), [(7, False), (8, True), (50, True)])
def test_a_solution_that_is_too_long_is_skipped_by_default(start, response, num_words, is_skipped):
    run = start(Strategy.SOLUTION, long_solution="skip")
    stored = run.sample(response(WRONG, EOS), extra_info={"solution": " ".join("a" * num_words)})
    assert (run.record.skipped is Skipped.SOLUTION_TOO_LONG) == is_skipped
    assert not run.record.is_solution_cut
    assert (stored.response_ids == [WRONG, EOS]) == is_skipped


def test_an_answer_in_place_of_a_missing_solution_is_not_cut(start, response):
    """Only a solution may be cut: an answer text without its answer says nothing."""
    run = start(Strategy.SOLUTION, long_solution="cut")
    stored = run.sample(response(*[WRONG] * 5), extra_info=None)  # 5 + 3 injected + EOS = 9
    assert stored.response_ids == [WRONG] * 5
    assert run.record == CorrectionRecord(0.25, 0.0, True, skipped=Skipped.NO_ROOM, answer_for_missing_solution=True)

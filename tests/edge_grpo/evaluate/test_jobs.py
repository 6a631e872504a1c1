"""The requests of an evaluation: lengths, seeds, and token ids of forced reflection."""

import json

import pytest

from data_prep.sampling.engine import Sample, request_seed
from data_prep.sampling.grading import Outcome
from data_prep.sampling.templates import Prompt
from recipe.edge_grpo.evaluate.benchmarks import BenchmarkProblem
from recipe.edge_grpo.evaluate.jobs import (
    PromptedProblem,
    SamplingPlan,
    continuation_job,
    first_pass_job,
    stored_response,
)
from recipe.edge_grpo.evaluate.responses import ResponseKey
from recipe.edge_grpo.evaluate.store import StoredResponse

PROMPT_IDS = (1, 2, 3)
ITEM = PromptedProblem(BenchmarkProblem("amc", 4, [], ("2", "two"), "row 1"), Prompt("One and one?", PROMPT_IDS))
KEY = ResponseKey("amc", 4, 1, 0.6, None)
STOP = 99


def plan(**changes):
    return SamplingPlan(
        **({"seed": 5, "top_p": 0.9, "max_tokens": 20, "max_reflection_tokens": 8, "context_length": 100} | changes)
    )


@pytest.fixture
def first_pass(graded):
    """first_pass(token_ids, finish_reason): a wrong one that is stored."""

    def first_pass(token_ids, finish_reason="stop"):
        fields = KEY._asdict() | {"response": "It is 3.", "finish_reason": finish_reason}
        return StoredResponse(graded(0.0, **fields), tuple(token_ids), None)

    return first_pass


def reflect(first_pass, text_ids=(50, 51), **changes):
    return continuation_job(ITEM, KEY._replace(reflection_text=" Wait!"), first_pass, text_ids, plan(**changes))


def test_a_first_pass_asks_for_the_prompt_with_a_seed_of_its_own():
    job = first_pass_job(ITEM, KEY, plan())
    assert (job.key, job.ground_truth, job.text_before) == (KEY, ("2", "two"), "")
    assert job.request.prompt_token_ids == PROMPT_IDS
    assert (job.request.temperature, job.request.top_p, job.request.max_tokens) == (0.6, 0.9, 20)
    assert job.request.seed == request_seed(5, "amc", 4, 1, 0.6, None)


@pytest.mark.parametrize(("context_length", "max_tokens"), [(24, 20), (23, 20), (22, 19), (4, 1)])
def test_a_first_pass_ends_where_the_context_ends(context_length, max_tokens):
    assert first_pass_job(ITEM, KEY, plan(context_length=context_length)).request.max_tokens == max_tokens


def test_a_continuation_follows_the_sampled_tokens_without_their_stop_token(first_pass):
    job = reflect(first_pass([10, 11, STOP]))
    assert job.request.prompt_token_ids == (*PROMPT_IDS, 10, 11, 50, 51)
    assert job.text_before == "It is 3. Wait!"
    assert (job.request.max_tokens, job.ground_truth) == (8, ("2", "two"))
    assert (
        job.request.seed
        == request_seed(5, "amc", 4, 1, 0.6, " Wait!")
        != first_pass_job(ITEM, KEY, plan()).request.seed
    )


def test_a_truncated_response_keeps_its_last_token(first_pass):
    assert reflect(first_pass([10, 11, 12], "length")).request.prompt_token_ids == (*PROMPT_IDS, 10, 11, 12, 50, 51)


# Prompt 3, response without stop token 2, text 2: seven tokens before the continuation.
@pytest.mark.parametrize(("context_length", "max_tokens"), [(15, 8), (14, 7), (8, 1), (7, None), (6, None)])
def test_a_continuation_ends_where_the_context_ends_and_is_left_out_without_room(
    first_pass, context_length, max_tokens
):
    job = reflect(first_pass([10, 11, STOP]), context_length=context_length)
    assert (None if job is None else job.request.max_tokens) == max_tokens


def outcome_of(job, token_ids, text):
    sample = Sample(tuple(token_ids), text, "length", surprisal=0.25)
    return Outcome(job, sample, job.text_before + text, accuracy=1.0, has_box=True, verify_status="ok")


def test_a_first_pass_is_kept_with_its_grade_its_tokens_and_all_accepted_answers():
    stored = stored_response(outcome_of(first_pass_job(ITEM, KEY, plan()), [10, 11], "It is 2."), ITEM)
    assert (stored.token_ids, stored.surprisal) == ((10, 11), 0.25)
    graded = stored.graded
    assert graded.key == KEY
    assert (graded.prompt, graded.response, json.loads(graded.ground_truth)) == (
        "One and one?",
        "It is 2.",
        ["2", "two"],
    )
    assert (graded.accuracy, graded.has_box, graded.verify_status) == (1.0, True, "ok")
    assert (graded.num_tokens, graded.finish_reason, graded.mean_entropy) == (2, "length", None)


def test_a_continuation_is_kept_as_one_response_with_what_it_continues(first_pass):
    graded = stored_response(outcome_of(reflect(first_pass([10, 11, STOP])), [20, 21, 22], " It is 2."), ITEM).graded
    assert graded.key == KEY._replace(reflection_text=" Wait!")
    assert graded.response == "It is 3. Wait! It is 2."
    assert graded.num_tokens == 2 + 2 + 3

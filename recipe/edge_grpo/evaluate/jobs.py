"""Makes the requests of an evaluation: first passes, and continuations of wrong ones."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from data_prep.sampling.engine import Request, request_seed
from data_prep.sampling.grading import Job, Outcome
from data_prep.sampling.templates import Prompt
from recipe.edge_grpo.correction.tokens import ResponseTokens, append_reflection
from recipe.edge_grpo.evaluate.benchmarks import BenchmarkProblem
from recipe.edge_grpo.evaluate.responses import GradedResponse, ResponseKey
from recipe.edge_grpo.evaluate.store import StoredResponse

ProblemKey = tuple[str, int]


@dataclass(frozen=True)
class SamplingPlan:
    """How every response is sampled; lengths are in tokens. `context_length` bounds prompt and response together."""

    seed: int
    top_p: float
    max_tokens: int
    max_reflection_tokens: int
    context_length: int


@dataclass(frozen=True)
class PromptedProblem:
    """A problem and its prompt."""

    problem: BenchmarkProblem
    prompt: Prompt


def first_pass_job(item: PromptedProblem, key: ResponseKey, plan: SamplingPlan) -> Job[ResponseKey]:
    """Return the job that samples one first pass, cut off where `plan` or the context ends."""
    max_tokens = min(plan.max_tokens, plan.context_length - len(item.prompt.token_ids))
    request = Request(item.prompt.token_ids, key.temperature, plan.top_p, max_tokens, request_seed(plan.seed, *key))
    return Job(key, request, item.problem.answers)


def continuation_job(
    item: PromptedProblem, key: ResponseKey, first_pass: StoredResponse, text_ids: Sequence[int], plan: SamplingPlan
) -> Job[ResponseKey] | None:
    """Return the job that lets the policy continue a wrong first pass, without its stop token, after a reflection text.

    Everything happens on token ids, as in training: nothing is decoded and encoded again. None if the context leaves no
    room.
    """
    stop_token = first_pass.token_ids[-1:] if first_pass.graded.finish_reason == "stop" else ()
    response = ResponseTokens(list(first_pass.token_ids), [1] * len(first_pass.token_ids))
    room = plan.context_length - len(item.prompt.token_ids)
    begun = append_reflection(response, text_ids, stop_token, room)
    if begun is None:
        return None
    prompt_ids = (*item.prompt.token_ids, *begun.tokens.ids)
    max_tokens = min(plan.max_reflection_tokens, room - len(begun.tokens.ids))
    request = Request(prompt_ids, key.temperature, plan.top_p, max_tokens, request_seed(plan.seed, *key))
    return Job(key, request, item.problem.answers, text_before=f"{first_pass.graded.response}{key.reflection_text}")


def stored_response(outcome: Outcome[ResponseKey], item: PromptedProblem) -> StoredResponse:
    """Return what the outcome of a job is kept as. A continuation counts as one response with what it continues."""
    num_tokens_before = len(outcome.job.request.prompt_token_ids) - len(item.prompt.token_ids)
    graded = GradedResponse(
        **outcome.job.key._asdict(),
        prompt=item.prompt.text,
        response=outcome.text,
        ground_truth=_ground_truth_text(item.problem.answers),
        accuracy=outcome.accuracy,
        has_box=outcome.has_box,
        verify_status=outcome.verify_status,
        num_tokens=num_tokens_before + len(outcome.sample.token_ids),
        finish_reason=outcome.sample.finish_reason,
        mean_entropy=None,
    )
    return StoredResponse(graded, outcome.sample.token_ids, outcome.sample.surprisal)


def _ground_truth_text(answers: Sequence[str]) -> str:
    return answers[0] if len(answers) == 1 else json.dumps(list(answers), ensure_ascii=False)

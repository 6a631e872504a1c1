"""Further requests for a response to the policy's server, asked as its agent loop had asked."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.correction.record import Skipped
from recipe.edge_grpo.correction.tokens import ResponseTokens

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    prompt_ids: list[int]
    """Everything before the tokens that are to be sampled."""
    max_tokens: int
    purpose: str
    """`reflection` or `hint`: what it is called in the log, and what its seed is drawn for."""
    number: int
    """How many requests of the session were made for this purpose before."""
    is_new_response: bool = False
    """What is sampled takes the place of the response, rather than going on with it."""


async def ask_policy(
    llm_client: Any, candidate: Candidate, request: Request, time_limit_seconds: float | None
) -> ResponseTokens | Skipped:
    """Let the policy sample; returns the tokens, or why there are none: a server that fails costs no group."""
    asked = candidate.sampling.latest_request
    if asked is None:
        return Skipped.NOT_SAMPLED_BY_POLICY_CLIENT
    # All that the agent loop asked with: images, stop tokens; and its number, by which verl chooses the server.
    seed = candidate.sampling.seed_of(request.purpose, request.number)
    params = {**asked["sampling_params"], "max_tokens": request.max_tokens, **seed}
    limit = asyncio.timeout(time_limit_seconds)
    try:
        async with limit:
            generated = await llm_client.generate(**{**asked, "sampling_params": params}, prompt_ids=request.prompt_ids)
    except Exception:
        if limit.expired():
            logger.warning("sampling for a %s took too long (time_limit_seconds): response kept", request.purpose)
            return Skipped.GENERATION_TIMED_OUT
        # A boundary on purpose: the server may refuse a request (context length) or fail, and what has been sampled
        # is still valid. The record counts it and the log has the cause.
        logger.exception("sampling for a %s failed; the response is kept", request.purpose)
        return Skipped.GENERATION_FAILED
    if not generated.token_ids:
        return Skipped.GENERATION_FAILED
    _note_weights(candidate, generated.extra_fields, request.is_new_response)
    ids = list(generated.token_ids)[: request.max_tokens]
    log_probs = None if generated.log_probs is None else list(generated.log_probs)[: request.max_tokens]
    return ResponseTokens(ids, [1] * len(ids), log_probs)


def _note_weights(candidate: Candidate, sampled_fields: dict[str, Any], is_new_response: bool) -> None:
    """Say which weights wrote the response: in an asynchronous trainer newer ones may have sampled now."""
    fields, newest = candidate.output.extra_fields, sampled_fields.get("max_global_steps")
    if newest is None or fields.get("max_global_steps") is None:
        return
    fields["max_global_steps"] = max(newest, fields["max_global_steps"])
    if is_new_response and sampled_fields.get("min_global_steps") is not None:
        fields["min_global_steps"] = sampled_fields["min_global_steps"]

"""How one session is sampled: the requests of its agent loop to the policy's server, bounded, seeded and remembered.

verl's agent loops make a request's number, its media and its stop tokens themselves and tell nobody. What a reflection
continues has to be asked for as the loop asked, so the client that loops are given notes what passes through it. A loop
that samples elsewhere (a server of its own) passes nothing through it: then nothing is known, and nothing reflected.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from recipe.edge_grpo.correction.draws import DrawPlace, draw_sampling_seed
from recipe.edge_grpo.names import TRAINER_MODES
from recipe.edge_grpo.settings.block import EdgeGRPOSettings


@dataclass
class SessionSampling:
    """How the requests of one session are made."""

    group_size: int
    """Responses that the prompt is given."""
    session: int
    """Number of the session within its group."""
    max_tokens: int | None
    """Bound on the first pass, all of its turns together; None for verl's own bounds."""
    seed_place: DrawPlace | None
    """Where the seeds of its requests are drawn; None if its requests have none."""
    latest_request: Mapping[str, Any] | None = None
    """Arguments of the agent loop's latest request; None before the first, and where it samples elsewhere."""
    num_requests: int = 0
    first_prompt_length: int = 0

    def prepare(self, sampling_params: Mapping[str, Any], prompt_length: int) -> dict[str, Any]:
        """Return the sampling parameters of the agent loop's next request, whose prompt has so many tokens."""
        if self.num_requests == 0:
            self.first_prompt_length = prompt_length
        prepared = dict(sampling_params)
        if self.max_tokens is not None:
            bound = turn_bound(self.max_tokens, prompt_length - self.first_prompt_length)
            prepared["max_tokens"] = min(bound, prepared.get("max_tokens", bound))
        for name, seed in self.seed_of("first_pass", self.num_requests).items():
            prepared.setdefault(name, seed)  # an agent loop may have seeds of its own
        self.num_requests += 1
        return prepared

    def seed_of(self, purpose: str, number: int) -> dict[str, int]:
        """Return the sampling parameter `seed` of the `number`-th request for this purpose; empty without seeds."""
        if self.seed_place is None:
            return {}
        return {"seed": draw_sampling_seed(self.seed_place, self.session, purpose, number)}


current_session: ContextVar[SessionSampling | None] = ContextVar("current_session", default=None)
"""The session of the running task and its children; None in validation. Each session is a task of its own in verl."""


class NotingClient:
    """verl's client of the policy's server as agent loops see it; requests within a training session are noted."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def generate(
        self, request_id: str, *, prompt_ids: Any, sampling_params: Mapping[str, Any], **arguments: Any
    ) -> Any:
        """Pass the request on, with the bound and the seed of its session."""
        session = current_session.get()
        if session is not None:
            sampling_params = session.prepare(sampling_params, len(prompt_ids))
            session.latest_request = {"request_id": request_id, "sampling_params": sampling_params, **arguments}
        return await self._client.generate(
            request_id=request_id, prompt_ids=prompt_ids, sampling_params=sampling_params, **arguments
        )


def turn_bound(max_tokens: int, num_tokens_before: int) -> int:
    """Return how many tokens a turn may sample if the turns before it, tools' answers included, took so many.

    At least 1, as in verl's server: an engine cannot be asked for none, and an agent loop ends when a token calls no
    tool.

    >>> turn_bound(10, 0), turn_bound(10, 7), turn_bound(10, 12)
    (10, 3, 1)
    """
    return max(1, max_tokens - num_tokens_before)


def should_seed_responses(config: Any, settings: EdgeGRPOSettings) -> bool:
    """Return True if each request of a training session gets a seed of its own.

    Not with the asynchronous trainers: verl's client asks for the rest of an interrupted response with the same
    parameters, and so with random numbers that its beginning depends on. What they sample depends on time anyway.
    Other engines than vLLM have other names for a seed, or none.
    """
    mode = config.trainer.v1.trainer_mode
    is_sync = TRAINER_MODES.get(mode, mode) == "sync"
    return settings.seeds_responses and is_sync and config.actor_rollout_ref.rollout.name == "vllm"

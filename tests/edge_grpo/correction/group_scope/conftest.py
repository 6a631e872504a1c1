"""Prompts whose responses are wrong or right as a test says, and servers that answer by session, or when told to."""

import asyncio

import pytest
from support.error_correction import EOS, FIRST, N42, RIGHT, WRONG


@pytest.fixture
def group(response):
    """group("wrw"): first passes of which the first and the last are wrong; "t" is wrong and truncated."""
    ends = {"w": (WRONG, EOS), "r": (RIGHT, EOS), "t": (WRONG,)}
    return lambda outcomes: [response(FIRST + i, *ends[outcome]) for i, outcome in enumerate(outcomes)]


@pytest.fixture
def policy_by_session(policy):
    """policy_by_session(continuation): a server that continues the response of a session with `continuation(session)`.

    That is a list of tokens, or an exception that the server raises.
    """

    class BySession(policy):
        def __init__(self, continuation):
            super().__init__()
            self.continuation = continuation

        async def generate(self, *, request_id, prompt_ids, sampling_params, **arguments):
            continuation = self.continuation(prompt_ids[2] - FIRST)
            is_error = isinstance(continuation, Exception)
            self.ids, self.error = ([], continuation) if is_error else (continuation, None)
            return await super().generate(request_id=request_id, prompt_ids=prompt_ids, sampling_params=sampling_params)

    return BySession


@pytest.fixture
def blocked_policy(policy):
    """A server that answers only when told to, and then rightly."""

    class Blocked(policy):
        def __init__(self):
            super().__init__(N42, EOS)
            self.may_answer = asyncio.Event()
            self.num_asked = 0

        async def generate(self, **request):
            self.num_asked += 1
            await self.may_answer.wait()
            return await super().generate(**request)

    return Blocked()

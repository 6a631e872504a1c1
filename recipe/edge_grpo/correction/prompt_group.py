"""Error correction of a whole group: the barrier of one prompt, and what happens behind it.

All sessions of a prompt run in one process and one event loop, so the barrier needs nothing shared beyond this object.
Other prompts are not waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.correction.contrast_guard import (
    GroupMember,
    is_all_wrong,
    kept_failure,
    sure_attempts,
    to_correct,
)
from recipe.edge_grpo.correction.corrector import ErrorCorrector
from recipe.edge_grpo.correction.draws import draw_order, draws_hint
from recipe.edge_grpo.correction.hinted_groups import sample_with_hints
from recipe.edge_grpo.correction.record import GuardRole
from recipe.edge_grpo.settings.choices import Strategy


class PromptGroup:
    """The sessions of one prompt: each arrives once scored, or leaves without; then all are corrected together.

    Args:
        num_sessions: how many responses are awaited.
        correct_together: corrects the candidates that arrived, in the order of their sessions.
    """

    def __init__(self, num_sessions: int, correct_together: Callable[[list[Candidate]], Awaitable[None]]) -> None:
        self._outstanding = set(range(num_sessions))
        self._correct_together = correct_together
        self._arrived: dict[int, Candidate] = {}
        self._is_complete = asyncio.Event()
        self._correction: asyncio.Task[None] | None = None

    async def arrive_and_wait(self, candidate: Candidate) -> None:
        """Arrive, and return once the group is corrected.

        Raises:
            Exception: what correcting the group raised, for each of its sessions.
        """
        self._arrived[candidate.session] = candidate
        self.leave(candidate.session)
        await self._is_complete.wait()
        if self._correction is None:
            candidates = [self._arrived[session] for session in sorted(self._arrived)]
            self._correction = asyncio.ensure_future(self._correct_together(candidates))
        # One session that is cancelled must not cancel the correction of the others.
        await asyncio.shield(self._correction)

    def leave(self, session: int) -> None:
        """No longer wait for this session: it has arrived, or failed before. Repeated calls do nothing."""
        self._outstanding.discard(session)
        if not self._outstanding:
            self._is_complete.set()


async def correct_group(corrector: ErrorCorrector, candidates: list[Candidate]) -> None:
    """Correct the responses of one prompt so that the group has contrast wherever it can have it.

    With `solution_in_every_group` one of them makes place for the solution instead, and nothing else is done.
    """
    if corrector.settings.solution_in_every_group:
        await _put_solution_in(corrector, candidates)
        return
    if await _correct_by_hint(corrector, candidates):
        return
    members = [
        GroupMember(candidate.record.is_failed, candidate.is_correctable, corrector.draw_strategy(candidate))
        for candidate in candidates
    ]
    order = draw_order(len(members), candidates[0].draw_place(corrector.seed))
    sure = await _correct_one_surely(corrector, candidates, members, order)
    corrects_mixed_groups = corrector.settings.corrects_mixed_groups
    kept = kept_failure(members, order, sure)
    if kept is not None and len(members) >= 2 and (corrects_mixed_groups or is_all_wrong(members)):
        candidates[kept].note(guard_role=GuardRole.KEPT)
    numbers = to_correct(members, order, sure, corrects_mixed_groups)
    await _settle(corrector.correct(candidates[number], members[number].strategy) for number in numbers)


async def _put_solution_in(corrector: ErrorCorrector, candidates: list[Candidate]) -> None:
    """Let the solution take the place of one response, which is drawn whatever it is; a group of one is left alone."""
    if len(candidates) >= 2:
        drawn = draw_order(len(candidates), candidates[0].draw_place(corrector.seed))[0]
        await corrector.put_solution(candidates[drawn])


async def _correct_by_hint(corrector: ErrorCorrector, candidates: list[Candidate]) -> bool:
    """Give an all-wrong group a hint, if that is drawn; returns True if nothing else is to be done with the group."""
    probability = corrector.probabilities(candidates[0])[Strategy.HINT]
    is_all_wrong_group = len(candidates) >= 2 and all(candidate.record.is_failed for candidate in candidates)
    if is_all_wrong_group and draws_hint(probability, candidates[0].draw_place(corrector.seed)):
        return await sample_with_hints(corrector, candidates) or probability == 1
    return probability == 1


async def _correct_one_surely(
    corrector: ErrorCorrector, candidates: list[Candidate], members: list[GroupMember], order: list[int]
) -> list[int]:
    """Return the number of the response that was surely corrected; empty where none is needed or possible."""
    probabilities = corrector.probabilities(candidates[0])
    for number, strategy in sure_attempts(members, order, probabilities):
        if strategy is Strategy.SOLUTION and candidates[number].solution is None and probabilities[Strategy.ANSWER] > 0:
            continue  # it would be the answer once more
        if await corrector.correct_or_restore(candidates[number], strategy):
            candidates[number].note(guard_role=GuardRole.SURE)
            return [number]
    if is_all_wrong(members):
        candidates[0].note(is_without_sure_correction=True)
    return []


async def _settle(corrections: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all of them, also where one fails: none goes on when the group is given up."""
    results = await asyncio.gather(*corrections, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result

"""Guided error correction of one response: glue between what is composed, the policy's server and the reward.

What it corrects is written into verl's output, scored; a correction that cannot be made leaves the output as it was and
says why in the record.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

from recipe.edge_grpo.correction.candidate import Candidate, first_pass_record
from recipe.edge_grpo.correction.draws import DrawPlace, draw_reflection_text, draw_strategy
from recipe.edge_grpo.correction.record import Skipped
from recipe.edge_grpo.correction.scores import has_failed
from recipe.edge_grpo.correction.strategies import CorrectionComposer
from recipe.edge_grpo.correction.tokens import ResponseTokens, Strategy
from recipe.edge_grpo.settings.block import EdgeGRPOSettings

logger = logging.getLogger(__name__)

Score = Callable[[Any, Mapping[str, Any]], Awaitable[None]]


class ErrorCorrector:
    """Corrects responses for one agent-loop worker.

    Args:
        settings: of the run.
        group_size: responses per prompt.
        composer: of corrected responses.
        llm_client: the policy's server; `generate` is called.
        score: scores verl's output in place if it has no score.
        keeps_first_pass_text: whether the record of a corrected response holds what it was before.
    """

    def __init__(
        self,
        settings: EdgeGRPOSettings,
        group_size: int,
        composer: CorrectionComposer,
        llm_client: Any,
        score: Score,
        keeps_first_pass_text: bool,
    ) -> None:
        self.seed = settings.seed
        self.settings = settings.gec
        self.probabilities = settings.gec.strategy_probabilities(group_size)
        self.composer = composer
        self.llm_client = llm_client
        self.score = score
        self.keeps_first_pass_text = keeps_first_pass_text

    @property
    def may_answer(self) -> bool:
        """Whether the answer strategy is ever used."""
        return self.probabilities[Strategy.ANSWER] > 0

    async def first_pass(self, output: Any, row: Mapping[str, Any], sampling_params: Mapping[str, Any]) -> Candidate:
        """Score a sampled response and see whether it failed and may be corrected."""
        await self.score(output, row)
        record = first_pass_record(output, self.settings, self.composer.eos_token_ids)
        return Candidate(output, row, sampling_params, record)

    def drawn_strategy(self, candidate: Candidate) -> Strategy:
        """The strategy for a failed response."""
        return draw_strategy(self.probabilities, self.draw_place(candidate), candidate.session)

    def draw_place(self, candidate: Candidate) -> DrawPlace:
        """Where in the run the prompt of a response is sampled."""
        return DrawPlace(self.seed, int(candidate.row["global_steps"]), candidate.row.get("index", 0))

    async def correct(self, candidate: Candidate, strategy: Strategy) -> None:
        """Replace a failed response in place by a corrected and scored one, and record what was done."""
        first_pass_ids = list(candidate.output.response_ids)
        if strategy is Strategy.REFLECTION:
            await self._reflect(candidate)
        else:
            await self._inject(candidate, strategy)
        if candidate.record.strategy is not None and self.keeps_first_pass_text:
            # As verl decodes the responses that it dumps.
            text = self.composer.tokenizer.decode(first_pass_ids, skip_special_tokens=True)
            candidate.record = dataclasses.replace(candidate.record, first_pass_text=text)

    async def correct_surely(self, candidate: Candidate, strategy: Strategy) -> bool:
        """Try a correction and take it back unless it is graded as correct; whether it is."""
        snapshot, record = candidate.snapshot(), candidate.record
        await self.correct(candidate, strategy)
        if not self._has_failed(candidate):
            return True
        candidate.restore(snapshot, record)
        return False

    async def _inject(self, candidate: Candidate, strategy: Strategy) -> None:
        record, solution, is_cut = candidate.record, candidate.solution, False
        if strategy is Strategy.SOLUTION and solution is None:
            strategy, record = Strategy.ANSWER, dataclasses.replace(record, answer_for_missing_solution=True)
        if strategy is Strategy.SOLUTION:
            corrected, is_cut = self.composer.with_solution(candidate.tokens, str(solution))
        else:
            corrected = self.composer.with_answer(candidate.tokens, candidate.row["reward_model"]["ground_truth"])
        if corrected is None:
            reason = Skipped.SOLUTION_TOO_LONG if strategy is Strategy.SOLUTION else Skipped.NO_ROOM
            candidate.record = dataclasses.replace(record, skipped=reason)
            return
        await self._put(candidate, corrected.tokens)
        span = (corrected.injected_start, corrected.injected_end)
        candidate.record = dataclasses.replace(
            record, strategy=strategy, injected_spans=(span,), is_solution_cut=is_cut
        )

    async def _reflect(self, candidate: Candidate) -> None:
        """Let the policy reflect, round after round, until it is right or a bound is met."""
        settings = self.settings
        budget = settings.token_budget or settings.reflection_rounds * settings.max_new_tokens
        for reflection_round in range(settings.reflection_rounds):
            max_new_tokens = min(settings.max_new_tokens, budget - candidate.record.tokens_regenerated)
            if max_new_tokens < 1:
                return
            reason = await self._reflect_once(candidate, reflection_round, max_new_tokens)
            if reason is not None and reflection_round == 0:
                candidate.record = dataclasses.replace(candidate.record, skipped=reason)
            if reason is not None or not self._has_failed(candidate):
                return

    async def _reflect_once(self, candidate: Candidate, reflection_round: int, max_new_tokens: int) -> Skipped | None:
        """One round; returns why it was not possible, None if it was."""
        texts, place = self.settings.reflection_texts, self.draw_place(candidate)
        text = draw_reflection_text(texts, place, candidate.session, reflection_round)
        begun = self.composer.with_reflection_text(candidate.tokens, text)
        if begun is None:
            return Skipped.NO_ROOM
        continuation = await self._continuation(candidate, begun.tokens, max_new_tokens)
        if isinstance(continuation, Skipped):
            return continuation
        await self._put(candidate, begun.tokens + continuation)
        record = candidate.record
        candidate.record = dataclasses.replace(
            record,
            strategy=Strategy.REFLECTION,
            injected_spans=(*record.injected_spans, (begun.injected_start, begun.injected_end)),
            reflection_rounds=reflection_round + 1,
            tokens_regenerated=record.tokens_regenerated + len(continuation.ids),
        )
        return None

    def _has_failed(self, candidate: Candidate) -> bool:
        output = candidate.output
        return has_failed(output.extra_fields, output.reward_score, self.settings)

    async def _put(self, candidate: Candidate, tokens: ResponseTokens) -> None:
        candidate.replace_tokens(tokens)
        await self.score(candidate.output, candidate.row)

    async def _continuation(
        self, candidate: Candidate, prefix: ResponseTokens, max_new_tokens: int
    ) -> ResponseTokens | Skipped:
        """What the policy samples after the reflection text, or why it did not: a server that fails costs no group."""
        output = candidate.output
        max_tokens = min(max_new_tokens, self.composer.response_length - len(prefix.ids))
        limit = asyncio.timeout(self.settings.time_limit_seconds)
        try:
            async with limit:
                generated = await self.llm_client.generate(
                    request_id=uuid4().hex,
                    prompt_ids=list(output.prompt_ids) + prefix.ids,
                    sampling_params={**candidate.sampling_params, "max_tokens": max_tokens},
                )
        except Exception:
            if limit.expired():
                logger.warning("correction by reflection took too long (time_limit_seconds); the response is kept")
                return Skipped.GENERATION_TIMED_OUT
            # A boundary on purpose: the server may refuse a request (context length) or fail, and what has been sampled
            # is still valid. The record counts it and the log has the cause.
            logger.exception("correction by reflection failed; the response is kept as it was")
            return Skipped.GENERATION_FAILED
        if not generated.token_ids:
            return Skipped.GENERATION_FAILED
        # In an asynchronous trainer newer weights may have written the continuation.
        newest = generated.extra_fields.get("max_global_steps")
        if newest is not None and output.extra_fields.get("max_global_steps") is not None:
            output.extra_fields["max_global_steps"] = max(newest, output.extra_fields["max_global_steps"])
        ids = list(generated.token_ids)[:max_tokens]
        log_probs = None if generated.log_probs is None else list(generated.log_probs)[:max_tokens]
        return ResponseTokens(ids, [1] * len(ids), log_probs)

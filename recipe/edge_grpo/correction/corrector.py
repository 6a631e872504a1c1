"""Guided error correction of one response: glue between the strategies, the policy's server and the reward.

What it corrects is written into verl's output, scored; a correction that cannot be made leaves the output as it was and
says why in the record.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from recipe.edge_grpo.correction.candidate import Candidate, find_obstacle, first_pass_record
from recipe.edge_grpo.correction.draws import draw_strategy
from recipe.edge_grpo.correction.failure import has_failed
from recipe.edge_grpo.correction.hinted_prompts import HintedPrompts
from recipe.edge_grpo.correction.record import CorrectionRecord, Skipped
from recipe.edge_grpo.correction.requests import Request, ask_policy
from recipe.edge_grpo.correction.sampling import SessionSampling
from recipe.edge_grpo.correction.strategies import Strategies
from recipe.edge_grpo.correction.tokens import CorrectedResponse, ResponseTokens, sampled_spans, without_loss
from recipe.edge_grpo.settings.block import EdgeGRPOSettings
from recipe.edge_grpo.settings.choices import FailedPrefixLoss, HintPrompt, Strategy

logger = logging.getLogger(__name__)

Score = Callable[[Any, Mapping[str, Any]], Awaitable[None]]


class ErrorCorrector:
    """Corrects responses for one agent-loop worker.

    Args:
        settings: the block `edge_grpo:`.
        strategies: that build corrected responses.
        llm_client: the policy's server; `generate` is called.
        hinted_prompts: the prompts with hints in them.
        score: scores verl's output in place if it has no score.
        keeps_first_pass_text: True if the record of a corrected response shall hold what it was before.
    """

    def __init__(
        self,
        settings: EdgeGRPOSettings,
        strategies: Strategies,
        hinted_prompts: HintedPrompts,
        llm_client: Any,
        score: Score,
        keeps_first_pass_text: bool,
    ) -> None:
        self.seed = settings.seed
        self.settings = settings.gec
        self.strategies = strategies
        self.hinted_prompts = hinted_prompts
        self.llm_client = llm_client
        self.score = score
        self.keeps_first_pass_text = keeps_first_pass_text

    def probabilities(self, candidate: Candidate) -> Mapping[Strategy, float]:
        """Return the probability of each strategy in the candidate's group."""
        return self.settings.strategy_probabilities(candidate.sampling.group_size)

    async def score_first_pass(self, output: Any, row: Mapping[str, Any], sampling: SessionSampling) -> Candidate:
        """Score a sampled response, unless its agent loop did, and see whether it failed and may be corrected."""
        is_scored = output.reward_score is not None
        await self.score(output, row)
        obstacle = find_obstacle(output, self.settings, self.strategies.eos_token_ids, is_scored)
        return Candidate(output, row, sampling, first_pass_record(output, self.settings, obstacle), obstacle)

    def draw_strategy(self, candidate: Candidate) -> Strategy:
        """Draw the strategy for a failed response."""
        return draw_strategy(self.probabilities(candidate), candidate.draw_place(self.seed), candidate.session)

    async def correct(self, candidate: Candidate, strategy: Strategy) -> None:
        """Replace a response in place by a corrected and scored one, and record what was done."""
        first_pass_ids = candidate.output.response_ids
        if strategy is Strategy.SOLUTION and candidate.solution is None:
            strategy = Strategy.ANSWER
            candidate.note(answer_for_missing_solution=True)
        await self._apply_in_rounds(candidate, strategy)
        if candidate.record.strategy is not None:
            candidate.note(first_pass_text=self._text_of(first_pass_ids))

    async def put_solution(self, candidate: Candidate) -> None:
        """Replace a response, right or failed, by the reference solution; one that cannot be is left, and says why."""
        obstacle = candidate.obstacle
        if obstacle is None and candidate.solution is None:
            obstacle = Skipped.NO_SOLUTION
        if obstacle is None:
            await self.correct(candidate, Strategy.SOLUTION)
        else:
            candidate.note(skipped=obstacle)

    async def correct_or_restore(self, candidate: Candidate, strategy: Strategy) -> bool:
        """Correct a response, and take that back unless it is graded as correct then; returns True if it is."""
        snapshot, record = candidate.snapshot(), candidate.record
        await self.correct(candidate, strategy)
        if not self.is_failed_now(candidate):
            return True
        candidate.restore(snapshot, record)
        return False

    async def sample_again(self, candidate: Candidate, request: Request) -> int:
        """Replace a response by one that is sampled from a hinted prompt, and scored; returns its number of tokens.

        A request or a scoring that fails leaves the response as it is, and costs 0 tokens.
        """
        snapshot, record, ids_before = candidate.snapshot(), candidate.record, candidate.output.response_ids
        sampled = await ask_policy(self.llm_client, candidate, request, self.settings.time_limit_seconds)
        if isinstance(sampled, Skipped):
            return 0
        candidate.replace_tokens(sampled)
        if self.settings.hint_prompt is HintPrompt.HINTED:
            candidate.output.prompt_ids = request.prompt_ids
        if not await self._score_or_restore(candidate, snapshot, record):
            return 0
        first_pass_text = record.first_pass_text or self._text_of(ids_before)  # not that of an earlier hint
        candidate.note(strategy=Strategy.HINT, hint_number=request.number + 1, first_pass_text=first_pass_text)
        return len(sampled.ids)

    async def _apply_in_rounds(self, candidate: Candidate, strategy: Strategy) -> None:
        """Apply a strategy, reflection round after round, until the response is right or a bound is met."""
        num_rounds = self.settings.reflection_rounds if strategy is Strategy.REFLECTION else 1
        budget = self.settings.token_budget or num_rounds * self.settings.max_new_tokens
        for number in range(num_rounds):
            max_new_tokens = min(self.settings.max_new_tokens, budget - candidate.record.tokens_regenerated)
            if max_new_tokens < 1:
                return
            reason = await self._apply(candidate, strategy, max_new_tokens)
            if reason is not None and number == 0:
                candidate.note(skipped=reason)
            if reason is not None or not self.is_failed_now(candidate):
                return

    async def _apply(self, candidate: Candidate, strategy: Strategy, max_new_tokens: int) -> Skipped | None:
        """Apply a strategy once; returns why that was not possible, None if it was."""
        snapshot, record = candidate.snapshot(), candidate.record
        corrected = self.strategies.table[strategy](candidate)
        if isinstance(corrected, Skipped):
            return corrected
        continuation = ResponseTokens([], [])
        if corrected.is_to_be_continued:
            sampled = await self._continue(candidate, corrected, max_new_tokens)
            if isinstance(sampled, Skipped):
                return sampled
            continuation = sampled
        treatment = self.settings.failed_prefix_loss.get(strategy, FailedPrefixLoss.TRAIN)
        failed_prefix = () if treatment is FailedPrefixLoss.TRAIN else _failed_text_of(corrected, record)
        tokens = corrected.tokens
        if treatment is FailedPrefixLoss.MASK:
            tokens = without_loss(tokens, failed_prefix)
        candidate.replace_tokens(tokens + continuation)
        if not await self._score_or_restore(candidate, snapshot, record):
            return Skipped.SCORING_FAILED
        candidate.note(
            strategy=strategy,
            injected_spans=(*record.injected_spans, (corrected.injected_start, corrected.injected_end)),
            failed_prefix_spans=failed_prefix,
            is_solution_cut=corrected.is_cut,
            reflection_rounds=record.reflection_rounds + corrected.is_to_be_continued,
            tokens_regenerated=record.tokens_regenerated + len(continuation.ids),
        )
        return None

    def is_failed_now(self, candidate: Candidate) -> bool:
        """Return True if a response failed by its latest score."""
        output = candidate.output
        return has_failed(output.extra_fields, output.reward_score, self.settings)

    async def _score_or_restore(
        self, candidate: Candidate, snapshot: Mapping[str, Any], record: CorrectionRecord
    ) -> bool:
        """Score a corrected response; where that fails, take the correction back and return False."""
        try:
            await self.score(candidate.output, candidate.row)
        except Exception:
            # A boundary on purpose: the reward is the user's code, and what it scored before is still valid.
            logger.exception("the reward function failed on a corrected response; the response is kept as it was")
            candidate.restore(snapshot, record)
            return False
        return True

    async def _continue(
        self, candidate: Candidate, corrected: CorrectedResponse, max_new_tokens: int
    ) -> ResponseTokens | Skipped:
        """Let the policy go on behind a reflection text."""
        prefix_ids = corrected.tokens.ids
        request = Request(
            prompt_ids=list(candidate.output.prompt_ids) + prefix_ids,
            max_tokens=min(max_new_tokens, self.strategies.response_length - len(prefix_ids)),
            purpose="reflection",
            number=candidate.record.reflection_rounds,
        )
        return await ask_policy(self.llm_client, candidate, request, self.settings.time_limit_seconds)

    def _text_of(self, response_ids: list[int]) -> str | None:
        """Return the text of a response as verl decodes those that it dumps; None where the run dumps none."""
        if not self.keeps_first_pass_text:
            return None
        return str(self.strategies.tokenizer.decode(response_ids, skip_special_tokens=True))


def _failed_text_of(corrected: CorrectedResponse, record: CorrectionRecord) -> tuple[tuple[int, int], ...]:
    """Return where the text stands that the policy sampled before the text that is injected now, each [start, end).

    Continuations of earlier rounds are part of it: they failed too, or there would be no further round.
    """
    spans = (record.injected_spans, record.failed_prefix_spans)
    return sampled_spans(corrected.tokens.mask, corrected.injected_start, *spans)

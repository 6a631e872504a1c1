"""Correction strategies: each builds the token sequence of a corrected response, or says why it cannot.

To add one: a method with the signature of the others and its row in `Strategies.table`; docs/extending.md has the rest.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.correction.draws import draw_reflection_text
from recipe.edge_grpo.correction.record import Skipped
from recipe.edge_grpo.correction.tokens import (
    CorrectedResponse,
    answer_text,
    append_answer,
    append_reflection,
    replace_by_solution,
)
from recipe.edge_grpo.settings.block import EdgeGRPOSettings
from recipe.edge_grpo.settings.choices import InjectedLoss, LongSolution, Strategy

BuildCorrection = Callable[[Candidate], CorrectedResponse | Skipped]
"""What a strategy makes of a failed response."""


class Strategies:
    """The correction strategies of a run, by name.

    Args:
        settings: the block `edge_grpo:`.
        tokenizer: the policy's.
        eos_token_ids: every token that ends a response.
        response_length: bound on the tokens of a response.
    """

    def __init__(
        self, settings: EdgeGRPOSettings, tokenizer: Any, eos_token_ids: Collection[int], response_length: int
    ) -> None:
        self.seed = settings.seed
        self.settings = settings.gec
        self.tokenizer = tokenizer
        self.eos_token_ids = eos_token_ids
        self.response_length = response_length
        self.is_injected_in_loss = settings.gec.injected_loss is not InjectedLoss.MASK
        self.table: Mapping[Strategy, BuildCorrection] = {
            Strategy.REFLECTION: self.append_reflection,
            Strategy.ANSWER: self.append_answer,
            Strategy.SOLUTION: self.replace_by_solution,
        }

    def append_reflection(self, candidate: Candidate) -> CorrectedResponse | Skipped:
        """Append a reflection text, drawn for this round, which the policy is to continue."""
        place, rounds_before = candidate.draw_place(self.seed), candidate.record.reflection_rounds
        text = draw_reflection_text(self.settings.reflection_texts, place, candidate.session, rounds_before)
        corrected = append_reflection(
            candidate.tokens, self._encode(text), self.eos_token_ids, self.response_length, self.is_injected_in_loss
        )
        return corrected or Skipped.NO_ROOM

    def append_answer(self, candidate: Candidate) -> CorrectedResponse | Skipped:
        """Append the text that states the reference answer."""
        if candidate.answer is None:
            return Skipped.NO_ANSWER
        corrected = append_answer(
            candidate.tokens,
            self._encode(answer_text(self.settings.answer_text, candidate.answer)),
            self.tokenizer.eos_token_id,
            self.eos_token_ids,
            self.response_length,
            self.is_injected_in_loss,
        )
        return corrected or Skipped.NO_ROOM

    def replace_by_solution(self, candidate: Candidate) -> CorrectedResponse | Skipped:
        """Put the reference solution in the response's place.

        Where a tool has answered with an image, that would stay in verl's output and its place would be gone.
        """
        if candidate.may_hold_media:
            return Skipped.MEDIA_IN_RESPONSE
        corrected = replace_by_solution(
            candidate.tokens,
            self._encode(str(candidate.solution)),
            self.tokenizer.eos_token_id,
            self.response_length,
            self.is_injected_in_loss,
            may_cut=self.settings.long_solution is LongSolution.CUT,
        )
        return corrected or Skipped.SOLUTION_TOO_LONG

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

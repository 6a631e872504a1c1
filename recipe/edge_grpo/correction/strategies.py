"""Corrections composed from text: the settings' texts and the row's answer and solution, encoded and put in place."""

from collections.abc import Collection
from typing import Any

from recipe.edge_grpo.correction.tokens import (
    CorrectedResponse,
    ResponseTokens,
    answer_text,
    append_answer,
    append_reflection,
    replace_by_solution,
)
from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings
from recipe.edge_grpo.settings.choices import InjectedLoss, LongSolution


class CorrectionComposer:
    """Composes corrected responses; see correction.py for when there is none.

    Args:
        settings: of error correction.
        tokenizer: of the policy.
        eos_token_ids: every token that ends a response.
        response_length: bound on the tokens of a response.
    """

    def __init__(
        self,
        settings: GuidedErrorCorrectionSettings,
        tokenizer: Any,
        eos_token_ids: Collection[int],
        response_length: int,
    ) -> None:
        self.settings = settings
        self.tokenizer = tokenizer
        self.eos_token_ids = eos_token_ids
        self.response_length = response_length
        self.is_injected_in_loss = settings.injected_loss is not InjectedLoss.MASK

    def with_reflection_text(self, response: ResponseTokens, text: str) -> CorrectedResponse | None:
        """The response and the text after which the policy is to continue."""
        return append_reflection(
            response, self._encode(text), self.eos_token_ids, self.response_length, self.is_injected_in_loss
        )

    def with_answer(self, response: ResponseTokens, ground_truth: Any) -> CorrectedResponse | None:
        """The response and the text that states the answer, of several alternatives the first."""
        answer = ground_truth[0] if isinstance(ground_truth, list | tuple) else ground_truth
        return append_answer(
            response,
            self._encode(answer_text(self.settings.answer_text, str(answer))),
            self.tokenizer.eos_token_id,
            self.eos_token_ids,
            self.response_length,
            self.is_injected_in_loss,
        )

    def with_solution(self, response: ResponseTokens, solution: str) -> tuple[CorrectedResponse | None, bool]:
        """The reference solution in the response's place, and whether it had to be cut."""
        solution_ids = self._encode(solution)
        corrected = replace_by_solution(
            response,
            solution_ids,
            self.tokenizer.eos_token_id,
            self.response_length,
            self.is_injected_in_loss,
            may_cut=self.settings.long_solution is LongSolution.CUT,
        )
        return corrected, corrected is not None and len(solution_ids) + 1 > self.response_length

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))

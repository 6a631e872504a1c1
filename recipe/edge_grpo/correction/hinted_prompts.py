"""The prompts of the hint strategy: a row's messages with a part of its reference solution in them, as token ids."""

from collections.abc import Callable, Sequence
from typing import Any

from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.correction.hints import add_to_last_user_message, growing_hints, hint_text
from recipe.edge_grpo.correction.record import HintSkipped
from recipe.edge_grpo.settings.block import GuidedErrorCorrectionSettings

EncodePrompt = Callable[[list[dict[str, Any]]], list[int]]
"""Gives the token ids of messages, with the policy's chat template."""


class HintedPrompts:
    """The prompts of a run with hints in them.

    Args:
        settings: `edge_grpo.gec`.
        encode_prompt: as the agent loop encodes the messages of a row.
        prompt_length: bound on the tokens of a prompt.
        response_length: bound on the tokens of a response.
    """

    def __init__(
        self,
        settings: GuidedErrorCorrectionSettings,
        encode_prompt: EncodePrompt,
        prompt_length: int,
        response_length: int,
    ) -> None:
        self.settings = settings
        self.encode_prompt = encode_prompt
        self.prompt_length = prompt_length
        self.max_tokens = min(response_length, settings.first_pass_max_tokens or response_length)

    def of_row(self, candidate: Candidate) -> list[list[int]] | HintSkipped:
        """Return the prompt with each hint, growing, as far as they fit; or why there is none.

        An agent loop may make its prompt of more than the row's messages: tools, images, a system prompt. A hint is
        given only where the messages alone give the very tokens that were sampled from.
        """
        hints = growing_hints(candidate.solution or "", self.settings.hint_shares)
        if not hints:
            return HintSkipped.NO_HINT
        messages = candidate.row.get("raw_prompt")
        if messages is None or not self._gives(messages, candidate.output.prompt_ids):
            return HintSkipped.PROMPT_NOT_REBUILT
        prompts = []
        for hint in hints:
            hinted = add_to_last_user_message(messages, hint_text(self.settings.hint_text, hint))
            if hinted is None:
                return HintSkipped.PROMPT_NOT_REBUILT
            prompts.append(self.encode_prompt(hinted))
        fitting = [prompt_ids for prompt_ids in prompts if len(prompt_ids) <= self.prompt_length]
        return fitting or HintSkipped.NO_ROOM

    def _gives(self, messages: Sequence[Any], prompt_ids: Sequence[int]) -> bool:
        try:
            return self.encode_prompt([dict(message) for message in messages]) == list(prompt_ids)
        except Exception:  # a boundary: a chat template is a program of the model's, and may raise anything
            return False

"""The hint strategy: an all-wrong group is sampled again with a part of its reference solution in the prompt.

All responses of a group are sampled again, as in SAGE; those that may not be corrected stay as they are.
"""

import asyncio

from recipe.edge_grpo.correction.candidate import Candidate
from recipe.edge_grpo.correction.corrector import ErrorCorrector
from recipe.edge_grpo.correction.record import HintSkipped
from recipe.edge_grpo.correction.requests import Request


async def sample_with_hints(corrector: ErrorCorrector, candidates: list[Candidate]) -> bool:
    """Sample an all-wrong group again under one hint after the other, until one of its responses is right.

    Returns:
        True if one is; otherwise the group is as it was, and the record of its first response says what was tried.
    """
    to_sample = [candidate for candidate in candidates if candidate.is_correctable]
    if not to_sample:
        return False
    first = to_sample[0]
    if any(0 in candidate.output.response_mask or candidate.output.multi_modal_data for candidate in to_sample):
        first.note(hint_skipped=HintSkipped.NOT_SINGLE_TURN)
        return False
    prompts = corrector.hinted_prompts.of_row(first)
    if isinstance(prompts, HintSkipped):
        first.note(hint_skipped=prompts)
        return False
    before = [(candidate.snapshot(), candidate.record) for candidate in to_sample]
    num_tokens = 0
    for number, prompt_ids in enumerate(prompts):
        request = Request(prompt_ids, corrector.hinted_prompts.max_tokens, "hint", number, is_new_response=True)
        nums_sampled = await asyncio.gather(*(corrector.sample_again(candidate, request) for candidate in to_sample))
        num_tokens += sum(nums_sampled)
        if not all(corrector.is_failed_now(candidate) for candidate in to_sample):
            first.note(hints_tried=number + 1, tokens_resampled=num_tokens)
            return True
    for candidate, (snapshot, record) in zip(to_sample, before, strict=True):
        candidate.restore(snapshot, record)
    first.note(hints_tried=len(prompts), tokens_resampled=num_tokens, is_without_right_hint=True)
    return False

"""Guided error correction (GEC), as pure functions of numbers and token ids.

A failed response gets one of three corrections (paper section GEC; probabilities 0.5 / 0.25 / 0.25):
    reflection   response + " Wait! Something is wrong here." + what the policy continues with
    answer       response + "\\nWait! Something is wrong here. After verification, the correct answer is \\boxed{...}."
    solution     the reference solution instead of the response

Where this differs from the authors' code, and why:
1. Everything happens on token ids. Theirs decodes each response to text and encodes it again, untouched ones too, so
   that the trained tokens are not the sampled ones.
2. Injected text ends with EOS, and a corrected response never exceeds the response length. Theirs drops every EOS (the
   policy never learns to stop) and does not bound the reference solution.
3. Injected tokens may be left out of the loss (`in_loss`); the paper trains on them.
"""

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from recipe.edge_grpo.settings.choices import ANSWER_PLACEHOLDER


@dataclass(frozen=True)
class ResponseTokens:
    """The tokens of one response with what travels beside them; all lists have one length."""

    ids: list[int]
    mask: list[int]
    """1 where the loss counts the token."""
    log_probs: list[float] | None = None
    """Under the policy that sampled the token; None where the run does not record them."""

    def __add__(self, other: "ResponseTokens") -> "ResponseTokens":
        log_probs = None if self.log_probs is None else self.log_probs + (other.log_probs or [0.0] * len(other.ids))
        return ResponseTokens(self.ids + other.ids, self.mask + other.mask, log_probs)

    def head(self, length: int) -> "ResponseTokens":
        """Return the first `length` tokens."""
        log_probs = None if self.log_probs is None else self.log_probs[:length]
        return ResponseTokens(self.ids[:length], self.mask[:length], log_probs)


@dataclass(frozen=True)
class CorrectedResponse:
    """A response with text injected into it, and where that text stands: [start, end)."""

    tokens: ResponseTokens
    injected_start: int
    injected_end: int
    is_to_be_continued: bool = False
    """The policy is to go on behind the injected text."""
    is_cut: bool = False
    """The injected text was longer than the response may be."""


def without_final_eos(response: ResponseTokens, eos_token_ids: Collection[int]) -> ResponseTokens:
    """Return the response without the end-of-sequence tokens it closes with; a truncated response stays as it is.

    >>> without_final_eos(ResponseTokens([5, 0], [1, 1]), {0})
    ResponseTokens(ids=[5], mask=[1], log_probs=None)
    """
    length = len(response.ids)
    while length and response.ids[length - 1] in eos_token_ids:
        length -= 1
    return response.head(length)


def injected(token_ids: Sequence[int], in_loss: bool = True) -> ResponseTokens:
    """Return tokens that the policy did not sample, without log-probability; in the loss as in the paper, or not.

    >>> injected([7, 8], in_loss=False)
    ResponseTokens(ids=[7, 8], mask=[0, 0], log_probs=None)
    """
    return ResponseTokens(list(token_ids), [int(in_loss)] * len(token_ids), None)


def append_reflection(
    response: ResponseTokens,
    reflection_ids: Sequence[int],
    eos_token_ids: Collection[int],
    response_length: int,
    in_loss: bool = True,
) -> CorrectedResponse | None:
    """Return the response without EOS, followed by the reflection text: what the policy is asked to continue.

    Returns:
        None if the text leaves no room for at least one continued token within `response_length`.

    >>> append_reflection(ResponseTokens([5, 0], [1, 1]), [7], {0}, response_length=3).tokens.ids
    [5, 7]
    """
    kept = without_final_eos(response, eos_token_ids)
    corrected = _append(kept, reflection_ids, in_loss)
    return replace(corrected, is_to_be_continued=True) if corrected.injected_end < response_length else None


def append_answer(
    response: ResponseTokens,
    answer_ids: Sequence[int],
    eos_token_id: int,
    eos_token_ids: Collection[int],
    response_length: int,
    in_loss: bool = True,
) -> CorrectedResponse | None:
    """Return the response without EOS, followed by the text that states the answer, and EOS.

    Returns:
        None if that is longer than `response_length`.

    >>> append_answer(ResponseTokens([5, 0], [1, 1]), [7], 0, {0}, response_length=3).tokens.ids
    [5, 7, 0]
    """
    kept = without_final_eos(response, eos_token_ids)
    corrected = _append(kept, [*answer_ids, eos_token_id], in_loss)
    return corrected if corrected.injected_end <= response_length else None


def replace_by_solution(
    response: ResponseTokens,
    solution_ids: Sequence[int],
    eos_token_id: int,
    response_length: int,
    in_loss: bool = True,
    may_cut: bool = False,
) -> CorrectedResponse | None:
    """Return the reference solution and EOS; nothing of the response is kept.

    Args:
        may_cut: a solution that is too long is cut to `response_length`, as a truncated response without EOS.

    Returns:
        None if that is longer than `response_length` and may not be cut: a solution cut short rarely has its answer.

    >>> replace_by_solution(ResponseTokens([5, 0], [1, 1]), [7, 8], 0, response_length=3).tokens.ids
    [7, 8, 0]
    """
    corrected = _append(response.head(0), [*solution_ids, eos_token_id], in_loss)
    if corrected.injected_end <= response_length:
        return corrected
    if not may_cut:
        return None
    return CorrectedResponse(corrected.tokens.head(response_length), 0, response_length, is_cut=True)


def sampled_spans(
    mask: Sequence[int],
    end: int,
    injected_spans: Iterable[tuple[int, int]],
    masked_spans: Iterable[tuple[int, int]] = (),
) -> tuple[tuple[int, int], ...]:
    """Return where the tokens stand that the policy sampled before `end`, each [start, end).

    Args:
        mask: 1 where the loss counts a token; 0 for those of a tool.
        end: of the part that is looked at.
        injected_spans: text that the policy did not write.
        masked_spans: sampled tokens whose mask was set to 0 before.

    >>> sampled_spans([1, 0, 1, 1, 1], 4, injected_spans=[(3, 4)])
    ((0, 1), (2, 3))
    """
    is_sampled = [bool(counts) for counts in mask[:end]]
    for spans, value in ((masked_spans, True), (injected_spans, False)):
        for span_start, span_end in spans:
            is_sampled[span_start:span_end] = [value] * (span_end - span_start)
    runs = itertools.groupby(range(len(is_sampled)), key=is_sampled.__getitem__)
    return tuple((run[0], run[-1] + 1) for run in (list(run) for sampled, run in runs if sampled))


def without_loss(tokens: ResponseTokens, spans: Iterable[tuple[int, int]]) -> ResponseTokens:
    """Return the tokens with those in the spans left out of the loss.

    >>> without_loss(ResponseTokens([5, 6, 7], [1, 1, 1]), [(0, 2)]).mask
    [0, 0, 1]
    """
    mask = list(tokens.mask)
    for start, end in spans:
        mask[start:end] = [0] * (end - start)
    return replace(tokens, mask=mask)


def answer_text(template: str, answer: str) -> str:
    """Return the text of the answer strategy: the template with its placeholder replaced.

    >>> answer_text("It is {answer}.", "4")
    'It is 4.'
    """
    return template.replace(ANSWER_PLACEHOLDER, answer)


def _append(kept: ResponseTokens, token_ids: Sequence[int], in_loss: bool) -> CorrectedResponse:
    tokens = kept + injected(token_ids, in_loss)
    return CorrectedResponse(tokens, injected_start=len(kept.ids), injected_end=len(tokens.ids))

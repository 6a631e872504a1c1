"""Measures how many groups of sampled responses are all wrong, mixed or all correct: what GRPO can learn from.

Only a mixed group has advantages that are not zero. The measurement samples with `generate` of transformers, so that
the claim about a starting model can be checked without verl and without vLLM.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from reward_fns.extraction import last_boxed

_PROBLEMS_AT_ONCE = 16  # With groups of 8 a batch of 128 responses: a few megabytes for a tiny model.


@dataclass(frozen=True)
class GroupMix:
    """Shares of groups (they add up to 1), of responses, and the mean response length in tokens, EOS included."""

    all_wrong: float
    mixed: float
    all_correct: float
    accuracy: float
    finished: float
    mean_length: float

    def __str__(self) -> str:
        return (
            f"groups: {self.all_wrong:.1%} all wrong, {self.mixed:.1%} mixed, {self.all_correct:.1%} all correct; "
            f"responses: {self.accuracy:.1%} right, {self.finished:.1%} finished, {self.mean_length:.1f} tokens"
        )


@dataclass(frozen=True)
class GroupSampling:
    """How groups are sampled, from the full vocabulary; temperature 0 is greedy, and then one response is enough."""

    group_size: int = 8
    temperature: float = 1.0
    max_response_length: int = 64
    seed: int = 0


def measure_group_mix(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    problems: Sequence[tuple[str, str]],
    sampling: GroupSampling = GroupSampling(),
) -> GroupMix:
    """Sample a group of responses to each `(problem text, answer)` and sort the groups by their correctness.

    `model` has the method `generate` of transformers, whose types fit no single class of models. A response is right if
    its last box holds the answer's digits, finished if it ends the turn within `max_response_length` tokens. Sets
    torch's global seed. Raises ValueError without problems.
    """
    if not problems:
        raise ValueError("measure_group_mix needs at least one problem")
    torch.manual_seed(sampling.seed)
    correct, lengths, finished = [], [], []
    for start in range(0, len(problems), _PROBLEMS_AT_ONCE):
        chunk = problems[start : start + _PROBLEMS_AT_ONCE]
        texts = [text for text, _ in chunk]
        groups = _sample(model, tokenizer, texts, sampling)
        for (_, answer), responses in zip(chunk, groups, strict=True):
            decoded = tokenizer.batch_decode(responses, skip_special_tokens=True)
            correct.append([last_boxed(response) == answer for response in decoded])
            lengths += [len(ids) for ids in responses]
            finished += [ids[-1] == tokenizer.eos_token_id for ids in responses]
    num_groups, num_responses = len(correct), len(lengths)
    all_wrong = sum(not any(group) for group in correct) / num_groups
    all_correct = sum(all(group) for group in correct) / num_groups
    return GroupMix(
        all_wrong=all_wrong,
        mixed=1 - all_wrong - all_correct,
        all_correct=all_correct,
        accuracy=sum(map(sum, correct)) / num_responses,
        finished=sum(finished) / num_responses,
        mean_length=sum(lengths) / num_responses,
    )


@torch.inference_mode()
def _sample(
    model: Any, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], sampling: GroupSampling
) -> list[list[list[int]]]:
    """Return a group of responses for each text, as token ids up to and including the end of the turn, if reached."""
    prompts = [
        tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False)
        for text in texts
    ]
    inputs = tokenizer(prompts, add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt")
    drawn = {"do_sample": True, "temperature": sampling.temperature, "top_k": 0, "top_p": 1.0}
    output = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=sampling.max_response_length,
        num_return_sequences=sampling.group_size,
        **(drawn if sampling.temperature > 0 else {"do_sample": False}),
    )
    responses = [_up_to_eos(ids, tokenizer.eos_token_id) for ids in output[:, inputs["input_ids"].shape[1] :].tolist()]
    size = sampling.group_size
    return [responses[start : start + size] for start in range(0, len(responses), size)]


def _up_to_eos(token_ids: list[int], eos_token_id: int) -> list[int]:
    return token_ids[: token_ids.index(eos_token_id) + 1] if eos_token_id in token_ids else token_ids

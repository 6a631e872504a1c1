"""How many groups of sampled responses are all wrong, mixed or all correct: what GRPO can learn from.

Only a mixed group has advantages that are not zero. The measurement samples with `generate` of transformers, so that
the claim about a starting model can be checked without verl and without vLLM.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

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


def measure_group_mix(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    problems: Sequence[tuple[str, str]],
    group_size: int = 8,
    temperature: float = 1.0,
    max_response_length: int = 64,
    seed: int = 0,
) -> GroupMix:
    """Sample `group_size` responses to each `(problem text, answer)` and sort the groups by their correctness.

    A response is right if its last box holds the answer's digits, finished if it ends the turn within
    `max_response_length` tokens. Sampling is from the full vocabulary at `temperature`; temperature 0 is greedy, and
    then one response a problem is enough. Sets torch's global seed to `seed`. Raises ValueError without problems.
    """
    if not problems:
        raise ValueError("measure_group_mix needs at least one problem")
    torch.manual_seed(seed)
    correct, lengths, finished = [], [], []
    for start in range(0, len(problems), _PROBLEMS_AT_ONCE):
        chunk = problems[start : start + _PROBLEMS_AT_ONCE]
        texts = [text for text, _ in chunk]
        groups = _sample(model, tokenizer, texts, group_size, temperature, max_response_length)
        for (_, answer), responses in zip(chunk, groups, strict=True):
            decoded = [tokenizer.decode(ids, skip_special_tokens=True) for ids in responses]
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
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    group_size: int,
    temperature: float,
    max_response_length: int,
) -> list[list[list[int]]]:
    """Return a group of responses for each text, as token ids up to and including the end of the turn, if reached."""
    prompts = [
        tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False)
        for text in texts
    ]
    inputs = tokenizer(prompts, add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt")
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    output = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=max_response_length,
        num_return_sequences=group_size,
        **(sampling if temperature > 0 else {"do_sample": False}),
    )
    responses = [_up_to_eos(ids, tokenizer.eos_token_id) for ids in output[:, inputs["input_ids"].shape[1] :].tolist()]
    return [responses[start : start + group_size] for start in range(0, len(responses), group_size)]


def _up_to_eos(token_ids: list[int], eos_token_id: int) -> list[int]:
    return token_ids[: token_ids.index(eos_token_id) + 1] if eos_token_id in token_ids else token_ids

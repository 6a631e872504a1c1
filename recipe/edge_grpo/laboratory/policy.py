"""A policy in this process: samples many responses at a time, and gives log-probability and entropy of each token."""

import asyncio
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


class Policy:
    """A model of transformers and its tokenizer.

    Args:
        model: with `generate`, whose types fit no single class of models.
        tokenizer: with a chat template.
        temperature: of training samples, and of log-probabilities and entropies.

    `num_sampled_tokens` counts what was sampled so far, greedy responses left out: they are validation.
    """

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerBase, temperature: float = 1.0) -> None:
        self.model, self.tokenizer, self.temperature = model, tokenizer, temperature
        self.num_sampled_tokens = 0

    def encode_prompt(self, messages: list[dict[str, str]]) -> list[int]:
        """Return the token ids of a prompt with its chat template."""
        text = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, token_ids: list[int]) -> str:
        """Return the text of a response, as the reward gets it."""
        return str(self.tokenizer.decode(token_ids, skip_special_tokens=True))

    @torch.inference_mode()
    def sample(
        self, prompts: Sequence[list[int]], max_tokens: Sequence[int], is_greedy: bool = False
    ) -> list[list[int]]:
        """Return a response to each prompt: up to and including EOS, or as many tokens as it may have.

        Random numbers are torch's global ones.
        """
        input_ids, attention_mask = pad_left(prompts, self.tokenizer.pad_token_id)
        how = {"do_sample": True, "temperature": self.temperature, "top_k": 0, "top_p": 1.0}
        output = self.model.generate(
            input_ids=input_ids,
            attention_mask=attention_mask,
            max_new_tokens=max(max_tokens),
            **({"do_sample": False} if is_greedy else how),
        )
        responses = output[:, input_ids.shape[1] :].tolist()
        eos = self.tokenizer.eos_token_id
        responses = [
            ids[: min(ids.index(eos) + 1 if eos in ids else len(ids), limit)]
            for ids, limit in zip(responses, max_tokens, strict=True)
        ]
        self.num_sampled_tokens += 0 if is_greedy else sum(map(len, responses))
        return responses

    def token_statistics(self, prompts: Sequence[list[int]], responses: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        """Return log-probability, with gradient, and full-vocabulary entropy in nats, without, of each response token.

        Both (B, T), T the longest response; what stands behind the end of a response has no meaning.
        """
        pad = self.tokenizer.pad_token_id
        prompt_ids, prompt_mask = pad_left(prompts, pad)
        length = max(map(len, responses))
        response_ids = torch.tensor([ids + [pad] * (length - len(ids)) for ids in responses])
        response_mask = torch.tensor([[1] * len(ids) + [0] * (length - len(ids)) for ids in responses])
        attention_mask = torch.cat([prompt_mask, response_mask], dim=1)
        logits = self.model(
            input_ids=torch.cat([prompt_ids, response_ids], dim=1),
            attention_mask=attention_mask,
            position_ids=(attention_mask.cumsum(dim=1) - 1).clamp(min=0),
        ).logits[:, prompt_ids.shape[1] - 1 : -1]
        log_probs = (logits.float() / self.temperature).log_softmax(dim=-1)
        entropy = -(log_probs.detach().exp() * log_probs.detach()).sum(dim=-1)
        return log_probs.gather(2, response_ids.unsqueeze(2)).squeeze(2), entropy


class BatchingClient:
    """Stands where verl's client of the policy's server stands: what is asked for at a time is sampled together."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._waiting: list[tuple[list[int], int, asyncio.Future[list[int]]]] = []

    async def generate(
        self, request_id: str, *, prompt_ids: list[int], sampling_params: Mapping[str, Any], **_: Any
    ) -> SimpleNamespace:
        """Return verl's `TokenOutput` as far as error correction reads it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[int]] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._sample_all)  # behind the tasks that are ready, which may ask as well
        self._waiting.append((prompt_ids, sampling_params["max_tokens"], answer))
        return SimpleNamespace(token_ids=await answer, log_probs=None, extra_fields={})

    def _sample_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        prompts, max_tokens, answers = zip(*waiting, strict=True)
        try:
            responses = self.policy.sample(prompts, max_tokens)
        except Exception as error:
            for answer in answers:
                answer.set_exception(error)
            return
        for answer, response in zip(answers, responses, strict=True):
            answer.set_result(response)


def pad_left(rows: Sequence[list[int]], pad_token_id: int) -> tuple[Tensor, Tensor]:
    """Return token ids and attention mask, (B, P) each.

    >>> [tensor.tolist() for tensor in pad_left([[5, 6], [7]], 0)]
    [[[5, 6], [0, 7]], [[1, 1], [0, 1]]]
    """
    length = max(map(len, rows))
    token_ids = torch.tensor([[pad_token_id] * (length - len(row)) + list(row) for row in rows])
    return token_ids, torch.tensor([[0] * (length - len(row)) + [1] * len(row) for row in rows])

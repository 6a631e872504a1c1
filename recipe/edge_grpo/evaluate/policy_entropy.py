"""Measures the exact entropy of the policy at every token of a response, by a forward pass over what was sampled.

Why not from the log-probabilities that sampling gives: the mean of -log p over the sampled tokens estimates the entropy
over all responses, but not over the correct or the wrong ones alone, because to be correct and to have drawn likely
tokens go together. On the tiny policy of the quickstart, right in 38 % of its responses at temperature 1, it puts the
entropy of the correct ones at 0.028 nats instead of 0.074.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.distributions import Categorical

# Positions whose logits are turned into float32 at once: 300 MB with a vocabulary of 150,000.
_POSITIONS_AT_ONCE = 512


class EntropyMeter:
    """A loaded model, on a GPU if there is one. Measures one response at a time, so that nothing else influences it."""

    def __init__(self, model: str) -> None:
        from transformers import AutoModelForCausalLM

        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = "auto" if self._device == "cuda" else torch.float32
        loaded: Any = AutoModelForCausalLM.from_pretrained(model, dtype=dtype)
        self._model = loaded.to(self._device).eval()

    @torch.inference_mode()
    def mean_entropy(self, prompt_ids: Sequence[int], response_ids: Sequence[int], temperature: float) -> float:
        """Return the mean over the tokens of the response of the entropy of softmax(logits / temperature), in nats.

        Over the full vocabulary, as in training. `temperature` is above 0 and the response not empty.
        """
        input_ids = torch.tensor([[*prompt_ids, *response_ids]], device=self._device)
        # The logits before each token of the response, and those after the last one, which predict nothing of it.
        output = self._model(input_ids=input_ids, logits_to_keep=len(response_ids) + 1, use_cache=False)
        logits = output.logits[0, :-1]
        total = sum(
            Categorical(logits=part.float() / temperature).entropy().double().sum()
            for part in logits.split(_POSITIONS_AT_ONCE)
        )
        return float(total) / len(response_ids)

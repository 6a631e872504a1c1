"""Trains a tiny model, briefly and supervised, until reinforcement learning has something to do."""

import math
import random
from collections.abc import Iterator, Set
from dataclasses import dataclass

import torch
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from recipe.edge_grpo.quickstart.tiny_policy.examples import (
    IGNORED_LABEL,
    Example,
    ExamplePlan,
    draw_batches,
    pad_right,
)


@dataclass(frozen=True)
class SupervisionPlan:
    """On what and how long to train; the learning rate rises over `warmup_steps`, then falls as a half cosine to 0."""

    examples: ExamplePlan
    num_steps: int
    batch_size: int = 16
    learning_rate: float = 4e-3
    warmup_steps: int = 20
    highest_loss: float | None = None
    """A model with a higher loss at the end (mean of the last tenth, nats a token) has not learned; None: any has."""

    def is_learned(self, loss: float) -> bool:
        """Return whether a model that ends with this loss has learned; one that is no number tells that it has not."""
        return self.highest_loss is None or loss <= self.highest_loss


def supervise(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    plan: SupervisionPlan,
    seen_texts: Set[str],
    rng: random.Random,
) -> float:
    """Train `model` in place for `plan.num_steps` steps and return the mean loss (nats a token) of the last tenth.

    Problems whose text is in `seen_texts` are not drawn. All randomness comes from `rng`, the model has no dropout and
    one thread computes, so that the result does not depend on the number of cores (a second one would gain little).
    """
    batches = draw_batches(rng, tokenizer, plan.examples, plan.batch_size, seen_texts)
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        losses = _optimize(model, batches, plan, tokenizer.pad_token_id)
    finally:
        torch.set_num_threads(num_threads)
    last = losses[-max(1, len(losses) // 10) :]
    return sum(last) / len(last)


def _optimize(
    model: PreTrainedModel, batches: Iterator[list[Example]], plan: SupervisionPlan, pad_token_id: int
) -> list[float]:
    """Take the steps of the plan and return the loss of each."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
    model.train()
    losses = []
    for step in tqdm(range(plan.num_steps), desc="supervising", unit="step"):
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * _schedule(step, plan)
        loss = _response_loss(model, *pad_right(next(batches), pad_token_id))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
    model.eval()
    return losses


def _schedule(step: int, plan: SupervisionPlan) -> float:
    warmup = min(1.0, (step + 1) / plan.warmup_steps)
    return warmup * 0.5 * (1 + math.cos(math.pi * step / plan.num_steps))


def _response_loss(model: PreTrainedModel, input_ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean cross entropy over the positions with a label; the logits of the others are not computed.

    No attention mask: attention is causal and padding comes last, so no labelled position sees it.
    """
    hidden = model.model(input_ids=input_ids).last_hidden_state[:, :-1]
    has_label = labels[:, 1:] != IGNORED_LABEL
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[has_label]), labels[:, 1:][has_label])

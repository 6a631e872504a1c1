"""Makes the examples that a tiny model is supervised on: fresh arithmetic problems with a response to learn.

Most responses are the reference solution. Two shares of the examples are different:
- a slip: a wrong attempt, learned as it is. It keeps a trained model from being right every time, so that sampled
  groups stay mixed.
- a self-correction: a wrong attempt, the reflection sentence and then the solution, so that a response that is made to
  reflect sometimes comes out right. Only the solution is learned: the trainer appends the sentence during error
  correction, and a model taught to write it unasked would double the length of its answers; and with the attempts
  learned as well, so many responses would be wrong that hardly any group would be all correct.
"""

import random
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import torch
from omegaconf import OmegaConf
from transformers import PreTrainedTokenizerFast

from data_prep.arithmetic_problems import Problem, solution_with_slip
from data_prep.carry_problems import CHAINS, attempt_with_forgotten_carries, draw_problem_of_any_task

_RECIPE = OmegaConf.load(Path(__file__).parents[2] / "config" / "recipe" / "edge_grpo.yaml")
REFLECTION_TEXT: str = _RECIPE.edge_grpo.gec.reflection_texts[0]
ANSWER_TEXT: str = _RECIPE.edge_grpo.gec.answer_text

IGNORED_LABEL = -100
_BATCHES_SORTED_TOGETHER = 8

Example = tuple[list[int], list[int]]  # Token ids and labels, of equal length.


@dataclass(frozen=True)
class ExamplePlan:
    """The mix of problems and of responses: shares of the examples, `difficulty_shares` by level."""

    difficulty_shares: Mapping[str, float]
    self_correction_share: float = 0.2
    slip_share: float = 0.14
    forgotten_carry_share: float = 0.0
    """Of the carries in the wrong attempts at a chain, which may so come out right."""


def draw_unseen_problem(rng: random.Random, shares: Mapping[str, float], seen_texts: Set[str]) -> Problem:
    """Draw a problem of a difficulty drawn by `shares`, whose text is not in `seen_texts`."""
    while True:
        (difficulty,) = rng.choices(list(shares), weights=list(shares.values()))
        problem = draw_problem_of_any_task(rng, difficulty)
        if problem.text not in seen_texts:
            return problem


def encode_example(
    rng: random.Random, tokenizer: PreTrainedTokenizerFast, problem: Problem, plan: ExamplePlan
) -> Example:
    """Encode one problem and a response to it as `(token_ids, labels)` of equal length, labels ignored off the loss."""
    messages = [{"role": "user", "content": problem.text}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    pieces = [(prompt, False), (problem.solution + tokenizer.eos_token, True)]
    kind = rng.random()
    if kind < plan.slip_share:
        pieces = [(prompt, False), (_wrong_attempt(rng, problem, plan) + tokenizer.eos_token, True)]
    elif kind < plan.slip_share + plan.self_correction_share:
        attempt = _wrong_attempt(rng, problem, plan)
        corrected = "\n" + problem.solution + tokenizer.eos_token
        pieces = [(prompt, False), (attempt, False), (REFLECTION_TEXT, False), (corrected, True)]
    token_ids: list[int] = []
    labels: list[int] = []
    for text, has_loss in pieces:
        # Piece by piece, because error correction appends its sentence to finished token sequences, too.
        piece_ids = tokenizer.encode(text, add_special_tokens=False)
        token_ids += piece_ids
        labels += piece_ids if has_loss else [IGNORED_LABEL] * len(piece_ids)
    return token_ids, labels


def _wrong_attempt(rng: random.Random, problem: Problem, plan: ExamplePlan) -> str:
    if problem.difficulty in CHAINS:
        return attempt_with_forgotten_carries(rng, problem, plan.forgotten_carry_share)
    return solution_with_slip(rng, problem)


def draw_batches(
    rng: random.Random,
    tokenizer: PreTrainedTokenizerFast,
    plan: ExamplePlan,
    batch_size: int,
    seen_texts: Set[str],
) -> Iterator[list[Example]]:
    """Yield batches for ever. Examples of like length are put together, which halves the padding and so the time."""
    while True:
        examples = [
            encode_example(rng, tokenizer, draw_unseen_problem(rng, plan.difficulty_shares, seen_texts), plan)
            for _ in range(batch_size * _BATCHES_SORTED_TOGETHER)
        ]
        examples.sort(key=lambda example: len(example[0]))
        starts = list(range(0, len(examples), batch_size))
        rng.shuffle(starts)
        for start in starts:
            yield examples[start : start + batch_size]


def pad_right(examples: Sequence[Example], pad_token_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack examples into token ids and labels, each (B, T) int64.

    >>> [tensor.tolist() for tensor in pad_right([([5, 6], [5, 6]), ([7], [7])], pad_token_id=0)]
    [[[5, 6], [7, 0]], [[5, 6], [7, -100]]]
    """
    length = max(len(token_ids) for token_ids, _ in examples)
    token_ids = [ids + [pad_token_id] * (length - len(ids)) for ids, _ in examples]
    labels = [labels + [IGNORED_LABEL] * (length - len(labels)) for _, labels in examples]
    return torch.tensor(token_ids), torch.tensor(labels)

"""Random choices of error correction and seeds of sampling, as pure functions of where in the run they are made.

Where this differs from the authors' code, and why: theirs shares one generator per process, so that a resumed run, or
one with another number of processes, draws differently. Here each choice has a generator of its own, seeded by
(seed, global step, dataset index, session).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy


@dataclass(frozen=True)
class DrawPlace:
    """Where in a run a prompt is sampled."""

    seed: int
    global_step: int
    """Training step in which the prompt was handed to the rollout."""
    dataset_index: object
    """Of the prompt in the training file."""


def place_of_row(row: Mapping[str, Any], seed: int) -> DrawPlace:
    """Return where in the run of this seed a row of the dataset, with verl's `global_steps` and `index`, is sampled.

    >>> place_of_row({"global_steps": 3, "index": 5}, seed=0)
    DrawPlace(seed=0, global_step=3, dataset_index=5)
    """
    return DrawPlace(seed, int(row["global_steps"]), row.get("index", 0))


def draw_strategy(probabilities: Mapping[Strategy, float], place: DrawPlace, session: int) -> Strategy:
    """Draw the strategy for one failed response, the `session`-th of its group; equal arguments draw the same.

    A hint is not drawn here but for a whole group (`draws_hint`); the other probabilities decide, whatever they sum to.

    >>> probabilities = {Strategy.REFLECTION: 0.5, Strategy.ANSWER: 0.25, Strategy.SOLUTION: 0.25}
    >>> [str(draw_strategy(probabilities, DrawPlace(0, 1, 7), session)) for session in range(3, 6)]
    ['solution', 'answer', 'answer']
    """
    weights = [probabilities[strategy] for strategy in RESPONSE_STRATEGIES]
    return _generator(place, session).choices(RESPONSE_STRATEGIES, weights=weights)[0]


def draws_hint(probability: float, place: DrawPlace) -> bool:
    """Draw whether an all-wrong group is given a hint.

    >>> [draws_hint(0.5, DrawPlace(seed=0, global_step=1, dataset_index=index)) for index in range(4)]
    [False, True, True, False]
    """
    return _generator(place, "hint").random() < probability


def draw_reflection_text(texts: Sequence[str], place: DrawPlace, session: int, reflection_round: int) -> str:
    """Draw one of the texts, each with equal probability, for one round (from 0) of reflection.

    >>> place = DrawPlace(seed=0, global_step=1, dataset_index=7)
    >>> [draw_reflection_text([" Wait", " Hm"], place, 0, reflection_round) for reflection_round in range(4)]
    [' Wait', ' Hm', ' Hm', ' Wait']
    """
    return _generator(place, session, "reflection", reflection_round).choice(texts)


def draw_order(num_responses: int, place: DrawPlace) -> list[int]:
    """Draw an order of the responses of one group, for the contrast guard, and for the place of a solution.

    >>> draw_order(4, DrawPlace(seed=0, global_step=1, dataset_index=7))
    [2, 1, 3, 0]
    """
    order = list(range(num_responses))
    _generator(place, "order").shuffle(order)
    return order


def draw_sampling_seed(place: DrawPlace, session: int, purpose: str, number: int) -> int:
    """Draw the seed of one request to the engine: the `number`-th (from 0) of this session for this purpose.

    It is in [0, 2^63). Requests of one session differ as well: equal seeds would make their random numbers equal.

    >>> draw_sampling_seed(DrawPlace(seed=0, global_step=1, dataset_index=7), 0, "first_pass", 0)
    1590258283854686899
    """
    return _generator(place, session, "sampling", purpose, number).getrandbits(63)


def _generator(place: DrawPlace, *parts: object) -> random.Random:
    # A string seed is hashed with SHA-512, hence equal in every process, unlike hash().
    return random.Random("/".join(str(part) for part in (place.seed, place.global_step, place.dataset_index, *parts)))

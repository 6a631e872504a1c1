"""Every random choice of error correction, as pure functions of where in the run it is made.

Where this differs from the authors' code, and why: theirs shares one generator per process, so that a resumed run, or
one with another number of processes, draws differently. Here each choice has a generator of its own, seeded by
(seed, global step, dataset index, session).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recipe.edge_grpo.correction.tokens import Strategy

SMALLEST_GROUP_OF_SCHEDULE = 4


@dataclass(frozen=True)
class DrawPlace:
    """Where in a run a prompt is sampled.

    Attributes:
        seed: of the run.
        global_step: training step in which the prompt was handed to the rollout.
        dataset_index: of the prompt in the training file.
    """

    seed: int
    global_step: int
    dataset_index: object


def draw_strategy(probabilities: Mapping[Strategy, float], place: DrawPlace, session: int) -> Strategy:
    """The strategy for one failed response; the same arguments always draw the same.

    Args:
        probabilities: of each strategy; they sum to 1.
        place: of the prompt.
        session: number of the response within its group.
    """
    strategies = list(Strategy)
    weights = [probabilities[strategy] for strategy in strategies]
    return _generator(place, session).choices(strategies, weights=weights)[0]


def draw_reflection_text(texts: Sequence[str], place: DrawPlace, session: int, reflection_round: int) -> str:
    """One of the texts, each with equal probability, for one round (from 0) of reflection."""
    return _generator(place, session, "reflection", reflection_round).choice(texts)


def draw_order(num_responses: int, place: DrawPlace) -> list[int]:
    """A random order of the responses of one group, for the contrast guard."""
    order = list(range(num_responses))
    _generator(place, "order").shuffle(order)
    return order


def two_over_group_size(group_size: int) -> dict[Strategy, float]:
    """The schedule of the ICLR version: answer and solution with probability 2/G each, reflection with 1 - 4/G.

    The paper states P_1 = 2/G only; at G = 8 this reading gives its 0.5 / 0.25 / 0.25.

    Raises:
        ValueError: if the group has fewer than four responses, where 1 - 4/G is negative.
    """
    if group_size < SMALLEST_GROUP_OF_SCHEDULE:
        raise ValueError(f"2/G needs groups of at least {SMALLEST_GROUP_OF_SCHEDULE} responses, got {group_size}")
    return {
        Strategy.REFLECTION: 1 - 4 / group_size,
        Strategy.ANSWER: 2 / group_size,
        Strategy.SOLUTION: 2 / group_size,
    }


def _generator(place: DrawPlace, *parts: object) -> random.Random:
    # A string seed is hashed with SHA-512, hence equal in every process, unlike hash().
    return random.Random("/".join(str(part) for part in (place.seed, place.global_step, place.dataset_index, *parts)))

r"""Makes chains of additions and subtractions of one digit, for a policy that forgets the carry.

"What is 7+5-3?" is solved by "7+5=12" and "12-3=9", an equation a line, and "\boxed{9}"; all values are from 0 to 27.
A policy can be taught to forget a share of the carries: whenever a step crosses a ten, the digit of the tens stays as
it was, "7+5=2". Every step is within the reach of a tiny policy, so that it can learn; and where the share is above a
half the mistake is what it writes when it does not sample, so that its greedy answers show whether it has.
"""

import random
from typing import NamedTuple

from data_prep.arithmetic_problems import Problem, Step, draw_problem, write_solution

HIGHEST_VALUE = 27


class ChainKind(NamedTuple):
    """Least and largest number of steps of a chain, and its least answer."""

    fewest_steps: int
    most_steps: int
    lowest_answer: int = 0


CHAINS = {
    "carry": ChainKind(3, 6),
    "carry_hard": ChainKind(4, 6),
    "carry_rare": ChainKind(4, 6, lowest_answer=10),  # None is right by forgetting a carry and a borrow.
}
"""{difficulty: the kind of its chains}."""


def draw_carry_problem(rng: random.Random, difficulty: str) -> Problem:
    """Draw one chain; `difficulty` must be a key of `CHAINS`."""
    kind = CHAINS[difficulty]
    steps = _draw_steps(rng, kind)
    while steps[-1].result < kind.lowest_answer:
        steps = _draw_steps(rng, kind)
    expression = str(steps[0].left) + "".join(f"{step.operator}{step.right}" for step in steps)
    return Problem(rng.choice(("What is {}?", "Work out {}.")).format(expression), tuple(steps), difficulty)


def _draw_steps(rng: random.Random, kind: ChainKind) -> list[Step]:
    value = rng.randint(1, 9)
    steps: list[Step] = []
    for _ in range(rng.randint(kind.fewest_steps, kind.most_steps)):
        digit = rng.randint(1, 9)
        possible = [step for step in (Step(value, "+", digit), Step(value, "-", digit)) if _is_in_range(step.result)]
        steps.append(rng.choice(possible))
        value = steps[-1].result
    return steps


def draw_problem_of_any_task(rng: random.Random, difficulty: str) -> Problem:
    """Draw a chain, or a problem of `arithmetic_problems`, by the name of its difficulty."""
    return draw_carry_problem(rng, difficulty) if difficulty in CHAINS else draw_problem(rng, difficulty)


def attempt_with_forgotten_carries(rng: random.Random, problem: Problem, share: float) -> str:
    r"""Write an attempt in which each carry (or borrow) is forgotten with probability `share`; what follows goes on.

    A result below 0, which a forgotten carry can lead to, is always written without the borrow.

    >>> chain = Problem("What is 7+5-3?", (Step(7, "+", 5), Step(12, "-", 3)), "carry")
    >>> attempt_with_forgotten_carries(random.Random(0), chain, share=1.0)
    '7+5=2\n2-3=9\n\\boxed{9}'
    """
    value = problem.steps[0].left
    steps, results = [], []
    for step in problem.steps:
        attempted = Step(value, step.operator, step.right)
        without_carry = value // 10 * 10 + attempted.result % 10
        forgets = without_carry != attempted.result and rng.random() < share
        value = without_carry if forgets or attempted.result < 0 else attempted.result
        steps.append(attempted)
        results.append(value)
    return write_solution(tuple(steps), results)


def _is_in_range(value: int) -> bool:
    return 0 <= value <= HIGHEST_VALUE

r"""Makes short arithmetic problems with step-by-step reference solutions, in three difficulties.

A problem is a chain: a start value, then one operation a step, worked from left to right on natural numbers. It is
put either as an expression, "What is (12+5)*3?", or as a story, "Tom has 12 pens. Then 5 more. Then 3 times as many.
How many pens?". Its solution writes one equation a line, "12+5=17" and "17*3=51", and ends in the box, "\boxed{51}".
The vocabulary is small and the sentences few, so that a model of 0.15 million parameters can learn within a minute to
answer in the form, and its mistakes are mistakes of arithmetic.
"""

import operator
import random
from dataclasses import dataclass

_NAMES = ("Tom", "Ann")
_THINGS = ("pens", "cups", "keys")
_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_STORY_SENTENCES = {"+": "Then {} more.", "-": "Then {} fewer.", "*": "Then {} times as many."}
_SLIPS = (-10, -2, -1, 1, 2, 10)  # A forgotten carry or a miscount: the mistakes people make, too.


@dataclass(frozen=True)
class Level:
    """The ranges (both ends included) and operators that make one difficulty."""

    start: tuple[int, int]
    operand: tuple[int, int]
    factor: tuple[int, int]
    operators_by_step: tuple[str, ...]


LEVELS = {
    "easy": Level(start=(1, 9), operand=(1, 9), factor=(2, 2), operators_by_step=("+-",)),
    "medium": Level(start=(2, 25), operand=(1, 12), factor=(2, 3), operators_by_step=("+-", "+-")),
    "hard": Level(start=(10, 99), operand=(10, 99), factor=(3, 9), operators_by_step=("+-", "*", "+-")),
}


@dataclass(frozen=True)
class Step:
    """One operation: `left operator right`, on natural numbers."""

    left: int
    operator: str
    right: int

    @property
    def result(self) -> int:
        """The value of the step; that of `Step(17, "*", 3)` is 51."""
        return int(_OPERATIONS[self.operator](self.left, self.right))


@dataclass(frozen=True)
class Problem:
    """One problem: its text, the steps that solve it and its difficulty (a key of `LEVELS`)."""

    text: str
    steps: tuple[Step, ...]
    difficulty: str

    @property
    def answer(self) -> str:
        """The result of the last step, in decimal digits."""
        return str(self.steps[-1].result)

    @property
    def solution(self) -> str:
        """The reference solution: every step as an equation, then the answer in its box."""
        return write_solution(self.steps, [step.result for step in self.steps])


def draw_problem(rng: random.Random, difficulty: str) -> Problem:
    """Draw one problem. Every intermediate value is a natural number; `difficulty` must be a key of `LEVELS`."""
    level = LEVELS[difficulty]
    value = rng.randint(*level.start)
    steps = []
    for operators in level.operators_by_step:
        step = _draw_step(rng, level, value, rng.choice(operators))
        steps.append(step)
        value = step.result
    text = rng.choice((_expression_text, _story_text))(rng, steps)
    return Problem(text, tuple(steps), difficulty)


def write_solution(steps: tuple[Step, ...], results: list[int]) -> str:
    r"""Write the steps as equations with the given `results` (one a step), ending in the last one boxed.

    >>> write_solution((Step(12, "+", 5), Step(17, "*", 3)), [17, 51])
    '12+5=17\n17*3=51\n\\boxed{51}'
    """
    equations = [
        f"{step.left}{step.operator}{step.right}={result}" for step, result in zip(steps, results, strict=True)
    ]
    return "\n".join([*equations, f"\\boxed{{{results[-1]}}}"])


def solution_with_slip(rng: random.Random, problem: Problem) -> str:
    """Write an attempt that goes wrong: one step's result is off, and the steps after it carry the mistake on."""
    slip_at = rng.randrange(len(problem.steps))
    value = problem.steps[0].left
    steps, results = [], []
    for position, step in enumerate(problem.steps):
        attempted = Step(value, step.operator, step.right)
        value = attempted.result
        if position == slip_at:
            value += rng.choice([slip for slip in _SLIPS if value + slip >= 0])
        steps.append(attempted)
        results.append(value)
    return write_solution(tuple(steps), results)


def _draw_step(rng: random.Random, level: Level, value: int, operator: str) -> Step:
    if operator == "*":
        return Step(value, operator, rng.randint(*level.factor))
    low, high = level.operand
    if operator == "-" and value >= low:
        return Step(value, operator, rng.randint(low, min(high, value)))
    return Step(value, "+", rng.randint(low, high))


def _expression_text(rng: random.Random, steps: list[Step]) -> str:
    expression = str(steps[0].left)
    for position, step in enumerate(steps):
        needs_brackets = step.operator == "*" and position > 0
        expression = f"({expression})" if needs_brackets else expression
        expression += f"{step.operator}{step.right}"
    return rng.choice(("What is {}?", "Work out {}.")).format(expression)


def _story_text(rng: random.Random, steps: list[Step]) -> str:
    name, things = rng.choice(_NAMES), rng.choice(_THINGS)
    changes = " ".join(_STORY_SENTENCES[step.operator].format(step.right) for step in steps)
    return f"{name} has {steps[0].left} {things}. {changes} How many {things}?"

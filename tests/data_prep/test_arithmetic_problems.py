"""Generated problems: text, steps, reference solution and wrong attempts agree with one another."""

import random
import re

import pytest

from data_prep.arithmetic_problems import LEVELS, Problem, Step, draw_problem, solution_with_slip, write_solution

# (12+5)*3-1: 12+5=17, 17*3=51, 51-1=50.
STEPS = (Step(12, "+", 5), Step(17, "*", 3), Step(51, "-", 1))


def draw(difficulty, count=200):
    rng = random.Random(difficulty)
    return [draw_problem(rng, difficulty) for _ in range(count)]


def test_a_solution_writes_every_step_and_ends_in_the_box():
    problem = Problem("(12+5)*3-1", STEPS, "hard")
    assert problem.solution == "12+5=17\n17*3=51\n51-1=50\n\\boxed{50}"
    assert problem.answer == "50"


@pytest.mark.parametrize("difficulty", LEVELS)
def test_an_expression_has_the_value_of_the_answer(difficulty):
    problems = [problem for problem in draw(difficulty) if re.search(r"\d[-+*)]", problem.text)]
    assert problems
    for problem in problems:
        expression = re.sub(r"^(What is|Work out) |[?.]$", "", problem.text)
        assert re.fullmatch(r"[-+*()\d]+", expression)
        assert str(eval(expression)) == problem.answer  # Python's own precedence and brackets are the reference.


@pytest.mark.parametrize("difficulty", LEVELS)
def test_a_story_told_in_order_has_the_value_of_the_answer(difficulty):
    problems = [problem for problem in draw(difficulty) if " has " in problem.text]
    assert problems
    for problem in problems:
        value = int(re.search(r"has (\d+)", problem.text)[1])
        for number, change in re.findall(r"Then (\d+) (more|fewer|times)", problem.text):
            value = {"more": value + int(number), "fewer": value - int(number), "times": value * int(number)}[change]
        assert str(value) == problem.answer


@pytest.mark.parametrize("difficulty", LEVELS)
def test_every_step_starts_where_the_last_one_ended_and_stays_a_natural_number(difficulty):
    for problem in draw(difficulty):
        for step, next_step in zip(problem.steps, problem.steps[1:], strict=False):
            assert next_step.left == step.result
        assert min(step.result for step in problem.steps) >= 0


def test_a_level_has_its_number_of_steps():
    assert [len(draw(difficulty, 1)[0].steps) for difficulty in LEVELS] == [1, 2, 3]


@pytest.mark.parametrize("difficulty", LEVELS)
def test_a_slip_is_one_wrong_step_that_the_later_steps_carry_on(difficulty):
    rng = random.Random(0)
    for problem in draw(difficulty):
        attempt = solution_with_slip(rng, problem)
        equations = re.findall(r"(-?\d+)([-+*])(\d+)=(-?\d+)\n", attempt)
        is_wrong = [Step(int(left), sign, int(right)).result != int(result) for left, sign, right, result in equations]
        assert len(equations) == len(problem.steps)
        assert sum(is_wrong) == 1
        for (_, _, _, result), (next_left, _, _, _) in zip(equations, equations[1:], strict=False):
            assert next_left == result
        assert attempt.endswith(f"\\boxed{{{equations[-1][3]}}}")


def test_a_slip_in_a_sum_changes_the_answer():
    rng = random.Random(0)
    for problem in draw("medium"):
        boxed = re.search(r"\\boxed\{(-?\d+)\}", solution_with_slip(rng, problem))[1]
        assert boxed != problem.answer


def test_the_results_must_be_one_a_step():
    with pytest.raises(ValueError):
        write_solution(STEPS, [17, 51])


def test_the_same_generator_state_draws_the_same_problem():
    assert draw("hard", 20) == draw("hard", 20)

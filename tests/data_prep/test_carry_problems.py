"""Chains of one digit, and attempts at them that forget carries."""

import random
import re

import pyarrow.parquet
import pytest

from data_prep.arithmetic import main
from data_prep.arithmetic_problems import Problem, Step
from data_prep.carry_problems import (
    CHAINS,
    HIGHEST_VALUE,
    attempt_with_forgotten_carries,
    draw_carry_problem,
    draw_problem_of_any_task,
)


@pytest.mark.parametrize("difficulty", CHAINS)
def test_a_chain_has_as_many_steps_as_its_name_says_and_stays_in_range(difficulty):
    rng, lengths = random.Random(0), set()
    for _ in range(500):
        problem = draw_carry_problem(rng, difficulty)
        lengths.add(len(problem.steps))
        assert all(0 <= step.result <= HIGHEST_VALUE and 1 <= step.right <= 9 for step in problem.steps)
        assert all(a.result == b.left for a, b in zip(problem.steps, problem.steps[1:], strict=False))
    assert lengths == set(range(CHAINS[difficulty].fewest_steps, CHAINS[difficulty].most_steps + 1))


def test_no_answer_is_right_where_every_carry_is_forgotten_if_all_answers_have_tens():
    rng = random.Random(0)
    problems = [draw_carry_problem(rng, "carry_rare") for _ in range(300)]
    assert min(int(problem.answer) for problem in problems) == 10
    attempts = [attempt_with_forgotten_carries(rng, problem, share=1.0) for problem in problems]
    assert not any(
        attempt.endswith(f"{{{problem.answer}}}") for problem, attempt in zip(problems, attempts, strict=True)
    )


def test_the_text_holds_the_chain():
    rng = random.Random(1)
    for _ in range(100):
        problem = draw_carry_problem(rng, "carry")
        chain = re.search(r"[\d+-]+\d", problem.text)[0]
        assert eval(chain) == int(problem.answer)


def test_other_difficulties_are_those_of_the_other_problems():
    assert draw_problem_of_any_task(random.Random(0), "easy").difficulty == "easy"
    assert draw_problem_of_any_task(random.Random(0), "carry").difficulty == "carry"


# 8+7 crosses a ten, 15-6 crosses it back, 9-2 does not
CHAIN = Problem("What is 8+7-6-2?", (Step(8, "+", 7), Step(15, "-", 6), Step(9, "-", 2)), "carry")


@pytest.mark.parametrize(
    ("share", "attempt"),
    [
        (0.0, "8+7=15\n15-6=9\n9-2=7\n\\boxed{7}"),
        # 8+7=5; 5-6 is below 0 and so written without the borrow; 9-2 crosses nothing
        (1.0, "8+7=5\n5-6=9\n9-2=7\n\\boxed{7}"),
    ],
)
def test_a_forgotten_carry_leaves_the_tens_as_they_were(share, attempt):
    assert attempt_with_forgotten_carries(random.Random(0), CHAIN, share) == attempt


def test_a_forgotten_borrow_leaves_the_tens_as_they_were():
    chain = Problem("What is 12-5?", (Step(12, "-", 5),), "carry")
    assert attempt_with_forgotten_carries(random.Random(0), chain, 1.0) == "12-5=17\n\\boxed{17}"


def test_the_share_is_that_of_the_carries():
    chain, rng = Problem("What is 8+7?", (Step(8, "+", 7),), "carry"), random.Random(0)
    forgotten = sum("=5" in attempt_with_forgotten_carries(rng, chain, 0.6) for _ in range(2000))
    assert forgotten / 2000 == pytest.approx(0.6, abs=0.04)


def test_the_command_writes_chains_of_a_data_source_of_their_own(tmp_path, capsys):
    main(["--output-dir", str(tmp_path), "--task", "carry", "--train-size", "30", "--test-size", "10"])
    rows = pyarrow.parquet.read_table(tmp_path / "train.parquet").to_pylist()
    assert len(rows) == 30
    assert {(row["data_source"], row["extra_info"]["difficulty"]) for row in rows} == {("carry", "carry")}


def test_a_task_and_a_difficulty_are_one_too_many(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--output-dir", str(tmp_path), "--task", "carry", "--difficulty", "easy=1"])
    assert "not allowed with" in capsys.readouterr().err

"""Which problems are kept: repetitions, the random draw, and the hard ones."""

import hashlib

import pytest

from data_prep.quality.selection import Selection, draw_random, find_easy, find_repetitions
from data_prep.sources.problems import MathProblem


def problems(*texts_and_answers):
    return [MathProblem(row, text, (answer,)) for row, (text, answer) in enumerate(texts_and_answers, start=1)]


def same_text(first, second):
    return first.answers == second.answers


def numbers(chosen):
    return [problem.row_number for problem in chosen]


def test_a_problem_with_an_equal_answer_is_a_duplicate_of_the_first():
    rows = problems(("x", "1"), ("y", "1"), (" x\n", "1"), ("x", "1"))
    assert find_repetitions(rows, same_text) == ({3, 4}, set())


def test_all_rows_of_a_problem_with_different_answers_contradict_each_other():
    rows = problems(("x", "1"), ("x", "1"), ("y", "1"), ("x", "2"))
    assert find_repetitions(rows, same_text) == (set(), {1, 2, 4})


def test_whether_answers_are_equal_is_asked_and_not_read_off_the_text():
    rows = problems(("x", "1/2"), ("x", "0.5"))
    assert find_repetitions(rows, lambda first, second: True) == ({2}, set())


def test_what_is_dropped_is_noted_with_its_reason():
    selection = Selection(problems(("x", "1"), ("y", "1"), ("z", "1")))
    selection.drop("some reason", {3, 1})
    selection.drop("another", set())
    assert numbers(selection.problems) == [2]
    assert selection.dropped_rows == {"some reason": [1, 3], "another": []}


def test_the_draw_takes_the_smallest_hashes_in_the_order_of_the_input():
    rows = problems(*((letter, "1") for letter in "abcdefgh"))
    by_hash = sorted("abcdefgh", key=lambda letter: hashlib.sha256(f"7\n{letter}".encode()).hexdigest())
    assert [problem.text for problem in draw_random(rows, 3, seed=7)] == sorted(by_hash[:3])


def test_the_draw_does_not_depend_on_the_order_and_grows_with_its_size():
    rows = problems(*((str(number), "1") for number in range(100)))
    texts = {size: {problem.text for problem in draw_random(rows, size, seed=0)} for size in (10, 20)}
    assert {problem.text for problem in draw_random(rows[::-1], 10, seed=0)} == texts[10]
    assert texts[10] < texts[20]
    assert {problem.text for problem in draw_random(rows, 10, seed=1)} != texts[10]


def test_every_problem_has_the_same_chance():
    rows = problems(*((str(number), "1") for number in range(10)))
    counts = dict.fromkeys(range(1, 11), 0)
    for seed in range(1000):
        for problem in draw_random(rows, 3, seed):
            counts[problem.row_number] += 1
    # Binomial with n 1000 and p 0.3: mean 300, standard deviation 14.5; five of these are 72.
    assert all(abs(count - 300) < 72 for count in counts.values())


def test_more_than_there_are_cannot_be_drawn():
    with pytest.raises(ValueError, match="a subset of 3 was asked for, and 2 problems are left"):
        draw_random(problems(("x", "1"), ("y", "1")), 3, seed=0)


def test_hard_problems_are_those_up_to_the_rate():
    rows = [MathProblem(row, str(row), ("1",), correctness_rate=rate) for row, rate in enumerate((0.0, 0.125, 0.25), 1)]
    assert find_easy(rows, 0.125) == {3}


def test_a_problem_without_rate_is_named():
    rows = [MathProblem(1, "x", ("1",), correctness_rate=0.0), MathProblem(4, "y", ("1",))]
    with pytest.raises(ValueError, match="^row 4 has no correctness rate"):
        find_easy(rows, 0.125)

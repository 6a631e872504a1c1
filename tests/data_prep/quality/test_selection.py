"""Which problems are kept: repetitions, the random draw, and the hard ones."""

import hashlib
import json
from pathlib import Path

import datasets
import pytest

from data_prep.problems.reading import MathProblem, parse_problem
from data_prep.quality.selection import (
    Selection,
    draw_random,
    draw_validation,
    find_easy,
    find_overlap,
    find_repetitions,
    folded,
)

DATA = Path(__file__).parents[4] / "shared" / "data"


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


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("  What  is\n1+1?\t", "What is 1+1?"),
        ("What\u00a0is\u2003it", "What is it"),
        ("\uff11+\uff12 = \uff13", "1+2 = 3"),  # Digits as wide as Chinese characters.
        ("na\u0131\u0308ve \ufb01t", "na\u0131\u0308ve fit"),
        ("Poincare\u0301", "Poincar\u00e9"),
    ],
)
def test_spaces_and_forms_of_letters_do_not_tell_problems_apart(text, same):
    assert folded(text) == folded(same) == same


@pytest.mark.parametrize(("text", "other"), [("x\u00b2", "x2"), ("x\u2082", "x2"), ("\u00bd", "1/2"), ("\u2460", "1")])
def test_exponents_indices_fractions_and_circles_do(text, other):
    assert folded(text) != folded(other)
    assert folded(f"  {text} ") == text


def test_repetitions_are_found_through_spaces_and_forms():
    rows = problems(
        ("What is 1+1?", "2"), ("What  is\n\uff11+1?", "2"), ("What is x\u00b2?", "4"), ("What is x2?", "4")
    )
    assert find_repetitions(rows, same_text) == ({2}, set())


def test_problems_that_occur_elsewhere_are_found_by_their_folded_text():
    rows = problems(("a  b", "1"), ("c", "1"), ("a b ", "2"), ("A b", "1"))
    assert find_overlap(rows, {"a\nb", "d"}) == {1, 3}
    assert find_overlap(rows, []) == set()


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_a_held_out_set_has_its_size_and_shares_no_text_with_the_rest(size):
    # Ten rows of seven texts: a three times, b twice.
    rows = problems(*((text, "1") for text in ("a", "b", "a ", "c", "d", " a", "e", "b", "f", "g")))
    for seed in range(20):
        held_out = draw_validation(rows, size, seed)
        assert len(held_out) == size
        texts = {
            is_out: {p.text.strip() for p in rows if (p.row_number in held_out) is is_out} for is_out in (True, False)
        }
        assert texts[True] & texts[False] == set()


def test_a_held_out_set_is_drawn_by_the_smallest_hashes_whatever_the_order():
    rows = problems(*((letter, "1") for letter in "abcdefgh"))
    assert draw_validation(rows, 3, seed=7) == {problem.row_number for problem in draw_random(rows, 3, seed=7)}
    assert draw_validation(rows[::-1], 3, seed=7) == draw_validation(rows, 3, seed=7)
    assert len({tuple(sorted(draw_validation(rows, 3, seed))) for seed in range(20)}) > 1


def test_repetitions_are_combined_to_the_size_where_it_can_be_done():
    # Three rows of x, two of y and of z: 4 is 2+2, whichever comes first; 6 cannot be had, and 5 is 3+2.
    rows = problems(*((text, "1") for text in "xxxyyzz"))
    for seed in range(10):
        assert draw_validation(rows, 4, seed) == {4, 5, 6, 7}
        assert len(draw_validation(rows, 6, seed)) == 5


@pytest.mark.parametrize(
    ("texts", "size", "words"),
    [("abc", 3, "of 3 was asked for, and there are 3"), ("abc", 0, "of 0 was asked"), ("aabb", 1, "as few as 1 rows")],
)
def test_a_held_out_set_must_leave_rows_to_train_on_and_have_some(texts, size, words):
    with pytest.raises(ValueError, match=words):
        draw_validation(problems(*((text, "1") for text in texts)), size, seed=0)


@pytest.mark.skipif(not DATA.exists(), reason="the paper's data is not part of this repository")
def test_three_of_the_papers_problems_are_in_its_evaluation_suite():
    records = json.loads((DATA / "deepscaler_hard-1k.json").read_text(encoding="utf-8"))
    hard = [parse_problem(record, row) for row, record in enumerate(records, start=1)]
    suite = datasets.load_from_disk(str(DATA / "evaluation_suite"))
    overlaps = {name: find_overlap(hard, split["problem"]) for name, split in suite.items()}
    # 645 to the letter, the two others with line breaks at other places.
    assert {name: rows for name, rows in overlaps.items() if rows} == {"math": {508, 645, 829}}
    stripped = {text.strip() for text in suite["math"]["problem"]}
    assert [problem.row_number for problem in hard if problem.text.strip() in stripped] == [645]

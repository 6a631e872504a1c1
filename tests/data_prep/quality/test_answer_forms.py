"""Forms of an answer, the final answer of a reference, and answers that are surely wrong."""

import json
from pathlib import Path

import datasets
import pytest

from data_prep.problems.reading import accepted_answers
from data_prep.quality.answer_forms import FORMS, OPPOSITES, WRONG_ANSWER, WRONG_WORD, alter, final_answer, forms_asked
from data_prep.quality.answer_kinds import kind_of
from reward_fns.math_reward import grade

DATA = Path(__file__).parents[4] / "shared" / "data"


def test_a_prompt_can_ask_for_several_forms_or_none():
    both = r"Put it in \boxed{} after ####."
    assert forms_asked([both, "#### please", "1+1?"]) == {r"\boxed": 1, "####": 2}
    assert forms_asked(["1+1?"]) == {}


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("He has 5+2 = 7\n#### 7", "7"),
        ("#### $1,000$.", "1,000"),
        (r"so \boxed{3}, as above", "3"),
        ("The answer is 5.", "5"),
        ("Final answer: $x=2$", "x=2"),
        (r"$\text{(C)}$.", "(C)"),
        ("the answer", "the answer"),
    ],
)
def test_the_final_answer_is_what_a_reader_takes_for_it(gold, answer):
    assert final_answer(gold) == answer


ALTERED = [
    *[("72", "73"), ("-1", "0"), ("025", "26"), ("27,720", "27721"), (r"11,\! 111", "11112"), (r"$782$", "783")],
    *[("-0.2", "0.8"), (".5", "1.5"), (r"\$18.90", "19.90")],
    # Of 1 4/5 = 9/5 and -1 4/5 = -9/5 one more is 14/5 and -4/5, and of -30/17 it is -13/17.
    *[(r"1\frac{4}{5}", r"\frac{14}{5}"), ("-1 4/5", r"\frac{-4}{5}"), (r"-\frac{30}{17}", r"\frac{-13}{17}")],
    *[(r"\frac43", r"\frac{7}{3}"), ("1/0", r"\frac{2}{0}")],
    # Larger than every number in it, so that 3,2,2 does not become 3,2,3, which is the same set.
    *[("3,2,2", "3,2,4"), ("(3, 2)", "(3, 4)"), ("x=1, y_1=2", "x=1, y_1=3"), (r"(0,\infty)", r"(1,\infty)")],
    *[("A, C", "A, D"), ("(C)", "(D)"), (r"\text{(Z)}", "(A)"), ("Yes", "no"), ("east", WRONG_WORD)],
    *[(r"2\sqrt{5}", r"6\sqrt{5}"), (r"75^\circ", r"76^\circ"), ("x_1 = 5", "x_1 = 6"), ("n", "n+1")],
    *[(r"\infty", WRONG_ANSWER), (r"\mathbb{R}", WRONG_ANSWER), (r"(-\infty,\infty)", WRONG_ANSWER)],
    *[("9" * 5000, WRONG_ANSWER), ("48/2 = 24\n#### 72", "73"), ("(A,B)", "(A,C)")],
]


@pytest.mark.parametrize(("gold", "altered"), ALTERED)
def test_an_answer_is_altered_within_its_kind(gold, altered):
    assert alter(gold) == altered


@pytest.mark.slow
@pytest.mark.parametrize(
    "gold", [gold for gold, _ in ALTERED] + list(OPPOSITES) + [WRONG_WORD[:9], "x=y", "1:36", "5%"]
)
def test_an_altered_answer_is_not_accepted(gold):
    assert grade(FORMS[r"\boxed"] % alter(gold), gold) == 0.0


def test_every_kind_of_answer_is_altered():
    kinds = {kind_of(gold) for gold, _ in ALTERED}
    assert kinds == {"integer", "decimal", "fraction", "list", "text", "expression"}


@pytest.mark.parametrize("gold", ["", "{", "}{", "1," * 50_000, "{" * 100_000, r"\frac{1" * 5000, "٣", "²", "1.2.3"])
def test_any_text_can_be_altered(gold):
    assert alter(gold) != gold


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the paper's data is not part of this repository")
def test_of_the_papers_answers_the_final_one_is_accepted_and_an_altered_one_is_not():
    """Every tenth; of all 2,602 (1,469 distinct ones) none was graded otherwise."""
    records = json.loads((DATA / "deepscaler_hard-1k.json").read_text(encoding="utf-8"))
    suite = datasets.load_from_disk(str(DATA / "evaluation_suite"))
    records += [record for split in suite.values() for record in split]
    golds = sorted({gold for record in records for gold in accepted_answers(record["answer"])})[::10]
    assert len(golds) == 147
    assert [gold for gold in golds if grade(FORMS[r"\boxed"] % alter(gold), gold)] == []
    assert [gold for gold in golds if not grade(FORMS[r"\boxed"] % final_answer(gold), gold)] == []

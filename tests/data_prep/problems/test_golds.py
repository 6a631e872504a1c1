"""What keeps a reference answer from being a final answer, and what does not."""

import json
from pathlib import Path

import datasets
import pytest

from data_prep.problems.golds import GOLD_FAULTS, bare_answer, gold_fault, is_certain
from data_prep.problems.reading import accepted_answers

DATA = Path(__file__).parents[4] / "shared" / "data"
GSM8K = (
    "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nNatalia sold 48+24 = <<48+24=72>>72 clips altogether.\n#### 72"
)

FAULTY = {
    "'####' in the answer": [GSM8K, "#### 72", "so 72 #### 72"],
    "placeholder as answer": [
        *("proof", "Proof.", "notfound", r"\text{not found}", "N/A", "n/a", "None", "null", "unknown", "See solution"),
        *("(see the solution)", "?", "...", "…", "--", "$\\text{Proof}$"),
    ],
    "empty answer": ["$$", r"\text{ }", "$ $", r"\boxed{}"],
    "not a number as answer": ["NaN", "nan", "inf", "-inf", "$NaN$"],
    "several lines as answer": [
        "x = 2\ny = 3",
        "3\n4",
        "5\r\n\r\n6",
        "\\begin{pmatrix}\n1\n\\end{pmatrix}\nso 1",
        "\\{1\n2",
    ],
    "a box within other text": [
        *(r"The answer is \boxed{3}", r"\boxed{1}, \boxed{2}", r"\boxed{\boxed{3}}", r"\boxed{3", r"\boxed 3"),
    ],
    "prose as answer": [
        *("The answer is 5.", "Answer: 5", "Therefore, x = 3", "Anna is the oldest and Ben is the youngest"),
        *(
            "He sold 24 clips in May, so he sold 72 altogether",
            "a point in the plane at distance two from every vertex",
        ),
    ],
    "answer too long to compare": ["+".join(["x"] * 300), "1" * 300 + "x"],
}


@pytest.mark.parametrize(("fault", "gold"), [(fault, gold) for fault, golds in FAULTY.items() for gold in golds])
def test_an_answer_has_this_fault(fault, gold):
    assert gold_fault(gold) == fault


def test_every_fault_has_an_answer_and_only_what_a_reader_has_to_judge_is_not_certain():
    assert list(FAULTY) == list(GOLD_FAULTS)
    assert [fault for fault in GOLD_FAULTS if not is_certain(fault)] == [
        "prose as answer",
        "answer too long to compare",
    ]


@pytest.mark.parametrize(
    "gold",
    [
        *("72", "-0.5", r"\frac{1}{2}", "(0, 1) and (1, 0)", r"\infty", "infinity", r"\{\}", r"\emptyset", "-", "x+y"),
        *("Friday", "the second one", "no solution", "all real numbers", "does not exist", r"\text{(C)}", "SO(3)"),
        *("all real numbers except 0 and 1", r"\text{all real } x \text{ such that } x \ne 1", "The circle is tangent"),
        *("solution", "answer", "missing"),  # words, after all
        *("none", r"\text{None}", "none of these"),  # Python's None is written without all that.
        "Ann, Bob, Cid, Dan, Eve, Flo, Gus, Hal, Ida, Joe and Kim",
        *(r"\boxed{3}", r"$\boxed{a=170}$", r"\(\boxed{77}\)", r"\boxed{\frac{1}{2}}."),  # The reward takes them off.
        *("5\n", "\\[\n5\n\\]", "\\boxed{\n5\n}", "\\frac{\n1}{2}", "x = 1,\ny = 2", "a +\n b"),
        "\\begin{pmatrix}\n1 \\\\\n2\n\\end{pmatrix}",
        "\\left\\{\\begin{aligned}\nx &= 1 \\\\\ny &= 2\n\\end{aligned}\\right.",
    ],
)
def test_a_final_answer_has_no_fault(gold):
    assert gold_fault(gold) is None


@pytest.mark.parametrize(
    ("answer", "bare"),
    [
        ("$5$.", "5"),
        (r"\[ \boxed{\text{(B)}} \]", "(B)"),
        ("$1$,$2$", "$1$,$2$"),
        (r"\text{a} b", r"\text{a} b"),
        (r"\$5", r"\$5"),
        (r"\boxed{1} + \boxed{2}", r"\boxed{1} + \boxed{2}"),
    ],
)
def test_only_what_surrounds_the_whole_answer_is_taken_off(answer, bare):
    assert bare_answer(answer) == bare


@pytest.mark.parametrize("gold", ["{" * 100_000, "$" * 100_000, "\\boxed{" * 20_000, "a\n" * 50_000, "so " * 50_000])
def test_any_text_is_looked_at_in_little_time(gold):
    gold_fault(gold)


@pytest.mark.skipif(not DATA.exists(), reason="the paper's data is not part of this repository")
def test_of_the_papers_answers_one_is_prose_and_none_has_another_fault():
    records = json.loads((DATA / "deepscaler_hard-1k.json").read_text(encoding="utf-8"))
    suite = datasets.load_from_disk(str(DATA / "evaluation_suite"))
    records += [record for split in suite.values() for record in split]
    golds = [gold for record in records for gold in accepted_answers(record["answer"])]
    found = [(fault, gold) for gold in golds if (fault := gold_fault(gold)) is not None]
    # Problem 74 of OlympiadBench: "…, where b is an arbitrary integer, and a is an arbitrary positive integer with …"
    assert [(fault, gold[:25]) for fault, gold in found] == [("prose as answer", "$f(x)=a x+b$, where $b$ i")]
    assert len(golds) == 2602

"""The section of a comparison on the same problems."""

from recipe.edge_grpo.evaluate.paired import ProblemResult
from recipe.edge_grpo.evaluate.paired_tables import paired_section


def run(temperature=0.1, **accuracies):
    """The results of a run: benchmark=[accuracy of each problem]."""
    return {
        temperature: {
            (benchmark, index): ProblemResult(accuracy, f"{benchmark} {index}?", "2")
            for benchmark, values in accuracies.items()
            for index, accuracy in enumerate(values)
        }
    }


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"][2:]


def test_each_benchmark_and_all_problems_have_a_row():
    base = run(amc=[1, 0, 0, 0, 0], math=[1, 0])
    mine = run(amc=[0, 1, 1, 1, 1], math=[1, 0])
    text = paired_section({"base": base, "mine": mine})
    assert text.startswith("## On the same problems as base\n")
    amc, math, together = rows(text)
    # (4 - 1) / 5 = 60 points; sign test of 4 against 1: 2 * (1 + 5) / 32 = 0.375
    assert amc[:5] + amc[6:] == ["mine", "0.1", "amc", "5", "+60.00", "4", "0", "1", "0.38"]
    assert math == ["mine", "0.1", "math", "2", "+0.00", "–", "0", "2", "0", "1"]
    # (4 - 1) / 7 = 42.86 points
    assert together[2:5] + together[6:] == ["all problems", "7", "+42.86", "4", "2", "1", "0.38"]
    assert "- –: every problem has the same difference" in text


def test_every_further_run_is_compared_with_the_first_at_the_temperatures_of_both():
    first = run(0.1, amc=[1]) | run(0.6, amc=[1])
    text = paired_section({"a": first, "b": run(0.6, amc=[0]), "c": first, "d": run(1.0, amc=[1])})
    assert [row[:3] for row in rows(text)] == [["b", "0.6", "amc"], ["c", "0.1", "amc"], ["c", "0.6", "amc"]]
    assert "- d and a have no temperature in common: not compared." in text.splitlines()


def test_problems_that_are_not_compared_are_counted_and_named():
    base, mine = run(amc=[1] * 9, math=[1]), run(amc=[1, 0], minerva=[1])
    changed = ("amc", 1)
    mine[0.1][changed] = mine[0.1][changed]._replace(ground_truth="3")
    lines = paired_section({"base": base, "mine": mine}).splitlines()
    place = "- Not compared at temperature 0.1:"
    assert f"{place} 7 of amc only in base: 2, 3, 4, 5, 6 and 2 more." in lines
    assert f"{place} 1 of math only in base: 0." in lines
    assert f"{place} 1 of minerva only in mine: 0." in lines
    assert f"{place} 1 of amc with another prompt or answer in mine than in base: 1." in lines


def test_runs_without_a_common_problem_have_no_table():
    text = paired_section({"base": run(amc=[1]), "mine": run(math=[1])})
    assert rows(text) == []
    assert "- No problem is in two runs at the same temperature." in text.splitlines()


def test_one_run_alone_has_no_section():
    assert paired_section({"base": run(amc=[1])}) == paired_section({}) == ""

"""The Markdown tables of one run and of several."""

import json

import pytest

from recipe.edge_grpo.evaluate.published import published_results
from recipe.edge_grpo.evaluate.summary import SummarySettings, summarise
from recipe.edge_grpo.evaluate.tables import compare, run_tables


def cells(text):
    """The rows of all tables in `text`, by their first cell."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows}


@pytest.fixture
def summary(graded):
    """summary(benchmark=[accuracy of each problem], …): of an evaluation with one sample a problem."""

    def summary(temperature=0.1, **benchmarks):
        responses = [
            graded(accuracy, benchmark=benchmark, problem_index=index, temperature=temperature)
            for benchmark, accuracies in benchmarks.items()
            for index, accuracy in enumerate(accuracies)
        ]
        return summarise(responses, SummarySettings(k_values=[1], num_resamples=10))

    return summary


@pytest.fixture
def full_summary(graded):
    """Two benchmarks of four samples a problem, entropies, a response that reflects and a forced reflection."""
    responses = [
        *(graded(n < 2, sample_index=n, mean_entropy=0.25 * n, num_tokens=n) for n in range(4)),
        *(graded(1.0, benchmark="amc", problem_index=p, sample_index=n) for p in range(3) for n in range(2)),
        graded(0.0, benchmark="amc", problem_index=9, sample_index=0, response="Wait.", finish_reason="length"),
        graded(1.0, benchmark="amc", problem_index=9, sample_index=1),
        graded(1.0, sample_index=3, reflection_text="\nWait | no."),
    ]
    return summarise(responses, SummarySettings(k_values=[1, 2, 4], num_resamples=1000, bootstrap_seed=1))


def test_a_run_shows_benchmarks_and_both_averages_in_per_cent(full_summary):
    rows = cells(run_tables(full_summary))
    header = ["problems", "samples", "pass@1", "95 % interval", "pass@2", "pass@4", "maj@2", "maj@4"]
    assert rows["benchmark"] == [*header, "tokens", "boxed", "truncated"]
    # aime24: 2 of 4 correct, pass@2 = 1 - C(2,2)/C(4,2) = 5/6; tokens (0 + 1 + 2 + 3) / 4
    # Wilson for 1/2 of 1: 1/2 ± 1.96 sqrt(0.25 + 3.8415/4) / 4.8415 = 1/2 ± 0.445379
    # the first two of four are right: of two elections one is won; two against two is won by the one sampled first
    votes = ["50.00", "100.00"]
    assert rows["aime24"] == ["1", "4", "50.00", "5.46 to 94.54", "83.33", "100.00", *votes, "1.5", "100.00", "0.00"]
    # amc: (1 + 1 + 1 + 1/2) / 4; pass@2 = 1; two samples a problem say nothing of pass@4
    low, high = full_summary["temperatures"][0]["benchmarks"]["amc"]["confidence_interval"]
    interval = f"{100 * low:.2f} to {100 * high:.2f}"
    # the last problem has no box in its first response, which is no vote: the right one is elected
    assert rows["amc"] == ["4", "2", "87.50", interval, "100.00", "–", "100.00", "–", "10.0", "100.00", "12.50"]
    # (1 * 50 + 4 * 87.5) / 5 = 80; (50 + 87.5) / 2 = 68.75; pass@2: (83.33 + 4 * 100) / 5, (83.33 + 100) / 2
    # maj@2: (50 + 4 * 100) / 5, (50 + 100) / 2
    assert rows["sample-weighted average"] == ["5", "", "80.00", "", "96.67", "–", "90.00", "–", "", "", ""]
    assert rows["macro average"] == ["5", "", "68.75", "", "91.67", "–", "75.00", "–", "", "", ""]


def test_benchmarks_whose_interval_is_wilsons_are_named_below_the_table(summary):
    text = run_tables(summary(aime24=[1, 0], amc=[1, 0] * 15, math500=[1] * 40))
    remark = "Wilson's interval (fewer than 30 problems, or all of them right or all wrong): aime24, math500."
    assert remark in text.splitlines()
    assert "Wilson" not in run_tables(summary(amc=[1, 0] * 15))


def test_a_summary_of_an_earlier_version_has_the_tables_that_it_had(summary):
    old = summary(amc=[1, 0] * 15)
    for values in (*(each for each in old["temperatures"][0]["benchmarks"].values()), old["temperatures"][0]):
        values.pop("maj@k", None), values.pop("interval_method", None)
    for name in ("sample_weighted_average", "macro_average"):
        del old["temperatures"][0][name]["maj@k"]
    assert run_tables(old) == run_tables(summary(amc=[1, 0] * 15))
    assert compare({"x": old}) == compare({"x": summary(amc=[1, 0] * 15)})


def test_a_run_shows_entropy_and_reflection(full_summary):
    text = run_tables(full_summary)
    _, entropy, reflection, forced = (cells(f"{section}\n") for section in text.split("## ")[1:])
    # entropies 0, 0.25 (correct), 0.5, 0.75 (wrong): mean 0.375, no correct one above, no wrong one below
    assert entropy["0.1"] == ["4", "0.3750", "0.1250", "0.6250", "0.00", "0.00"]
    # one of 12 responses reflects, and is wrong; 9 of 12 are correct
    assert reflection["0.1"] == ["12", "1", "8.33", "0.00", "75.00"]
    assert "1 | " not in forced
    (line,) = (line for line in text.splitlines() if "no." in line)
    assert line.startswith(r'| "\nWait \| no." ') and line.split()[-8::2] == ["0.1", "3", "1", "100.00"]


def test_sections_without_content_are_left_out(summary):
    text = run_tables(summary(aime24=[1.0, 0.0]))
    assert "## Accuracy at temperature 0.1" in text and "## Responses that reflect" in text
    assert "entropy" not in text and "forced" not in text


def test_a_summary_that_went_through_json_makes_the_same_tables(full_summary):
    read_again = json.loads(json.dumps(full_summary))
    assert run_tables(read_again) == run_tables(full_summary)
    assert compare({"x": read_again}, has_published=True) == compare({"x": full_summary}, has_published=True)


def test_runs_are_compared_with_benchmarks_as_columns(summary):
    text = compare(
        {"base": summary(amc=[1, 0], math500=[1, 1, 1, 0]), "mine": summary(amc=[1, 1], math500=[1, 1, 1, 0])}
    )
    rows = cells(text)
    assert rows["run"] == ["temperature", "samples", "sample-weighted average", "macro average", "amc", "math500"]
    assert rows["base"] == ["0.1", "1", "66.67", "62.50", "50.00", "75.00"]  # (2 * 50 + 4 * 75) / 6
    assert rows["mine"] == ["0.1", "1", "83.33", "87.50", "100.00", "75.00"]
    assert not [line for line in text.splitlines() if line.startswith("- ")]


def test_a_missing_benchmark_is_a_dash_and_leaves_the_averages_of_all_rows(summary):
    text = compare({"base": summary(aime24=[1, 0], amc=[1, 1]), "mine": summary(amc=[1, 0])})
    rows = cells(text)
    assert rows["base"] == ["0.1", "1", "100.00", "100.00", "50.00", "100.00"]
    assert rows["mine"] == ["0.1", "1", "50.00", "50.00", "–", "50.00"]
    assert "- All averages are over the benchmarks that every row has: amc." in text.splitlines()


def test_runs_without_a_common_benchmark_have_no_averages(summary):
    text = compare({"base": summary(aime24=[1, 0]), "mine": summary(amc=[1, 0])})
    assert cells(text)["base"] == ["0.1", "1", "–", "–", "50.00", "–"]
    assert "- No benchmark is in all rows, so there are no averages." in text.splitlines()


def test_published_rows_are_marked_and_have_their_printed_averages(summary):
    suite = published_results().num_problems
    text = compare({"mine": summary(**{name: [1] * count for name, count in suite.items()})}, has_published=True)
    rows = cells(text)
    assert rows["mine"] == ["0.1", "1", *["100.00"] * 7]
    name = "published: EDGE-GRPO, Qwen2.5-Math-7B, DeepScaleR-Random-1K"
    # macro: (16.67 + 50.60 + 75.60 + 33.09 + 37.04) / 5 = 42.60
    assert rows[name] == ["0.1", "1", "49.30", "42.60", "16.67", "50.60", "75.60", "33.09", "37.04"]
    assert sum(name.startswith("published: ") for name in rows) == 22
    assert "- Published rows: arXiv 2507.21848" in text and "give an average of 49.04, not 49.30" in text
    assert "do not have the same number" not in text


def test_a_run_on_part_of_a_benchmark_is_told_from_the_published_rows(summary):
    text = compare({"mine": summary(aime24=[1, 0])}, has_published=True)
    assert "The rows do not have the same number of problems of aime24: 2 (mine), 30 (published)." in text
    assert "All averages are over the benchmarks that every row has: aime24." in text
    # the average of a published row is then over aime24 as well
    assert cells(text)["published: SFT, Qwen2.5-Math-7B, DeepScaleR-Hard-1K"][2:5] == ["3.33", "3.33", "3.33"]


def test_the_published_rows_alone_are_a_comparison():
    assert len(cells(compare({}, has_published=True))) == 22 + 2


def test_nothing_to_compare_is_an_error():
    with pytest.raises(ValueError, match="no run to compare"):
        compare({})


def test_uneven_numbers_of_samples_are_shown_as_a_range(graded):
    responses = [graded(1.0)] + [graded(1.0, problem_index=1, sample_index=n) for n in range(3)]
    summary = summarise(responses, SummarySettings(k_values=[], num_resamples=10))
    assert cells(compare({"x": summary}))["x"][1] == "1 to 3"
    assert cells(run_tables(summary))["aime24"][1] == "1 to 3"


def test_all_lines_of_a_table_are_equally_wide_and_no_text_breaks_out_of_its_cell(summary):
    text = compare({"a | name\nof two lines": summary(amc=[1]), "x": summary(amc=[0], aime24=[1])})
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4 and len({len(line) for line in lines}) == 1
    assert lines[2].startswith(r"| a \| name of two lines |")

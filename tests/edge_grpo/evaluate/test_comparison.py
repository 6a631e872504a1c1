"""Which averages several runs are compared by."""

import pytest

from recipe.edge_grpo.evaluate.comparison import (
    ComparedRow,
    averages,
    common_benchmarks,
    differences,
    rows_of_publication,
    rows_of_run,
)
from recipe.edge_grpo.evaluate.published import published_results
from recipe.edge_grpo.evaluate.summary import SummarySettings, summarise


@pytest.fixture
def row():
    """row(name, benchmark=(accuracy, number of problems), …)."""

    def row(name, printed_average=None, **benchmarks):
        accuracies = {benchmark: accuracy for benchmark, (accuracy, _) in benchmarks.items()}
        num_problems = {benchmark: count for benchmark, (_, count) in benchmarks.items()}
        return ComparedRow(name, 0.1, (1, 1), accuracies, num_problems, printed_average)

    return row


def test_a_run_has_a_row_for_each_temperature_in_per_cent(graded):
    responses = [
        *(graded(n < 3, sample_index=n) for n in range(4)),
        *(graded(1.0, benchmark="amc", problem_index=n) for n in range(2)),
        graded(0.0, temperature=0.6),
    ]
    summary = summarise(responses, SummarySettings(k_values=[], num_resamples=10))
    assert rows_of_run("mine", summary) == [
        ComparedRow("mine", 0.1, (1, 4), {"aime24": 75.0, "amc": 100.0}, {"aime24": 1, "amc": 2}),
        ComparedRow("mine", 0.6, (1, 1), {"aime24": 0.0}, {"aime24": 1}),
    ]


def test_something_else_than_a_summary_is_an_error_that_names_the_run():
    with pytest.raises(ValueError, match="run 'mine' is no summary"):
        rows_of_run("mine", {"steps": 3})


def test_averages_are_over_the_benchmarks_that_all_rows_have(row):
    both = row("both", a=(10.0, 30), b=(50.0, 10))
    only_a = row("only a", a=(20.0, 30))
    assert common_benchmarks([both, only_a]) == ["a"]
    assert averages(both, ["a"]) == (pytest.approx(10.0), pytest.approx(10.0))
    # (30 * 10 + 10 * 50) / 40 = 20; (10 + 50) / 2 = 30
    assert averages(both, ["a", "b"]) == (pytest.approx(20.0), pytest.approx(30.0))
    assert averages(both, []) is None


def test_a_published_average_is_the_printed_one_unless_it_is_over_other_benchmarks(row):
    published = row("published", printed_average=20.3, a=(10.0, 30), b=(50.0, 10))
    assert averages(published, ["a", "b"]) == (20.3, pytest.approx(30.0))
    assert averages(published, ["b"]) == (pytest.approx(50.0), pytest.approx(50.0))


def test_rows_over_the_same_benchmarks_and_problems_need_no_word(row):
    assert differences([row("x", a=(1.0, 3)), row("y", a=(2.0, 3))]) == []


def test_benchmarks_that_a_row_lacks_are_said_to_be_left_out_of_the_averages(row):
    rows = [row("x", a=(1.0, 3), b=(1.0, 3), c=(1.0, 3)), row("y", b=(2.0, 3), c=(1.0, 3))]
    assert differences(rows) == ["All averages are over the benchmarks that every row has: b, c."]
    assert differences([row("x", a=(1.0, 3)), row("y", b=(2.0, 3))]) == [
        "No benchmark is in all rows, so there are no averages."
    ]


def test_a_benchmark_with_another_number_of_problems_is_said_to_differ(row):
    published = [row(name, printed_average=1.0, a=(1.0, 30)) for name in ("p", "q")]
    rows = [row("x", a=(1.0, 3)), row("y", a=(2.0, 30)), *published]
    assert differences(rows) == ["The rows do not have the same number of problems of a: 3 (x), 30 (y, published)."]


def test_published_rows_are_marked_and_keep_their_numbers():
    published = published_results()
    rows = rows_of_publication(published)
    assert len(rows) == len(published.rows) == 22
    assert all(row.name.startswith("published: ") for row in rows)
    assert rows[4].name == "published: EDGE-GRPO, Qwen2.5-Math-1.5B, DeepScaleR-Hard-1K"
    assert rows[4].accuracies["math500"] == 73.2 and rows[4].printed_average == 47.24
    assert rows[4].temperature == 0.1 and rows[4].samples_per_problem == (1, 1)

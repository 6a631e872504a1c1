import pytest

from recipe.edge_grpo.report.metrics_file import RunMetrics
from recipe.edge_grpo.report.page.bundles import bundles_of, colour_of, mean_and_band, smooth, thin


def run(name, *values):
    return RunMetrics(name, {step: {"a": value} for step, value in enumerate(values)})


def test_seeds_of_different_lengths_are_a_mean_over_those_that_have_the_step():
    (bundle,) = bundles_of([run("x-seed-0", 0.0, 2.0, 8.0), run("x-seed-1", 4.0, 4.0)])
    assert bundle.values_at("a") == {0: [0.0, 4.0], 1: [2.0, 4.0], 2: [8.0]}
    assert mean_and_band(bundle.values_at("a")) == ([2.0, 3.0, 8.0], [0.0, 2.0, 8.0], [4.0, 4.0, 8.0])


def test_runs_without_a_seed_in_their_names_are_bundles_of_one():
    assert [bundle.name for bundle in bundles_of([run("a"), run("b-seed-1")])] == ["a", "b-seed-1"]


def test_a_few_values_are_not_smoothed_and_many_keep_their_mean_where_they_are_level():
    assert smooth([0.0, 1.0, 0.0]) == [0.0, 1.0, 0.0]
    assert smooth([5.0] * 100) == pytest.approx([5.0] * 100)


@pytest.mark.parametrize("max_points", [1, 3, 60, 1000])
def test_a_thinned_curve_has_no_more_points_than_asked_for_and_starts_where_it_did(max_points):
    steps, values = thin((list(range(1, 101)), [1.0] * 100), max_points)
    assert len(steps) == len(values) <= max_points
    assert steps[0] == 1 and set(values) == {1.0}


@pytest.mark.parametrize("number", [2, 6, 7, 50, 200])
def test_any_number_of_runs_has_distinct_colours(number):
    assert len({colour_of(place, number) for place in range(number)}) == number

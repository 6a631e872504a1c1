"""The summary of an evaluation: one worked by hand, what is left out, and that it is the same every time."""

import json
import random

import pytest

from recipe.edge_grpo.evaluate.statistics import bootstrap_interval
from recipe.edge_grpo.evaluate.summary import SummarySettings, summarise
from recipe.edge_grpo.intervals import wilson_interval


@pytest.fixture
def responses(graded):
    """At temperature 0.1 two benchmarks with forced reflection, at 0.6 one of them; worked by hand below."""
    amc = {"benchmark": "amc", "num_tokens": 40, "mean_entropy": 0.5}
    return [
        graded(0.0, temperature=0.6, problem_index=0),
        # aime24, problem 0: 1 of 2 correct; problem 1: 0 of 2; problem 2: 2 of 2
        graded(1.0, problem_index=0, sample_index=0, num_tokens=10, mean_entropy=0.1),
        graded(0.0, problem_index=0, sample_index=1, num_tokens=20, mean_entropy=0.9, response="Wait, 3."),
        graded(0.0, problem_index=1, sample_index=0, num_tokens=30, finish_reason="length", has_box=False),
        graded(
            0.0,
            problem_index=1,
            sample_index=1,
            num_tokens=40,
            finish_reason="abort",
            has_box=False,
            verify_status="no_box",
        ),
        graded(1.0, problem_index=2, sample_index=0, num_tokens=50),
        graded(1.0, problem_index=2, sample_index=1, num_tokens=60),
        # amc, one problem: 1 of 2 correct
        graded(1.0, sample_index=0, **amc),
        graded(0.0, sample_index=1, **amc),
        graded(1.0, problem_index=0, sample_index=1, reflection_text="Wait!", num_tokens=999, mean_entropy=9.0),
    ]


def test_a_benchmark_has_the_hand_worked_values(responses):
    summary = summarise(responses, SummarySettings(k_values=[1, 2, 4], num_resamples=500, bootstrap_seed=3))
    # avg@2: (1/2 + 0 + 1) / 3; pass@2: (1 + 0 + 1) / 3; tokens: (10 + … + 60) / 6
    # Wilson for 1/2 of 3: 1/2 ± 1.96 sqrt(0.25/3 + 3.8415/36) / (1 + 3.8415/3) = 1/2 ± 1.96 * 0.435937 / 2.280486
    # maj@2: a right and a wrong answer tie, and the right one was sampled first; no box is no vote; (1 + 0 + 1) / 3
    assert summary["temperatures"][0]["benchmarks"]["aime24"] == {
        "num_problems": 3,
        "samples_per_problem": {"min": 2, "max": 2},
        "avg@n": pytest.approx(1 / 2),
        "confidence_interval": pytest.approx([0.125335, 0.874665], abs=1e-6),
        "interval_method": "wilson",
        "pass@k": {"1": pytest.approx(1 / 2), "2": pytest.approx(2 / 3)},
        "maj@k": {"2": pytest.approx(2 / 3)},
        "mean_response_tokens": pytest.approx(35.0),
        "boxed_fraction": pytest.approx(4 / 6),
        "truncated_fraction": pytest.approx(1 / 6),
        "verify_status": {"no_box": 1, "ok": 5},
    }


def test_both_averages_are_over_the_benchmarks_and_named(responses):
    entry = summarise(responses, SummarySettings(k_values=[2], num_resamples=10))["temperatures"][0]
    # avg@2: aime24 1/2 of 3 problems, amc 1/2 of 1; pass@2: 2/3 of 3, 1 of 1
    assert entry["num_problems"] == 4
    assert entry["sample_weighted_average"]["avg@n"] == pytest.approx((3 * 1 / 2 + 1 / 2) / 4)
    assert entry["sample_weighted_average"]["pass@k"] == {"2": pytest.approx((3 * 2 / 3 + 1) / 4)}
    assert entry["macro_average"]["avg@n"] == pytest.approx(1 / 2)
    assert entry["macro_average"]["pass@k"] == {"2": pytest.approx((2 / 3 + 1) / 2)}
    # maj@2: aime24 2/3, and in amc the right answer was sampled first
    assert entry["sample_weighted_average"]["maj@k"] == {"2": pytest.approx((3 * 2 / 3 + 1) / 4)}
    assert entry["macro_average"]["maj@k"] == {"2": pytest.approx((2 / 3 + 1) / 2)}


def test_entropy_and_reflection_are_those_of_the_first_passes_at_each_temperature(responses):
    low, high = summarise(responses, SummarySettings(k_values=[], num_resamples=10))["temperatures"]
    assert low["entropy"]["num_measured"] == 4 and low["entropy"]["num_unmeasured"] == 4
    assert low["entropy"]["mean"] == pytest.approx((0.1 + 0.9 + 0.5 + 0.5) / 4)
    assert low["reflection"]["num_responses"] == 8 and low["reflection"]["num_reflecting"] == 1
    assert low["reflection"]["accuracy_of_reflecting"] == 0.0
    assert low["reflection"]["forced"]["num_wrong_first_passes"] == 4
    assert low["reflection"]["forced"]["by_text"][0]["accuracy"] == 1.0
    assert high["entropy"] == {"num_measured": 0, "num_unmeasured": 1}
    assert high["reflection"]["forced"] == {"num_wrong_first_passes": 1}


def test_temperatures_are_kept_apart_and_rise(responses):
    temperatures = summarise(responses, SummarySettings(k_values=[1, 2], num_resamples=10))["temperatures"]
    assert [entry["temperature"] for entry in temperatures] == [0.1, 0.6]
    assert list(temperatures[1]["benchmarks"]) == ["aime24"]
    assert temperatures[1]["benchmarks"]["aime24"]["avg@n"] == 0.0
    assert temperatures[1]["benchmarks"]["aime24"]["pass@k"] == {"1": 0.0}  # one sample: pass@2 is unknown


def test_the_summary_is_json_that_does_not_depend_on_the_order_of_the_responses(responses):
    first = json.dumps(summarise(responses, SummarySettings(k_values=[2, 1], num_resamples=100)), allow_nan=False)
    for seed in range(5):
        shuffled = random.Random(seed).sample(responses, len(responses))
        assert (
            json.dumps(summarise(shuffled, SummarySettings(k_values=[1, 2, 2], num_resamples=100)), allow_nan=False)
            == first
        )


def test_the_settings_are_in_the_summary_and_take_effect(responses):
    markers = ["it is"]
    summary = summarise(
        responses,
        SummarySettings([4, 1], num_resamples=20, bootstrap_seed=7, confidence_level=0.5, reflection_markers=markers),
    )
    assert summary["settings"] == {
        "k_values": [1, 4],
        "num_resamples": 20,
        "bootstrap_seed": 7,
        "confidence_level": 0.5,
        "reflection_markers": markers,
    }
    entry = summary["temperatures"][0]
    assert entry["reflection"]["num_reflecting"] == 7  # all but "Wait, 3."
    expected = wilson_interval(0.5, 3, confidence_level=0.5)
    assert entry["benchmarks"]["aime24"]["confidence_interval"] == list(expected)


def test_thirty_problems_of_which_some_are_right_have_the_interval_of_the_bootstrap(graded):
    settings = SummarySettings([1], num_resamples=20, bootstrap_seed=7, confidence_level=0.5)

    def benchmark(num_problems, num_right):
        responses = [graded(number < num_right, problem_index=number) for number in range(num_problems)]
        return summarise(responses, settings)["temperatures"][0]["benchmarks"]["aime24"]

    expected = bootstrap_interval([1.0] * 3 + [0.0] * 27, num_resamples=20, seed=7, confidence_level=0.5)
    assert benchmark(30, 3)["confidence_interval"] == list(expected)
    assert [benchmark(*case)["interval_method"] for case in ((30, 3), (29, 3), (30, 0), (30, 30))] == [
        "bootstrap", "wilson", "wilson", "wilson",
    ]  # fmt: skip


def test_an_uneven_evaluation_shows_fewest_and_most_samples_and_leaves_out_what_some_problem_cannot_give(graded):
    responses = [graded(1.0, problem_index=0)] + [graded(n % 2, problem_index=1, sample_index=n) for n in range(4)]
    benchmark = summarise(responses, SummarySettings(k_values=[1, 2], num_resamples=10))["temperatures"][0][
        "benchmarks"
    ]["aime24"]
    assert benchmark["samples_per_problem"] == {"min": 1, "max": 4}
    assert benchmark["avg@n"] == pytest.approx((1 + 1 / 2) / 2)  # per problem, not 3 of 5 responses
    assert benchmark["pass@k"] == {"1": pytest.approx(3 / 4)}


def test_an_average_has_only_the_pass_at_k_of_all_benchmarks(graded):
    responses = [graded(1.0, benchmark="a", sample_index=n) for n in range(4)] + [graded(0.0, benchmark="b")]
    entry = summarise(responses, SummarySettings(k_values=[1, 4], num_resamples=10))["temperatures"][0]
    assert entry["benchmarks"]["a"]["pass@k"] == {"1": 1.0, "4": 1.0}
    assert entry["macro_average"]["pass@k"] == entry["sample_weighted_average"]["pass@k"] == {"1": 0.5}


def test_one_problem_that_is_right_is_summarised(graded):
    entry = summarise([graded(1.0)], SummarySettings(k_values=[1], num_resamples=10))["temperatures"][0]
    # Wilson for 1 of 1: low = (1 + z^2/2 - z * z/2) / (1 + z^2) = 1 / 4.8415 = 0.206549
    assert entry["benchmarks"]["aime24"]["confidence_interval"] == pytest.approx([0.206549, 1.0], abs=1e-6)
    assert entry["sample_weighted_average"]["avg@n"] == entry["macro_average"]["avg@n"] == 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k_values": [0, 1]}, r"k_values must be at least 1, got \[0, 1\]"),
        ({"k_values": [1], "num_resamples": 0}, "num_resamples must be at least 1"),
        ({"k_values": [1], "reflection_markers": []}, "reflection markers"),
    ],
)
def test_a_setting_that_cannot_be_used_is_an_error(graded, settings, message):
    with pytest.raises(ValueError, match=message):
        summarise([graded()], SummarySettings(**settings))


def test_no_responses_and_two_of_the_same_key_are_errors(graded):
    with pytest.raises(ValueError, match="no responses to summarise"):
        summarise([], SummarySettings(k_values=[1]))
    with pytest.raises(ValueError, match="2 responses have the same key"):
        summarise([graded(1.0), graded(0.0)], SummarySettings(k_values=[1]))


def test_continuations_alone_are_an_error(graded):
    with pytest.raises(ValueError, match="continues a wrong first pass"):
        summarise([graded(reflection_text="Wait!")], SummarySettings(k_values=[1]))

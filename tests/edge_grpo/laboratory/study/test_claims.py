"""How a claim is answered: its number of each seed, the interval over seeds, and the side of the bound."""

import pytest

from recipe.edge_grpo.laboratory.study.claims import (
    CLAIMS,
    Answer,
    Claim,
    accuracy_within,
    answer_of,
    at_equal_tokens,
    collapse_and_end,
    find,
    findings,
    first_mean,
    last_accuracy,
    last_mean,
    mean_accuracy,
    rank_correlation,
)


@pytest.mark.parametrize(
    ("interval", "bound", "is_above", "answer"),
    [
        ((0.1, 0.2), 0.0, True, Answer.YES),
        ((0.1, 0.2), 0.0, False, Answer.NO),
        ((-0.2, -0.1), 0.0, True, Answer.NO),
        ((-0.2, -0.1), 0.0, False, Answer.YES),
        ((-0.1, 0.1), 0.0, True, Answer.UNDECIDED),
        ((0.93, 0.97), 0.94, True, Answer.UNDECIDED),
        ((0.0, 0.0), 0.0, True, Answer.UNDECIDED),
    ],
)
def test_an_answer_needs_the_whole_interval_on_one_side(interval, bound, is_above, answer):
    assert answer_of(interval, bound, is_above) is answer


def test_a_difference_is_taken_seed_by_seed(record):
    claim = Claim("x", "", ("carry",), lambda runs: runs["a"].accuracy - runs["b"].accuracy)
    # far apart from seed to seed, and always 0.1 between the two methods
    seeds = [
        {"a": record("a", (0.0, base + 0.1 + noise)), "b": record("b", (0.0, base))}
        for base, noise in ((0.2, 0.0), (0.5, 0.01), (0.8, -0.01))
    ]
    found = find(claim, "carry", seeds)
    assert found.numbers == pytest.approx([0.1, 0.11, 0.09])
    # mean 0.1, s = 0.01, 4.3027 * 0.01 / sqrt(3) = 0.02484; t = 0.1 sqrt(3) / 0.01 = 17.32, p = 1 - t / sqrt(2 + t^2)
    assert found.interval == pytest.approx((0.07516, 0.12484), abs=1e-5)
    assert found.p_value == pytest.approx(1 - 17.3205 / (2 + 17.3205**2) ** 0.5, abs=1e-5)
    assert found.answer is Answer.YES


def test_a_claim_is_not_answered_before_all_its_seeds_are_run_and_one_seed_is_none(record):
    claim = Claim("x", "", ("carry",), last_accuracy("a"))
    seeds = [{"a": record("a", (0, 0.5))}, {"b": record("b")}, {"a": record("a", (0, 0.75))}]
    found = find(claim, "carry", seeds)
    assert (found.numbers, found.answer) == ([0.5, 0.75], Answer.UNDER_WAY)
    alone = find(claim, "carry", seeds[:2])
    assert (alone.answer, alone.interval, alone.p_value) == (Answer.NOT_RUN, None, None)


def test_the_first_and_the_last_are_two_values_each(record):
    runs = {"a": record("a", [0] * 5, entropy=[None, 1.0, 2.0, 4.0, 6.0])}
    assert first_mean("a", "entropy")(runs) == 1.5
    assert last_mean("a", "entropy")(runs) == 5.0
    with pytest.raises(LookupError):
        last_mean("a", "equal_rewards_after")(runs)


def test_who_learns_sooner_has_the_higher_mean_of_the_validations_after_the_first(record):
    sooner, later = record("sooner", (0.1, 0.6, 0.6)), record("later", (0.1, 0.1, 0.8))
    runs = {"sooner": sooner, "later": later}
    assert mean_accuracy("sooner")(runs) == pytest.approx(0.6)
    assert mean_accuracy("later")(runs) == pytest.approx(0.45)  # (0.1 + 0.8) / 2
    with pytest.raises(LookupError):
        mean_accuracy("untrained")({"untrained": record("untrained", (0.1,))})


def test_at_equal_tokens_the_last_validation_counts_before_either_has_sampled_more(record):
    cheap = record("cheap", (0.1, 0.2, 0.3), tokens_sampled=(0, 10, 20))
    dear = record("dear", (0.1, 0.6, 0.9), tokens_sampled=(0, 15, 30))
    assert accuracy_within(dear, 20) == 0.6 and accuracy_within(dear, 14) == 0.1
    # 20 tokens are what the cheap one sampled in all: 0.3 against 0.6 after 15
    assert at_equal_tokens("dear", "cheap")({"cheap": cheap, "dear": dear}) == pytest.approx(0.3)
    assert at_equal_tokens("cheap", "dear")({"cheap": cheap, "dear": dear}) == pytest.approx(-0.3)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 2, 3], [10, 100, 1000], 1.0),
        ([1, 2, 3], [3, 2, 1], -1.0),
        # ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: cov 4.5 / sqrt(4.5 * 5) = 0.948683
        ([1, 2, 2, 3], [1, 2, 3, 4], 0.948683),
    ],
)
def test_ranks_are_correlated_and_equal_values_share_theirs(first, second, expected):
    assert rank_correlation(first, second) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0]])
def test_a_correlation_that_is_not_defined_is_no_number(values):
    with pytest.raises(LookupError):
        rank_correlation(values, values)


def test_collapse_is_compared_over_the_methods_that_have_groups(record):
    runs = {
        "many": record("many", (0, 0.2), equal_rewards_after=[None, 0.9]),
        "few": record("few", (0, 0.8), equal_rewards_after=[None, 0.1]),
        "sft": record("sft", (0, 1.0)),
        "dapo": record("dapo", (0, 0.1), equal_rewards_after=[None, 0.0]),  # it drops such groups, then counts
        "luffy": record("luffy", (0, 0.1), equal_rewards_after=[None, 0.0]),  # joined when answers were known
    }
    assert collapse_and_end(runs) == -1.0


def test_every_claim_reads_runs_that_the_study_makes(record):
    """With equal runs of every method no claim is confirmed, none fails for want of a name, and none is left out."""
    from recipe.edge_grpo.laboratory.study.plan_file import PLAN, read_study

    study = read_study(PLAN)
    curves = {"entropy": [None, 1.0], "equal_rewards_before": [None, 0.5]}
    seeds = [
        {
            name: record(name, (0, 0.5), equal_rewards_after=[None, (seed + place) / 100], **curves)
            for place, name in enumerate(study.methods)
        }
        for seed in (0, 1)
    ]
    found = findings(CLAIMS, dict.fromkeys(study.tasks, seeds))
    keys = {"1", "1b", "2", "3", "3b", "3c", "4", "5", "6", "7", "8", "9", "9b"}
    assert {finding.claim.key for finding in found} == keys
    not_run = [finding.claim.key for finding in found if finding.answer is Answer.NOT_RUN]
    assert not_run == ["8"] * len(study.tasks)  # all ends are equal
    assert [finding.claim.key for finding in found if finding.answer is Answer.YES] == []


def test_the_claims_of_the_document_are_those_that_are_answered():
    from pathlib import Path

    document = Path(__file__).parents[4].joinpath("docs/study.md").read_text(encoding="utf-8")
    for claim in CLAIMS:
        assert f"| {claim.key} | {claim.text} |" in document

"""Which responses failed and which were cut off, and what is read from the reward function's report."""

import pytest
from support.error_correction import settings

from recipe.edge_grpo.correction.failure import (
    UnreportedKeyError,
    accuracy_of,
    has_failed,
    is_failed,
    is_truncated,
    verify_status_of,
)
from recipe.edge_grpo.settings.choices import FailureDefinition


@pytest.mark.parametrize(
    ("accuracy", "expected"), [(0.0, True), (-1.0, True), (0.01, False), (0.5, False), (1.0, False)]
)
def test_a_response_has_failed_if_its_accuracy_is_not_above_zero(accuracy, expected):
    assert is_failed(accuracy) is expected
    assert is_failed(accuracy, format_score=0.0) is expected  # the format counts only where asked


@pytest.mark.parametrize(
    ("accuracy", "format_score", "expected"),
    [(1.0, 0.0, True), (1.0, 1.0, False), (0.0, 1.0, True), (1.0, None, False), (0.0, None, True)],
)
def test_where_asked_a_missing_format_is_a_failure_and_an_unreported_one_is_not(accuracy, format_score, expected):
    assert is_failed(accuracy, format_score, FailureDefinition.ACCURACY_OR_FORMAT) is expected


@pytest.mark.parametrize(
    ("response_ids", "expected"), [([1, 2], True), ([1, 9], False), ([8], False), ([9, 1], True), ([], True)]
)
def test_a_response_is_cut_off_unless_its_last_token_ends_it(response_ids, expected):
    assert is_truncated(response_ids, {8, 9}) is expected


def reported(**values):
    return {"reward_extra_info": values}


def test_the_accuracy_is_the_reported_one():
    assert accuracy_of(reported(acc=0.0, score=1.5), 1.5, settings().gec) == 0.0
    assert accuracy_of(reported(acc=True), 0.0, settings().gec) == 1.0


def test_only_a_bare_number_is_an_accuracy_itself():
    """verl reports a bare number as {"acc": number}; DAPO's reward manager adds what it took off the reward."""
    gec = settings(accuracy_key="is_right").gec
    assert accuracy_of({}, 0.5, gec) == 0.5
    assert accuracy_of({"reward_extra_info": None}, 0.5, gec) == 0.5
    assert accuracy_of(reported(acc=1.0), 1.0, gec) == 1.0
    assert accuracy_of(reported(acc=1.0, overlong_reward=-1.0, overlong=True), 0.0, gec) == 1.0


@pytest.mark.parametrize(
    ("report", "keys"),
    [
        ({"score": 0.25, "accuracy": 0.0}, "accuracy, score"),
        ({"score": 0.25, "acc": None}, "acc, score"),
        ({"score": 0.25}, "score"),
        ({"format": 1.0}, "format"),
    ],
)
def test_a_report_without_the_accuracy_is_refused_with_the_keys_that_are_there(report, keys):
    for read in (accuracy_of, has_failed):
        with pytest.raises(UnreportedKeyError, match=rf"edge_grpo\.gec\.accuracy_key=acc: .* the keys {keys}\. Set "):
            read(reported(**report), 0.25, settings().gec)


def test_a_report_of_another_accuracy_is_refused_although_it_has_an_acc():
    with pytest.raises(UnreportedKeyError, match=r"edge_grpo\.gec\.accuracy_key=is_right"):
        accuracy_of(reported(score=1.0, acc=0.0), 1.0, settings(accuracy_key="is_right").gec)


@pytest.mark.parametrize("report", [{"acc": 1.0}, {"acc": 1.0, "score": 1.0}, {"acc": 1.0, "format": None}, {}])
def test_where_the_format_decides_a_right_response_without_one_is_refused(report):
    gec = settings(failed="accuracy_or_format").gec
    with pytest.raises(UnreportedKeyError, match=r"\.format_key=format: .*edge_grpo\.gec\.failed=accuracy"):
        has_failed(reported(**report), 1.0, gec)
    assert has_failed(reported(**report | {"acc": 0.0}), 0.0, gec)  # of a wrong one it decides nothing
    assert not has_failed(reported(**report), 1.0, settings().gec)


def test_keys_of_another_reward_function_are_read_where_named():
    gec = settings(accuracy_key="is_right").gec
    assert accuracy_of(reported(is_right=1.0, acc=0.0), 0.0, gec) == 1.0
    gec = settings(failed="accuracy_or_format", format_key="has_box").gec
    assert has_failed(reported(acc=1.0, has_box=0.0, format=1.0), 1.0, gec)
    assert not has_failed(reported(acc=1.0, has_box=1.0, format=0.0), 1.0, gec)


def test_a_missing_format_fails_only_where_the_settings_say_so():
    assert not has_failed(reported(acc=1.0, format=0.0), 1.0, settings().gec)
    assert has_failed(reported(acc=1.0, format=0.0), 1.0, settings(failed="accuracy_or_format").gec)


@pytest.mark.parametrize(
    ("extra_fields", "status"),
    [
        ({}, None),
        ({"reward_extra_info": None}, None),
        ({"reward_extra_info": {"acc": 0.0}}, None),
        ({"reward_extra_info": {"acc": 0.0, "verify_status": "limit"}}, "limit"),
    ],
)
def test_the_verify_status_is_read_from_what_the_reward_function_reported(extra_fields, status):
    assert verify_status_of(extra_fields) == status

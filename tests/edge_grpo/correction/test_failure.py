"""Which responses failed and which were cut off, and what is read from the reward function's report."""

import pytest

from recipe.edge_grpo.correction.failure import accuracy_of, has_failed, is_failed, is_truncated, verify_status_of
from recipe.edge_grpo.correction.record import CorrectionRecord, record_of_score
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


@pytest.fixture
def gec(compose):
    """gec(*overrides): settings of error correction as composed."""
    from recipe.edge_grpo.settings.block import read_settings

    return lambda *overrides: read_settings(compose("+recipe=edge_grpo", *overrides)).gec


def test_the_accuracy_is_the_reported_one_or_else_the_reward(gec):
    assert accuracy_of(reported(acc=0.0), 1.5, gec()) == 0.0
    assert accuracy_of(reported(acc=True), 0.0, gec()) == 1.0
    assert accuracy_of(reported(other=1.0), 0.5, gec()) == 0.5
    assert accuracy_of({}, 0.5, gec()) == 0.5


def test_keys_of_another_reward_function_are_read_where_named(gec):
    settings = gec("edge_grpo.gec.accuracy_key=is_right", "edge_grpo.gec.format_key=has_box")
    assert accuracy_of(reported(is_right=1.0, acc=0.0), 0.0, settings) == 1.0
    settings = gec("edge_grpo.gec.failed=accuracy_or_format", "edge_grpo.gec.format_key=has_box")
    assert has_failed(reported(acc=1.0, has_box=0.0, format=1.0), 1.0, settings)
    assert not has_failed(reported(acc=1.0, has_box=1.0, format=0.0), 1.0, settings)


def test_a_missing_format_fails_only_where_the_settings_say_so(gec):
    assert not has_failed(reported(acc=1.0, format=0.0), 1.0, gec())
    assert has_failed(reported(acc=1.0, format=0.0), 1.0, gec("edge_grpo.gec.failed=accuracy_or_format"))


def test_the_record_of_a_score_says_nothing_but_the_score(gec):
    extra_fields = reported(acc=0.0, verify_status="no_box")
    assert record_of_score(extra_fields, 0.25, gec()) == CorrectionRecord(
        0.25, 0.0, True, first_pass_verify_status="no_box"
    )


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

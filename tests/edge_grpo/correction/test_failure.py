"""Which responses failed, and which were cut off."""

import pytest

from recipe.edge_grpo.settings.choices import FailureDefinition
from recipe.edge_grpo.correction.failure import is_failed, is_truncated


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

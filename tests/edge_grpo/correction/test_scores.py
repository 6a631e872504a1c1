"""What is read from the reward function's report: accuracy, failure, verify status."""

import pytest

from recipe.edge_grpo.correction.record import CorrectionRecord
from recipe.edge_grpo.correction.failure import accuracy_of, has_failed, verify_status_of
from recipe.edge_grpo.correction.record import record_of_score


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

"""The record of a correction: what it counts, and how it travels through verl's storage."""

import json

import pytest
from support.error_correction import settings

from recipe.edge_grpo.correction.record import (
    CorrectionRecord,
    GuardRole,
    Skipped,
    read_record,
    record_of_score,
    write_record,
)
from recipe.edge_grpo.settings.choices import Strategy

RECORDS = [
    CorrectionRecord(1.0, 1.0, False),
    CorrectionRecord(
        *(0.25, 0.0, True, Strategy.REFLECTION),
        injected_spans=((1, 7), (9, 12)),
        reflection_rounds=2,
        tokens_regenerated=5,
        first_pass_verify_status="no_box",
        first_pass_text="it is 3",
    ),
    CorrectionRecord(
        *(0.0, 0.0, True, Strategy.ANSWER),
        guard_role=GuardRole.SURE,
        answer_for_missing_solution=True,
        injected_spans=((2, 22),),
    ),
    CorrectionRecord(0.0, 0.0, True, Strategy.SOLUTION, is_solution_cut=True, injected_spans=((0, 8),)),
    CorrectionRecord(0.1, 0.0, True, skipped=Skipped.NO_ROOM, is_without_sure_correction=True),
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_travels_as_a_dictionary_even_through_json(record):
    extra_fields = {"turn_scores": []}
    write_record(extra_fields, record)
    assert list(extra_fields) == ["turn_scores", "edge_grpo"]
    assert read_record(extra_fields) == record
    assert read_record(json.loads(json.dumps(extra_fields))) == record


def test_a_response_that_error_correction_did_not_look_at_has_no_record():
    assert read_record({"turn_scores": []}) is None


def test_the_injected_tokens_are_those_of_all_spans():
    assert [record.tokens_injected for record in RECORDS] == [0, 6 + 3, 20, 8, 0]


def test_the_record_of_a_score_says_nothing_but_the_score():
    extra_fields = {"reward_extra_info": {"acc": 0.0, "verify_status": "no_box"}}
    assert record_of_score(extra_fields, 0.25, settings().gec) == CorrectionRecord(
        0.25, 0.0, True, first_pass_verify_status="no_box"
    )
    assert record_of_score({}, 1, settings().gec) == CorrectionRecord(1.0, 1.0, False)

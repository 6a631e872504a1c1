import json

import pytest
from support.run_folders import PLAIN, corrected

from recipe.edge_grpo.report.page.group_browser import (
    MAX_SHOWN_CHARACTERS,
    browser_data,
    flags_of,
    for_script,
    shown_group,
)
from recipe.edge_grpo.report.page.injected_text import pieces_of, reflection_text_of
from recipe.edge_grpo.report.page.rollouts import Rollouts

WRONG, RIGHT = corrected("w_0_0", 0.0, 0.0), corrected("r_0_0", 1.0, 1.0)
CORRECTED = corrected("c_0_0", 0.0, 1.0, "answer")


@pytest.mark.parametrize(
    ("group", "flags"),
    [
        ([WRONG, WRONG], ["all_wrong"]),
        ([WRONG, CORRECTED], ["all_wrong", "revived", "corrected"]),
        ([RIGHT, CORRECTED], ["destroyed", "corrected"]),
        ([RIGHT, RIGHT], ["all_correct"]),
        ([RIGHT, WRONG], []),
        ([RIGHT, {**WRONG, "skipped": "no_room"}], ["skipped"]),
        ([RIGHT, {**WRONG, "hint_skipped": "no_hint"}], ["skipped"]),
        ([PLAIN], ["all_correct"]),
    ],
)
def test_a_group_passes_the_filters_of_what_became_of_it(group, flags):
    assert flags_of(group) == flags


@pytest.mark.parametrize(
    ("response", "pieces"),
    [
        ({"output": "2"}, [(0, "2")]),
        ({"output": "it is 2", "strategy": "solution"}, [(1, "it is 2")]),
        ({"output": "3 no: 2", "strategy": "answer"}, [(0, "3"), (1, " no: 2")]),
        ({"output": "3 Wait! 2", "strategy": "reflection"}, [(0, "3"), (1, " Wait!"), (0, " 2")]),
        ({"output": "3 Wait! 4 Wait! 2", "strategy": "reflection"},
         [(0, "3"), (1, " Wait!"), (0, " 4"), (1, " Wait!"), (0, " 2")]),
        ({"output": "2", "strategy": "hint"}, [(0, "2")]),
        ({"output": "4 no: 2", "strategy": "answer"}, [(0, "4 no: 2")]),
        ({"output": "3 x 2 x 5", "strategy": "reflection", "injected_texts": [" x ", " 5"]},
         [(0, "3"), (1, " x "), (0, "2 x"), (1, " 5")]),
        ({"output": "3 x 2", "strategy": "reflection", "first_pass_text": "3 x", "injected_texts": [" x", " 2"]},
         [(0, "3 x"), (1, " 2")]),
        ({"output": "3 x 2", "strategy": "reflection", "first_pass_text": "3", "injected_texts": []},
         [(0, "3"), (0, " x 2")]),
        ({"output": "3 x", "strategy": "reflection", "injected_texts": ["y", None]}, [(0, "3"), (0, " x")]),
    ],
)  # fmt: skip
def test_what_was_injected_is_marked_by_the_column_or_by_comparing(response, pieces):
    if response.get("strategy"):
        response = {"first_pass_text": "3", **response}
    assert pieces_of(response, " Wait!") == pieces
    assert "".join(text for _, text in pieces) == response["output"]


def test_one_reflected_response_alone_does_not_tell_the_text():
    assert reflection_text_of([{"output": "3 Wait! 2", "first_pass_text": "3", "strategy": "reflection"}]) == ""


def test_a_response_has_its_numbers_and_none_that_an_old_dump_lacks():
    shown = shown_group(4, 2, [{**CORRECTED, "advantage_before_eda": 1.5, "advantage": 3.0}], "")
    (response,) = shown["responses"]
    assert (response["advantage_before"], response["advantage"], response["ratio"]) == (1.5, 3.0, 0.5)
    assert (response["first_score"], response["score"], response["strategy"]) == (0.0, 1.0, "answer")
    (old,) = shown_group(4, 2, [PLAIN], "")["responses"]
    assert old.keys() == {"score", "first_score", "accuracy", "pieces"}


def test_a_long_text_is_cut_and_says_so():
    (response,) = shown_group(1, 0, [{**PLAIN, "output": "x" * (MAX_SHOWN_CHARACTERS + 7)}], "")["responses"]
    assert response["pieces"][0][1].endswith("x […7 more characters]")


def test_markup_of_a_model_cannot_end_the_script_and_stays_the_same_text():
    text = "</script><script>alert(1)</script><!-- & \u2028"
    assert not set("<>&\u2028") & set(for_script(text))
    assert json.loads(for_script(text)) == text


@pytest.mark.parametrize("max_bytes", [0, 3_000, 20_000, 200_000])
def test_the_data_stays_within_its_budget_and_says_what_was_left_out(max_bytes):
    rollouts = Rollouts({step: [[WRONG, CORRECTED]] * 50 for step in range(1, 101)})
    data = browser_data({"a": rollouts, "<b>": rollouts}, max_bytes)
    runs = json.loads(data.json)
    assert len(data.json) <= max(max_bytes, 100)
    assert [run["name"] for run in runs] == ["a", "<b>"]
    assert "of their 600 groups" in data.notes[0]  # 12 steps of 50
    if max_bytes == 200_000:
        assert [len(run["groups"]) > 12 for run in runs] == [True, True]
        assert {group["step"] for group in runs[0]["groups"]} >= {1, 100}


def test_with_room_enough_every_group_of_the_chosen_steps_is_there():
    data = browser_data({"a": Rollouts({1: [[WRONG]] * 3, 2: [[RIGHT]]})}, 100_000)
    assert len(json.loads(data.json)[0]["groups"]) == 4
    assert data.notes == ["a: steps 1, 2"]

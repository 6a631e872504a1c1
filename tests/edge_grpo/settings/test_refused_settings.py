"""A bad `edge_grpo:` block is refused with the key, the value and the fix."""

import copy
import math

import pytest
from support.settings_block import GOOD, changed

from recipe.edge_grpo.settings.block import parse_settings
from recipe.edge_grpo.settings.choices import Strategy

# (key as the user writes it, bad value, what the message must say besides the key and the value)
BAD_VALUES = [
    ("seed", "0", "type int"),
    ("seed", 1.5, "type int"),
    ("seed", True, "type int"),
    ("replay_poll_seconds", 0, "above 0"),
    ("replay_poll_seconds", -1.0, "above 0"),
    ("replay_poll_seconds", "2", "number of seconds"),
    ("replay_poll_seconds", math.inf, "number of seconds"),
    ("replay_poll_seconds", math.nan, "number of seconds"),
    ("stall_seconds", 0.5, "must exceed edge_grpo.replay_poll_seconds=0.5"),
    *(
        (name, value, "must be a number of seconds above 0, or null for no limit")
        for name in ("stall_seconds", "gec.time_limit_seconds")
        for value in (0, -1.0, math.nan, math.inf, "60", True)
    ),
    *(
        ("max_lost_fraction", value, "must be a number from 0 to 1, or null for no limit")
        for value in (-0.01, 1.01, 5, math.nan, "0.1", True)
    ),
    ("eda", None, "must be a block"),
    ("eda", True, "must be a block"),
    ("eda.enabled", "yes", "type bool"),
    ("eda.enabled", 1, "type bool"),
    ("eda.clip", 3, "two numbers [low, high] with 0 < low <= 1 <= high, or null"),
    ("eda.clip", [0.5], "two numbers"),
    ("eda.clip", [0.5, 1, 2], "two numbers"),
    ("eda.clip", [0, 2], "0 < low"),
    ("eda.clip", [1.5, 2], "low <= 1"),
    ("eda.clip", [0.2, 0.9], "1 <= high"),
    ("eda.clip", ["0.5", 2], "two numbers"),
    ("eda.clip", [0.5, math.inf], "two numbers"),
    ("gec", [], "must be a block"),
    ("gec.enabled", None, "type bool"),
    ("gec.probabilities", {"reflection": 1.0}, "exactly the keys reflection, answer, solution, hint"),
    ("gec.probabilities", [0.5, 0.25, 0.25], "exactly the keys reflection, answer, solution, hint"),
    ("gec.probabilities", {"reflection": 0.5, "answer": 0.25, "solution": 0.25}, "exactly the keys"),
    *(
        ("gec.hint_shares", value, "must be a list of growing numbers above 0, at most 1")
        for value in ([], 0.5, None, [0, 0.5], [0.5, 0.5], [0.5, 0.25], [0.5, 1.1], ["0.5"], [True], [0.5, math.nan])
    ),
    ("gec.hint_text", "Hint: ", "must contain {hint}"),
    ("gec.hint_text", None, "type str"),
    ("gec.hint_prompt", "both", "one of hinted, plain"),
    ("gec.probabilities.reflection", -0.5, "between 0 and 1"),
    ("gec.probabilities.reflection", 1.5, "between 0 and 1"),
    ("gec.probabilities.reflection", "half", "between 0 and 1"),
    ("gec.probabilities.reflection", True, "between 0 and 1"),
    ("eda.entropy", "estimated", "one of exact, sampled"),
    ("eda.entropy", None, "one of exact, sampled"),
    ("eda.tokens", "all", "one of response, sampled"),
    ("eda.mean", "epoch", "one of group, batch"),
    ("gec.scope", "prompt", "one of response, group"),
    ("gec.scope", True, "one of response, group"),
    ("gec.corrects_mixed_groups", "no", "type bool"),
    ("gec.solution_in_every_group", "yes", "type bool"),
    ("gec.corrects_truncated", 0, "type bool"),
    ("gec.schedule", "1/G", "one of fixed, 2/G"),
    ("gec.failed", "format", "one of accuracy, accuracy_or_format"),
    ("gec.long_solution", "drop", "one of skip, cut"),
    ("gec.injected_loss", "ignore", "one of train, mask, weight, shaped"),
    ("gec.injected_loss", ["mask"], "one of train, mask, weight, shaped"),
    ("gec.injected_weight", None, "number of at least 0 with edge_grpo.gec.injected_loss=weight"),
    ("gec.injected_weight", -0.5, "at least 0"),
    ("gec.failed_prefix_loss", "mask", "exactly the keys answer, reflection"),
    ("gec.failed_prefix_loss", {"answer": "mask"}, "exactly the keys answer, reflection"),
    ("gec.failed_prefix_loss.answer", "shaped", "one of train, mask, weight"),
    ("gec.failed_prefix_loss.reflection", None, "one of train, mask, weight"),
    ("gec.failed_prefix_weight", None, "number of at least 0 with edge_grpo.gec.failed_prefix_loss.answer=weight"),
    ("gec.failed_prefix_weight", -1, "at least 0"),
    ("gec.injected_weight", math.nan, "at least 0"),
    ("gec.injected_weight", "0.5", "number"),
    ("gec.reflection_texts", [], "at least one text"),
    ("gec.reflection_texts", [" Wait", ""], "none of them empty"),
    ("gec.reflection_texts", " Wait", "must be a list"),
    ("gec.reflection_texts", [3], "at least one text"),
    ("gec.reflection_rounds", 0, "at least 1"),
    ("gec.reflection_rounds", 1.5, "whole number"),
    ("gec.token_budget", 0, "at least 1"),
    ("gec.format_key", None, "type str"),
    ("gec.answer_text", "it is known", "must contain {answer}"),
    ("gec.answer_text", None, "type str"),
    ("gec.accuracy_key", 1, "type str"),
    ("gec.max_new_tokens", 0, "at least 1"),
    ("gec.max_new_tokens", None, "at least 1"),
    ("gec.max_new_tokens", 2.0, "whole number"),
    ("gec.max_new_tokens", True, "whole number"),
    ("gec.first_pass_max_tokens", 0, "at least 1"),
    ("gec.max_prompt_tokens", -5, "at least 1"),
]


@pytest.mark.parametrize(
    ("path", "value", "reason"), BAD_VALUES, ids=[f"{path}={value!r}" for path, value, _ in BAD_VALUES]
)
def test_a_bad_value_is_refused_with_its_key_the_value_and_what_is_right(path, value, reason):
    with pytest.raises(ValueError) as refusal:
        parse_settings(changed(path, value))
    message = str(refusal.value)
    assert f"edge_grpo.{path}" in message
    assert reason in message
    assert value == "" or repr(value) in message


@pytest.mark.parametrize("injected_loss", ["train", "mask", "shaped"])
def test_a_weight_without_effect_is_refused(injected_loss):
    with pytest.raises(ValueError, match=r"injected_weight=0\.5 has no effect without .*injected_loss=weight"):
        parse_settings(changed("gec.injected_loss", injected_loss))
    with pytest.raises(ValueError, match=r"failed_prefix_weight=0\.25 has no effect without"):
        parse_settings(changed("gec.failed_prefix_loss.reflection", "train"))


def test_the_contrast_guard_without_a_sure_correction_is_refused():
    block = changed("gec.probabilities", {"reflection": 1.0, "answer": 0.0, "solution": 0.0, "hint": 0.0})
    with pytest.raises(ValueError, match=r"edge_grpo\.gec\.scope=group with .*reflection=1.*, or set scope=response$"):
        parse_settings(block)
    block["gec"]["schedule"] = "2/G"  # these probabilities are not used then
    parse_settings(block)


def test_hints_alone_need_no_sure_correction():
    block = changed("gec.probabilities", {"reflection": 0.0, "answer": 0.0, "solution": 0.0, "hint": 1.0})
    assert parse_settings(block).gec.probabilities[Strategy.HINT] == 1


@pytest.mark.parametrize(("name", "value"), [("scope", "response"), ("schedule", "2/G")])
def test_a_hint_for_single_responses_or_under_another_schedule_is_refused(name, value):
    block = changed("gec.probabilities", {"reflection": 0.25, "answer": 0.25, "solution": 0.25, "hint": 0.25})
    parse_settings(block)
    block["gec"][name] = value
    with pytest.raises(
        ValueError, match=r"probabilities\.hint=0\.25 with .*" + value + r".* or .*probabilities\.hint=0$"
    ):
        parse_settings(block)


SOLUTION_IN_EVERY_GROUP = {
    "solution_in_every_group": True,
    "corrects_mixed_groups": True,
    "corrects_truncated": True,
    "probabilities": {"reflection": 0.0, "answer": 0.0, "solution": 1.0, "hint": 0.0},
}


def test_a_solution_in_every_group_is_a_good_setting():
    assert parse_settings(GOOD | {"gec": GOOD["gec"] | SOLUTION_IN_EVERY_GROUP}).gec.solution_in_every_group


@pytest.mark.parametrize(
    ("changes", "named", "fix"),
    [
        ({"scope": "response"}, "scope=response", "set edge_grpo.gec.scope=group"),
        ({"schedule": "2/G"}, "schedule=2/G", "set edge_grpo.gec.schedule=fixed"),
        (
            {"corrects_mixed_groups": False},
            "corrects_mixed_groups=False",
            "set edge_grpo.gec.corrects_mixed_groups=True",
        ),
        ({"corrects_truncated": False}, "corrects_truncated=False", "set edge_grpo.gec.corrects_truncated=True"),
        (
            {"probabilities": {"reflection": 0.5, "answer": 0.0, "solution": 0.5, "hint": 0.0}},
            "probabilities.solution=0.5",
            "set edge_grpo.gec.probabilities.solution=1 and the others to 0",
        ),
        (
            {"injected_loss": "mask", "injected_weight": None},
            "injected_loss=mask",
            "set edge_grpo.gec.injected_loss=sha",
        ),
        ({"injected_weight": 0}, "injected_loss=weight", "weight with a weight above 0"),
    ],
)
def test_what_a_solution_in_every_group_cannot_be_combined_with_is_refused(changes, named, fix):
    with pytest.raises(ValueError) as refusal:
        parse_settings(GOOD | {"gec": GOOD["gec"] | SOLUTION_IN_EVERY_GROUP | changes})
    assert f"edge_grpo.gec.solution_in_every_group=True with edge_grpo.gec.{named}" in str(refusal.value)
    assert fix in str(refusal.value)


def test_probabilities_that_do_not_sum_to_1_are_refused_with_their_sum():
    with pytest.raises(ValueError, match=r"edge_grpo\.gec\.probabilities sum to 1\.25; they must sum to 1"):
        parse_settings(changed("gec.probabilities.reflection", 0.75))


def all_keys():
    for name, value in GOOD.items():
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value)


@pytest.mark.parametrize("path", list(all_keys()))
def test_a_missing_key_is_named(path):
    block = copy.deepcopy(GOOD)
    *parents, name = path.split(".")
    del (block[parents[0]] if parents else block)[name]
    with pytest.raises(ValueError, match=rf"missing key edge_grpo\.{path}: \+recipe=edge_grpo sets it"):
        parse_settings(block)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("gec.max_new_token", "did you mean edge_grpo.gec.max_new_tokens?"),
        ("eda.clips", "did you mean edge_grpo.eda.clip?"),
        ("sed", "did you mean edge_grpo.seed?"),
        ("eda.zzz", "known keys: enabled, clip, entropy, tokens, mean"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(path, hint):
    with pytest.raises(ValueError) as refusal:
        parse_settings(changed(path, 1))
    assert f"unknown key edge_grpo.{path}" in str(refusal.value)
    assert hint in str(refusal.value)

"""The `edge_grpo:` block: a good one is read as it stands, each bad one is refused with key, value and fix."""

import copy
import dataclasses
import math

import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.settings.block import parse_settings, read_settings
from recipe.edge_grpo.settings.choices import Strategy

GOOD = {
    "seed": 7,
    "seeds_responses": False,
    "replay_poll_seconds": 0.5,
    "reliability": True,
    "stall_seconds": 900,
    "max_lost_fraction": 0.25,
    "comparator": None,
    "eda": {"enabled": True, "clip": [0.5, 2], "entropy": "sampled", "tokens": "sampled", "mean": "batch"},
    "gec": {
        "enabled": True,
        "scope": "group",
        "corrects_mixed_groups": False,
        "schedule": "fixed",
        "probabilities": {"reflection": 0.5, "answer": 0.25, "solution": 0.25, "hint": 0.0},
        "failed": "accuracy_or_format",
        "corrects_truncated": False,
        "reflection_texts": [" Wait!", " Look again."],
        "reflection_rounds": 2,
        "answer_text": "It is {answer}.",
        "max_new_tokens": 256,
        "token_budget": 300,
        "time_limit_seconds": 60.5,
        "first_pass_max_tokens": None,
        "max_prompt_tokens": 255,
        "long_solution": "cut",
        "hint_shares": [0.5, 1],
        "hint_text": "Hint: {hint}",
        "hint_prompt": "plain",
        "injected_loss": "weight",
        "injected_weight": 0.5,
        "failed_prefix_loss": {"answer": "mask", "reflection": "weight"},
        "failed_prefix_weight": 0.25,
        "accuracy_key": "acc",
        "format_key": "format",
    },
}


def changed(path, value):
    """A good block with one value replaced; `path` is written as the user writes it, without the leading edge_grpo."""
    block = copy.deepcopy(GOOD)
    *parents, name = path.split(".")
    place = block
    for parent in parents:
        place = place[parent]
    place[name] = value
    return block


def test_a_good_block_is_read_as_it_stands():
    settings = parse_settings(GOOD)
    assert (settings.seed, settings.replay_poll_seconds, settings.stall_seconds) == (7, 0.5, 900)
    assert settings.max_lost_fraction == 0.25
    assert dataclasses.asdict(settings.eda) == GOOD["eda"] | {"clip": (0.5, 2.0)}
    read = dataclasses.asdict(settings.gec) | {
        "probabilities": None,
        "reflection_texts": None,
        "hint_shares": (0.5, 1.0),
    }
    assert read == GOOD["gec"] | {"probabilities": None, "reflection_texts": None, "hint_shares": (0.5, 1.0)}
    assert settings.gec.probabilities == {Strategy(name): share for name, share in GOOD["gec"]["probabilities"].items()}
    # A name compares equal to its member, so that the comparison above does not tell which of them it is.
    assert [type(strategy) for strategy in settings.gec.probabilities] == [Strategy] * 4
    assert (settings.gec.first_pass_max_tokens, settings.gec.max_prompt_tokens) == (None, 255)
    assert settings.gec.reflection_texts == (" Wait!", " Look again.")


def test_reading_does_not_change_the_block():
    block = copy.deepcopy(GOOD)
    parse_settings(block)
    assert block == GOOD


def test_settings_cannot_be_changed_afterwards():
    settings = parse_settings(GOOD)
    for part, name in ((settings, "seed"), (settings.eda, "enabled"), (settings.gec, "max_new_tokens")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, name, 1)


@pytest.mark.parametrize(
    "path",
    [
        *("eda.clip", "gec.first_pass_max_tokens", "gec.max_prompt_tokens", "gec.token_budget"),
        *("gec.time_limit_seconds", "stall_seconds", "max_lost_fraction"),
    ],
)
def test_null_means_no_bound(path):
    parse_settings(changed(path, None))


@pytest.mark.parametrize("clip", [[1, 1], (0.1, 10.0), [0.999, 1.0]])
def test_bounds_that_enclose_1_are_accepted(clip):
    assert parse_settings(changed("eda.clip", clip)).eda.clip == tuple(float(bound) for bound in clip)


def test_a_probability_may_be_a_whole_number_and_the_sum_may_be_off_by_rounding():
    thirds = {"reflection": 1 / 3, "answer": 1 / 3, "solution": 0.3333334, "hint": 0}
    assert parse_settings(changed("gec.probabilities", thirds)).gec.probabilities[Strategy.ANSWER] == 1 / 3
    block = changed("gec.probabilities", {"reflection": 1, "answer": 0, "solution": 0, "hint": 0})
    block["gec"]["scope"] = "response"
    forced = parse_settings(block)
    assert forced.gec.probabilities[Strategy.REFLECTION] == 1.0


def test_a_missing_block_names_the_option_that_adds_it():
    for read, block in ((parse_settings, None), (read_settings, OmegaConf.create({"trainer": {}}))):
        with pytest.raises(ValueError) as refusal:
            read(block)
        assert str(refusal.value) == (
            "the configuration has no block `edge_grpo:`; add +recipe=edge_grpo to the command line"
        )


def test_references_to_other_keys_of_the_configuration_are_followed():
    config = OmegaConf.create({"data": {"seed": 3}, "edge_grpo": changed("seed", "${data.seed}")})
    assert read_settings(config) == parse_settings(changed("seed", 3))


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


def test_the_schedule_chooses_the_probabilities():
    fixed = parse_settings(GOOD).gec
    assert fixed.strategy_probabilities(group_size=16) == fixed.probabilities
    scheduled = parse_settings(changed("gec.schedule", "2/G")).gec
    assert scheduled.strategy_probabilities(group_size=16)[Strategy.REFLECTION] == 0.75  # 1 - 4/16


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

"""A good `edge_grpo:` block is read as it stands, and reading leaves it alone."""

import copy
import dataclasses

import pytest
from omegaconf import OmegaConf
from support.settings_block import GOOD, changed

from recipe.edge_grpo.settings.block import parse_settings, read_settings
from recipe.edge_grpo.settings.choices import Strategy


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


def test_the_schedule_chooses_the_probabilities():
    fixed = parse_settings(GOOD).gec
    assert fixed.strategy_probabilities(group_size=16) == fixed.probabilities
    scheduled = parse_settings(changed("gec.schedule", "2/G")).gec
    assert scheduled.strategy_probabilities(group_size=16)[Strategy.REFLECTION] == 0.75  # 1 - 4/16

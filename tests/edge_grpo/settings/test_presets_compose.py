"""The shipped YAML files, one by one: nothing redundant, nothing misspelt, everything explained.

"verl's value" of a key is what verl's own `ppo_trainer` composes to without us; for a file with `defaults:` it is what
the recipe named there composes to, and for a profile what +recipe=edge_grpo composes to.
"""

import math
from dataclasses import fields

import pytest
import yaml
from omegaconf import OmegaConf
from support.configurations import CONFIG, flat

from recipe.edge_grpo.settings.comparators import COMPARATOR_KEY, CONSTANTS

FILES = sorted(CONFIG.glob("*/*.yaml"))
FILE_IDS = [f"{path.parent.name}/{path.stem}" for path in FILES]

# Keys that verl reads and its YAML does not list: fields of its dataclasses, or blocks that it hands on as they are.
NOT_IN_VERLS_YAML = (
    "actor_rollout_ref.rollout.agent.agent_loop_manager_class",  # AgentLoopConfig
    "actor_rollout_ref.rollout.enable_sleep_mode",  # RolloutConfig
    "actor_rollout_ref.rollout.engine_kwargs.vllm.",  # handed to vLLM
    "actor_rollout_ref.model.override_config.",  # handed to transformers
    "actor_rollout_ref.actor.fsdp_config.mixed_precision.",  # handed to FSDP's MixedPrecision
    "actor_rollout_ref.ref.fsdp_config.mixed_precision.",
    "ray_kwargs.ray_init.",  # handed to ray.init
    "reward.custom_reward_function.reward_kwargs.",  # handed to the reward function
)


def own_keys(path):
    content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    content.pop("defaults", None)
    return flat(content)


@pytest.fixture
def inherited(compose):
    """inherited(path): the leaves of the configuration that the file is laid over."""

    def leaves(path):
        defaults = OmegaConf.load(path).get("defaults")
        overrides = []
        if path.parent.name == "profile":
            overrides = ["+recipe=edge_grpo"]
        elif defaults is not None:
            overrides = [f"+recipe={defaults[0]}"]
        return flat(OmegaConf.to_container(compose(*overrides), resolve=False))

    return leaves


@pytest.mark.parametrize("path", FILES, ids=FILE_IDS)
def test_every_key_changes_something(path, inherited):
    before = inherited(path)
    redundant = {key: value for key, value in own_keys(path).items() if key in before and before[key] == value}
    assert not redundant, "the same as without this file"


@pytest.mark.parametrize("path", FILES, ids=FILE_IDS)
def test_every_key_is_one_that_verl_or_the_recipe_knows(path, inherited):
    before = inherited(path)
    block = own_keys(CONFIG / "recipe" / "edge_grpo.yaml")
    known_block = {key for key in block if key.startswith("edge_grpo.")}
    known_block |= {f"{COMPARATOR_KEY}.{field.name}" for each in CONSTANTS.values() for field in fields(each)}
    unknown = [
        key
        for key in own_keys(path)
        if key not in before and key not in known_block and not key.startswith(NOT_IN_VERLS_YAML)
    ]
    assert not unknown


@pytest.mark.parametrize("path", FILES, ids=FILE_IDS)
def test_every_value_has_the_type_of_the_value_that_it_replaces(path, inherited):
    """1e-6 without a dot is a text for a plain YAML reader, and "false" in quotes is true."""
    before = inherited(path)
    for key, value in own_keys(path).items():
        replaced = before.get(key)
        is_reference = isinstance(value, str) and value.startswith("${")
        if replaced is None or value is None or is_reference:
            continue
        if isinstance(replaced, int | float) and not isinstance(replaced, bool):
            assert isinstance(value, int | float) and not isinstance(value, bool), key
            assert math.isfinite(value), key
        else:
            assert type(value) is type(replaced), key


@pytest.mark.parametrize("path", FILES, ids=FILE_IDS)
def test_every_file_is_laid_over_the_whole_configuration_and_says_what_it_is_for(path):
    first, second = path.read_text().splitlines()[:2]
    assert first == "# @package _global_"
    assert second.startswith("# ")
    assert len(second) > 40


def test_every_key_of_our_own_block_is_explained_where_it_is_defined():
    """On its line, on the line of a block around it, or by its name in another comment. verl explains verl's keys."""
    path = CONFIG / "recipe" / "edge_grpo.yaml"
    lines = path.read_text().splitlines()
    comments = " ".join(line.partition("# ")[2] for line in lines)

    def unexplained(node, names, is_explained):
        for name_node, value_node in node.value:
            explained_here = is_explained or "  # " in lines[name_node.start_mark.line] or name_node.value in comments
            if isinstance(value_node, yaml.MappingNode):
                yield from unexplained(value_node, [*names, name_node.value], explained_here)
            elif not explained_here:
                yield ".".join([*names, name_node.value])

    (block,) = [value for name, value in yaml.compose(path.read_text()).value if name.value == "edge_grpo"]
    assert list(unexplained(block, ["edge_grpo"], False)) == []


def test_the_block_in_edge_grpo_yaml_is_complete_and_valid():
    from recipe.edge_grpo.settings.block import parse_settings

    block = OmegaConf.to_container(OmegaConf.load(CONFIG / "recipe" / "edge_grpo.yaml"), resolve=False)["edge_grpo"]
    settings = parse_settings(block)
    # the method as the paper states it
    assert {str(name): share for name, share in settings.gec.probabilities.items()} == {
        "reflection": 0.5,
        "answer": 0.25,
        "solution": 0.25,
        "hint": 0.0,
    }
    assert settings.gec.reflection_texts == (" Wait! Something is wrong here.",)
    assert settings.gec.answer_text.replace("{answer}", "7") == (
        "\nWait! Something is wrong here. After verification, the correct answer is \\boxed{7}."
    )
    assert settings.gec.max_new_tokens == 256
    assert settings.eda.enabled and settings.gec.enabled

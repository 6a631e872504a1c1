"""What the laboratory reads of a recipe, and what it refuses with the reason."""

import subprocess
import sys

import pytest
from support.configurations import RECIPES


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_read_as_verl_composes_it(config, compose, name):
    read, composed = config(name), compose(f"+recipe={name}", "+profile=cpu")
    assert read.estimator == composed.algorithm.adv_estimator
    assert read.loss_agg_mode == composed.actor_rollout_ref.actor.loss_agg_mode
    assert read.scale_by_std == composed.algorithm.norm_adv_by_std_in_grpo
    assert read.replaces_equal_groups == composed.algorithm.get("filter_groups", {}).get("enable", False)
    from recipe.edge_grpo.settings.block import read_settings

    assert read.settings == read_settings(composed)


def test_an_override_of_the_block_is_obeyed_and_another_refused(config):
    assert config("edge_grpo", "edge_grpo.gec.scope=group").settings.gec.scope == "group"
    with pytest.raises(ValueError, match=r"data\.seed=1: the laboratory takes overrides of edge_grpo\."):
        config("edge_grpo", "data.seed=1")


@pytest.mark.parametrize(
    ("name", "override", "message"),
    [
        ("grpo", "edge_grpo.eda.enabled=true", "the entropy-driven advantage is the estimator"),
        ("edge_grpo", "edge_grpo.gec.scpoe=group", "did you mean edge_grpo.gec.scope"),
        ("rl_zvp", "edge_grpo.comparator.alpha=-1", "edge_grpo.comparator.alpha=-1 must be a number of at least 0"),
        ("edge_grpo", "edge_grpo.comparator={alpha: 1}", "which has no constants"),
    ],
)
def test_a_bad_setting_names_itself(config, name, override, message):
    with pytest.raises(ValueError, match=message):
        config(name, override)


def test_a_recipe_that_is_not_there_is_told_with_those_that_are(config):
    with pytest.raises(ValueError, match=r"there is no recipe nothing; there are avspo, .*edge_grpo"):
        config("nothing")


@pytest.mark.process
def test_the_laboratory_imports_neither_verl_nor_ray_nor_vllm():
    program = (
        "import sys, recipe.edge_grpo.laboratory.__main__\n"
        "print([name for name in ('verl', 'ray', 'vllm', 'transfer_queue') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

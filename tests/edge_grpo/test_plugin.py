"""What `import verl` makes of the plugin, each in a process of its own: registrations, and how little is imported."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process  # processes of their own, of which one imports verl

# The light question: what is imported by the plugin alone.
LIGHT = """
import json, sys
before = set(sys.modules)
import recipe.edge_grpo.plugin
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""

# The real thing: nothing of ours is named before verl has been imported.
REAL = """
import json, sys
facts = {}
import verl
facts["after_import_verl"] = sorted(sys.modules)
from verl.trainer.ppo.core_algos import get_adv_estimator_fn, get_policy_loss_fn
estimator = get_adv_estimator_fn("edge_grpo")
facts["estimator"] = f"{estimator.__module__}.{estimator.__qualname__}"
policy_loss = get_policy_loss_fn("edge_grpo_shaped")
facts["policy_loss"] = f"{policy_loss.__module__}.{policy_loss.__qualname__}"
facts["trainer_after_core_algos"] = "recipe.edge_grpo.training_step.trainer" in sys.modules
from verl.trainer.ppo.v1 import get_trainer_cls
facts["trainers"] = {
    mode: [f"{cls.__module__}.{cls.__name__}" for cls in get_trainer_cls(mode).__mro__]
    for mode in ("edge_grpo_sync", "edge_grpo_colocate_async", "edge_grpo_separate_async")
}

from hydra import compose, initialize_config_module
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin
import verl.trainer.main_ppo as main_ppo
from recipe.edge_grpo import plugin
from recipe.edge_grpo.run import lifecycle

def num_search_paths():
    return sum(cls.__name__ == "EdgeGRPOSearchPath" for cls in Plugins.instance().discover(SearchPathPlugin))

def validate(config):
    main_ppo.validate_config(config=config, use_reference_policy=False, use_critic=False)

def refusal(config):
    try:
        validate(config)
    except Exception as error:  # verl has several kinds
        return str(error)

sized = ["actor_rollout_ref.actor.use_dynamic_bsz=True", "actor_rollout_ref.rollout.name=vllm"]
not_here = ["data.train_files=hdfs://host/a", "data.val_files=hdfs://host/b", "actor_rollout_ref.model.path=a/model"]
sized += not_here  # which nobody looks for on this machine
with initialize_config_module("verl.trainer.config", version_base=None):
    recipe = compose("ppo_trainer", overrides=["+recipe=edge_grpo", *sized])
    stock = compose("ppo_trainer", overrides=["algorithm.adv_estimator=edge_grpo", *sized])
    stock_with_recipe = recipe.copy()
    stock_with_recipe.trainer.v1.trainer_mode = "sync"
    broken_for_verl = recipe.copy()
    broken_for_verl.actor_rollout_ref.actor.use_dynamic_bsz = False
facts["mode_of_recipe"] = recipe.trainer.v1.trainer_mode
facts["refusals"] = {
    "recipe": refusal(recipe),
    "stock": refusal(stock),
    "stock_with_recipe": refusal(stock_with_recipe),
    "broken_for_verl": refusal(broken_for_verl),
}

def count_checks():
    calls, prepare_driver = [], lifecycle.prepare_driver
    lifecycle.prepare_driver = calls.append
    validate(recipe)
    lifecycle.prepare_driver = prepare_driver
    return len(calls)

facts["once"] = [num_search_paths(), count_checks()]

print("FACTS" + json.dumps(facts))
"""


TRAINER_FIRST = """
import json
import recipe.edge_grpo.training_step.trainer
from verl.trainer.ppo.v1 import get_trainer_cls
print(json.dumps(get_trainer_cls("edge_grpo_sync").__name__))
"""

# Which modules of the plugin's tables have a function or method of ours in them, before and after the driver has
# validated the configuration that the arguments make.
OURS_WITHIN = """
import importlib, inspect, json, sys
import verl
import torch.distributed
from recipe.edge_grpo import plugin

def is_ours(thing):
    code = getattr(thing, "__code__", None)
    return code is not None and "recipe/edge_grpo/verl_patches" in code.co_filename

def modules_with_ours():
    names = {row[0] for row in (*plugin.PATCHES, plugin.REGISTRATION_ON_LOOPBACK)} | {"verl.utils.config", "ray"}
    modules = [importlib.import_module(name) for name in sorted(names)]
    return [
        module.__name__
        for module in modules
        if any(
            is_ours(thing) or (inspect.isclass(thing) and any(map(is_ours, vars(thing).values())))
            for thing in vars(module).values()
        )
    ]

before = modules_with_ours()
from hydra import compose, initialize_config_module
from verl.utils.config import validate_config
with initialize_config_module("verl.trainer.config", version_base=None):
    sized = ["actor_rollout_ref.actor.use_dynamic_bsz=True", "actor_rollout_ref.rollout.name=vllm"]
    not_here = ["data.train_files=hdfs://a/b", "data.val_files=hdfs://a/c", "actor_rollout_ref.model.path=a/model"]
    config = compose("ppo_trainer", overrides=[*sys.argv[1:], "+profile=cpu", *sized, *not_here])
validate_config(config, use_reference_policy=False, use_critic=False)
told = "EDGE_GRPO_RUN" in config.ray_kwargs.ray_init.get("runtime_env", {}).get("env_vars", {})
print(json.dumps([before, modules_with_ours(), told]))
"""

THE_PATCHED = [
    "torch.distributed.rendezvous",
    "verl.experimental.reward_loop.reward_loop",
    "verl.utils.tracking",
    "verl.workers.rollout.vllm_rollout.bucketed_weight_transfer",
]


def run(program, *arguments, **variables):
    hidden = ("VERL_PLATFORM", "VERL_USE_EXTERNAL_MODULES", "EDGE_GRPO_LOOPBACK", "EDGE_GRPO_RUN")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | variables
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1].removeprefix("FACTS"))


@pytest.fixture(scope="module")
def facts():
    return run(REAL)


def test_the_plugin_alone_imports_nothing_heavy():
    imported = set(run(LIGHT))
    assert {"recipe", "wrapt"} <= imported
    assert imported.isdisjoint({"verl", "torch", "hydra", "omegaconf", "ray", "numpy", "transformers"})


def test_import_verl_loads_the_plugin_and_leaves_the_heavy_modules_for_later(facts):
    assert "recipe.edge_grpo.plugin" in facts["after_import_verl"]
    for heavy in (
        "verl.trainer.ppo.v1",
        "recipe.edge_grpo.training_step.trainer",
        "recipe.edge_grpo.correction.rollout",
    ):
        assert heavy not in facts["after_import_verl"]


def test_the_estimators_name_leads_to_our_function_without_loading_the_trainer(facts):
    assert facts["estimator"] == "recipe.edge_grpo.training_step.estimator.edge_grpo_advantage"
    assert not facts["trainer_after_core_algos"]


def test_the_policy_losss_name_leads_to_our_function(facts):
    assert facts["policy_loss"] == "recipe.edge_grpo.training_step.policy_loss.edge_grpo_shaped_loss"


@pytest.mark.parametrize(
    ("mode", "ours", "base"),
    [
        ("edge_grpo_sync", "EdgeGRPOTrainerSync", "PPOTrainerSync"),
        ("edge_grpo_colocate_async", "EdgeGRPOTrainerColocateAsync", "PPOTrainerColocateAsync"),
        ("edge_grpo_separate_async", "EdgeGRPOTrainerSeparateAsync", "PPOTrainerSeparateAsync"),
    ],
)
def test_each_trainer_extends_the_verl_trainer_of_its_mode_and_the_mixin_comes_first(facts, mode, ours, base):
    classes = [name.rpartition(".")[2] for name in facts["trainers"][mode]]
    assert classes[:4] == [ours, "EdgeGRPOMixin", "RunLifecycleMixin", base]
    assert facts["trainers"][mode][0].startswith("recipe.edge_grpo.training_step.trainer.")
    assert facts["trainers"][mode][3].startswith("verl.trainer.ppo.v1.")


def test_the_trainers_register_themselves_when_they_are_imported_before_verl():
    assert run(TRAINER_FIRST) == "EdgeGRPOTrainerSync"


def test_the_recipe_folder_is_on_hydras_search_path(facts):
    assert facts["mode_of_recipe"] == "edge_grpo_sync"


def test_verls_own_validation_accepts_the_recipe_and_still_does_its_own_checks(facts):
    assert facts["refusals"]["recipe"] is None
    assert "ppo_micro_batch_size" in facts["refusals"]["broken_for_verl"]


def test_a_stock_trainer_with_our_estimator_is_refused_by_verls_own_validation(facts):
    assert "+recipe=edge_grpo" in facts["refusals"]["stock"]
    message = facts["refusals"]["stock_with_recipe"]
    assert "algorithm.adv_estimator=edge_grpo with trainer.v1.trainer_mode=sync" in message
    assert "set trainer.v1.trainer_mode=edge_grpo_sync" in message


def test_one_registration_adds_one_search_path_and_one_check(facts):
    assert facts["once"] == [1, 1]


# verl takes vLLM's CPU wheel for no vLLM elsewhere; the platform's own patches are in none of these modules.
ON_CPU = {"VERL_PLATFORM": "cpu"}
WITHOUT_OURS = ("~edge_grpo", "algorithm.adv_estimator=grpo")  # the profile sizes our block too


def test_in_a_run_without_the_recipe_every_function_is_verls_own():
    before, after, told = run(OURS_WITHIN, *WITHOUT_OURS, **ON_CPU)
    # The driver's question whether the run is ours; its answer no puts verl's function back.
    assert before == ["verl.utils.config"]
    assert after == []
    assert not told


@pytest.mark.parametrize(("overrides", "expected"), [((), True), (("edge_grpo.reliability=false",), False)])
def test_the_driver_tells_the_processes_of_a_run_of_ours_unless_switched_off(overrides, expected, tmp_path):
    *_, told = run(OURS_WITHIN, "+recipe=edge_grpo", f"trainer.default_local_dir={tmp_path}", *overrides, **ON_CPU)
    assert told is expected


def test_in_the_processes_of_a_run_of_ours_every_patch_of_the_table_acts():
    before, *_ = run(OURS_WITHIN, *WITHOUT_OURS, EDGE_GRPO_RUN="1", EDGE_GRPO_LOOPBACK="1", **ON_CPU)
    assert [name for name in before if name != "verl.utils.config"] == THE_PATCHED


def test_torchs_stores_are_their_own_where_the_driver_has_not_decided_for_loopback():
    before, *_ = run(OURS_WITHIN, *WITHOUT_OURS, EDGE_GRPO_RUN="1", EDGE_GRPO_LOOPBACK="0", **ON_CPU)
    assert "torch.distributed.rendezvous" not in before

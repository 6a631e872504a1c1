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
    validate_config = sys.modules["verl.utils.config"].validate_config
    validate_config(recipe, use_reference_policy=False, use_critic=False)
    lifecycle.prepare_driver = prepare_driver
    return len(calls)

facts["once"] = [num_search_paths(), count_checks()]

import inspect
import torch.distributed
from verl.experimental.reward_loop import reward_loop

def is_ours(function):
    return inspect.unwrap(function) is not function

facts["patched"] = {
    "reward_worker": is_ours(reward_loop.RewardLoopWorker._init_reward_fn),
    "stores": is_ours(sys.modules["torch.distributed.rendezvous"].TCPStore),
}
print("FACTS" + json.dumps(facts))
"""


TRAINER_FIRST = """
import json
import recipe.edge_grpo.training_step.trainer
from verl.trainer.ppo.v1 import get_trainer_cls
print(json.dumps(get_trainer_cls("edge_grpo_sync").__name__))
"""

# Of all that, whether torch's stores are ours: this and no more is up to EDGE_GRPO_LOOPBACK.
STORES = """
import inspect, json, sys
import verl
import torch.distributed
store = sys.modules["torch.distributed.rendezvous"].TCPStore
print(json.dumps(inspect.unwrap(store) is not store))
"""


def run(program, **variables):
    hidden = ("VERL_PLATFORM", "VERL_USE_EXTERNAL_MODULES", "EDGE_GRPO_LOOPBACK")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | variables
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, env=environment)
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


def test_verls_reward_worker_is_patched_wherever_verl_is_imported(facts):
    assert facts["patched"]["reward_worker"]


@pytest.mark.parametrize(("switch", "expected"), [("1", True), ("0", False)])
def test_torchs_stores_are_patched_where_the_driver_has_decided_so(facts, switch, expected):
    assert facts["patched"]["stores"] is False  # of a process that nobody has told
    assert run(STORES, EDGE_GRPO_LOOPBACK=switch) is expected


def test_the_profile_on_the_command_line_selects_the_cpu_platform(monkeypatch):
    """The platform itself is replaced here; tests/edge_grpo/cpu runs it."""
    import wrapt

    from recipe.edge_grpo import cpu, plugin
    from recipe.edge_grpo.verl_patches import accelerator

    registered = []
    monkeypatch.setattr(wrapt, "register_post_import_hook", lambda hook, name: None)
    monkeypatch.setattr(accelerator, "register", lambda: None)
    monkeypatch.setattr(cpu, "register", lambda: registered.append(os.environ.get("VERL_PLATFORM")))

    def register(arguments, platform):
        registered.clear()
        monkeypatch.setenv("VERL_PLATFORM", "")
        if platform is None:
            monkeypatch.delenv("VERL_PLATFORM")
        else:
            monkeypatch.setenv("VERL_PLATFORM", platform)
        monkeypatch.setattr(sys, "argv", ["main_ppo", *arguments])
        plugin.register()
        return list(registered)

    assert register(["+recipe=edge_grpo", "+profile=cpu"], None) == ["cpu"]
    assert register(["+recipe=edge_grpo", "+profile=cpu_separate"], None) == ["cpu"]
    assert register([], "cpu") == ["cpu"]
    assert register([], " CPU ") == [" CPU "]  # verl reads it so, too
    assert register(["+recipe=edge_grpo"], None) == []
    assert register(["+profile=cpu"], "nvidia") == []  # what the user has set stays

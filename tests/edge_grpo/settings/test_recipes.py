"""What ships: every recipe and profile composes, passes the checks, and differs from the method as its name says."""

import pytest
from omegaconf import OmegaConf
from support.configurations import PROFILES, RECIPES, VLLM, flat

from recipe.edge_grpo.run.config_checks import check_config
from recipe.edge_grpo.settings.block import read_settings


def changes(before, after):
    """{key: value after} for each leaf that differs."""
    before, after = (flat(OmegaConf.to_container(config, resolve=False)) for config in (before, after))
    return {key: after.get(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


RIVALS = ("dr_grpo", "dapo", "ngrpo", "avspo", "egpo", "rl_zvp", "entropy_shaped")


def test_every_recipe_of_the_public_contract_ships():
    assert set(RECIPES) == {
        "edge_grpo",
        "eda_only",
        "gec_only",
        "hint_only",
        "forced_reflection",
        "forced_reflection_eda",
        "grpo",
        "edge_grpo_paper",
        "edge_grpo_contrast",
        "edge_grpo_plus",
        "dapo_edge",
        "luffy",
        *RIVALS,
    }
    assert "cpu" in PROFILES


# Hydra takes half a second for each. Profiles hold hardware and model only, so two recipes are enough with them; each
# recipe is trained with the profile cpu in test_presets.py and test_end_to_end.py.
COMBINATIONS = [(name, None) for name in RECIPES]
COMBINATIONS += [(name, profile) for name in ("edge_grpo", "edge_grpo_paper") for profile in PROFILES]


@pytest.mark.process
@pytest.mark.parametrize(("name", "profile"), COMBINATIONS)
def test_recipes_and_profiles_pass_together(compose, name, profile):
    config = compose(f"+recipe={name}", *([VLLM] if profile is None else [f"+profile={profile}"]))
    check_config(config)
    OmegaConf.resolve(config)  # as verl's task runner does: every reference leads somewhere


@pytest.mark.slow
@pytest.mark.parametrize(("name", "profile"), COMBINATIONS)
def test_no_recipe_and_no_profile_trusts_code_that_comes_with_a_model(compose, name, profile):
    config = compose(f"+recipe={name}", *([] if profile is None else [f"+profile={profile}"]))
    asked = {
        key: value
        for key, value in flat(OmegaConf.to_container(config, resolve=False)).items()
        if key.endswith("trust_remote_code")
    }
    assert asked["actor_rollout_ref.model.trust_remote_code"] is False
    # the others repeat it, or have no model of their own
    assert {value for value in asked.values() if "${" not in str(value)} <= {False, None}


GRPO = {"algorithm.adv_estimator": "grpo", "edge_grpo.eda.enabled": False}
NO_CORRECTION = {"edge_grpo.gec.enabled": False}
ALWAYS_REFLECT = {
    "edge_grpo.gec.probabilities.reflection": 1.0,
    "edge_grpo.gec.probabilities.answer": 0.0,
    "edge_grpo.gec.probabilities.solution": 0.0,
}


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_differs_from_the_baseline_in_its_advantage_loss_and_choice_of_groups_only(compose, name):
    allowed = (
        "algorithm.",
        "edge_grpo.comparator",
        "actor_rollout_ref.actor.clip_ratio_",
        "actor_rollout_ref.actor.loss_",
    )
    different = changes(compose("+recipe=grpo"), compose(f"+recipe={name}"))
    assert different and all(key.startswith(allowed) for key in different)


def test_luffy_is_dr_grpo_with_a_solution_in_every_group_and_its_loss(compose):
    assert changes(compose("+recipe=dr_grpo"), compose("+recipe=luffy")) == {
        "edge_grpo.gec.enabled": True,
        "edge_grpo.gec.scope": "group",
        "edge_grpo.gec.solution_in_every_group": True,
        "edge_grpo.gec.probabilities.reflection": 0.0,
        "edge_grpo.gec.probabilities.answer": 0.0,
        "edge_grpo.gec.probabilities.solution": 1.0,
        "edge_grpo.gec.injected_loss": "shaped",
        "actor_rollout_ref.actor.policy_loss.loss_mode": "edge_grpo_shaped",
    }


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("eda_only", NO_CORRECTION),
        ("gec_only", GRPO),
        ("grpo", GRPO | NO_CORRECTION),
        ("forced_reflection", GRPO | ALWAYS_REFLECT),
        ("forced_reflection_eda", ALWAYS_REFLECT),
        ("edge_grpo_contrast", {"edge_grpo.gec.scope": "group"}),
        (
            "edge_grpo_plus",
            {
                "edge_grpo.gec.scope": "group",
                "edge_grpo.gec.failed_prefix_loss.answer": "mask",
                "edge_grpo.gec.failed_prefix_loss.reflection": "mask",
            },
        ),
        ("dapo_edge", {"algorithm.filter_groups.enable": True}),
    ],
)
def test_an_ablation_differs_from_the_method_in_what_its_name_says_and_nothing_else(compose, name, difference):
    assert changes(compose("+recipe=edge_grpo"), compose(f"+recipe={name}")) == difference


def first_pass_sampling(config):
    """What decides how the policy samples before anything is corrected."""
    rollout, settings = config.actor_rollout_ref.rollout, read_settings(config)
    names = ("temperature", "top_p", "top_k", "n", "response_length", "prompt_length", "max_model_len")
    return {
        **{name: rollout[name] for name in names},
        "manager": rollout.agent.agent_loop_manager_class,
        "bound": settings.gec.first_pass_max_tokens,
        "seeds": (settings.seeds_responses, settings.seed),
    }


# The paper's recipe has the authors' own setting.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "profile"),
    [
        *((name, None) for name in sorted(set(RECIPES) - {"edge_grpo", "edge_grpo_paper"})),
        *(("grpo", profile) for profile in PROFILES),
    ],
)
def test_every_recipe_samples_the_first_pass_as_the_method_does(compose, name, profile):
    overrides = [VLLM] if profile is None else [f"+profile={profile}"]
    method, other = (compose(f"+recipe={recipe}", *overrides) for recipe in ("edge_grpo", name))
    assert first_pass_sampling(other) == first_pass_sampling(method)
    assert first_pass_sampling(other)["bound"] is not None


def test_the_paper_recipe_is_the_authors_setting(compose):
    config = compose("+recipe=edge_grpo_paper")
    actor, rollout, settings = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout, read_settings(config)
    # reference: the authors' train_grpo.sh and grpo_config.py. One prompt of 8 responses per optimiser step.
    assert (config.data.train_batch_size, actor.ppo_mini_batch_size, rollout.n) == (1, 1, 8)
    assert (actor.optim.lr, actor.optim.weight_decay, actor.optim.clip_grad) == (1e-6, 0.0, 1.0)
    assert (rollout.temperature, rollout.top_p, rollout.top_k) == (0.6, 1.0, -1)
    assert (actor.use_kl_loss, config.algorithm.use_kl_in_reward, actor.entropy_coeff) == (False, False, 0)
    assert (actor.clip_ratio, config.trainer.total_epochs) == (0.2, 1)
    assert settings.eda.clip is None
    assert (settings.gec.first_pass_max_tokens, settings.gec.max_new_tokens) == (1024, 256)
    # the paper's two rewards
    assert config.reward.custom_reward_function.reward_kwargs == {"accuracy_weight": 1.0, "format_weight": 1.0}
    # prompts of less than 256 tokens are corrected
    assert settings.gec.max_prompt_tokens == 255
    # the first pass, either text and the continuation fit
    assert config.data.max_response_length >= 1024 + 8 + 256


def test_the_first_pass_of_the_cpu_profile_leaves_room_for_a_correction(compose):
    config = compose("+recipe=edge_grpo", "+profile=cpu")
    gec = read_settings(config).gec
    assert gec.first_pass_max_tokens + gec.max_new_tokens < config.actor_rollout_ref.rollout.response_length


def test_values_after_the_recipe_win(compose):
    config = compose(
        "+recipe=edge_grpo", VLLM, "edge_grpo.gec.max_new_tokens=17", "edge_grpo.eda.clip=null", through_hydra=True
    )
    check_config(config)
    assert (read_settings(config).gec.max_new_tokens, read_settings(config).eda.clip) == (17, None)

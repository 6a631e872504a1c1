"""Start-up checks on real compositions of verl's configuration: what ships passes, what cannot work is refused."""

import importlib.util
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import recipe.edge_grpo
from recipe.edge_grpo.names import AGENT_LOOP_MANAGER, TRAINER_MODES
from recipe.edge_grpo.run import lifecycle
from recipe.edge_grpo.run.config_checks import check_config
from recipe.edge_grpo.run.lifecycle import prepare_driver
from recipe.edge_grpo.settings.block import read_settings

# verl has no default for the engine that samples.
VLLM = "actor_rollout_ref.rollout.name=vllm"

CONFIG = Path(recipe.edge_grpo.__file__).parent / "config"
RECIPES = sorted(path.stem for path in (CONFIG / "recipe").glob("*.yaml"))
PROFILES = sorted(path.stem for path in (CONFIG / "profile").glob("*.yaml"))


def leaves(config):
    def visit(block, prefix):
        for name, value in block.items():
            if isinstance(value, dict) and value:
                yield from visit(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    return dict(visit(OmegaConf.to_container(config, resolve=False), ""))


def changes(before, after):
    """{key: value after} for each leaf that differs."""
    before, after = leaves(before), leaves(after)
    return {key: after.get(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def refusal(config):
    with pytest.raises(ValueError) as refused:
        check_config(config)
    return str(refused.value)


@pytest.fixture
def at_start(monkeypatch):
    """What the driver does at its start, in order; loopback, the last words and SIGTERM are only noted."""
    calls = []
    monkeypatch.setattr(lifecycle, "keep_to_loopback", lambda config: calls.append(("loopback", config)))
    monkeypatch.setattr(lifecycle, "print_failure_at_exit", lambda folder: calls.append(("last words", folder)))
    monkeypatch.setattr(lifecycle, "stop_on_sigterm", lambda folder: calls.append(("SIGTERM", folder)))
    return calls


def test_every_recipe_of_the_public_contract_ships():
    assert set(RECIPES) == {
        "edge_grpo",
        "eda_only",
        "gec_only",
        "forced_reflection",
        "forced_reflection_eda",
        "grpo",
        "edge_grpo_paper",
        "edge_grpo_contrast",
        "dapo_edge",
    }
    assert "cpu" in PROFILES


# Hydra takes half a second for each. Profiles hold hardware and model only, so two recipes are enough with them; each
# recipe is trained with the profile cpu in test_presets.py and test_end_to_end.py.
COMBINATIONS = [(name, None) for name in RECIPES]
COMBINATIONS += [(name, profile) for name in ("edge_grpo", "edge_grpo_paper") for profile in PROFILES]


@pytest.mark.parametrize(("name", "profile"), COMBINATIONS)
def test_recipes_and_profiles_pass_together(compose, name, profile):
    config = compose(f"+recipe={name}", *([VLLM] if profile is None else [f"+profile={profile}"]))
    check_config(config)
    OmegaConf.resolve(config)  # as verl's task runner does: every reference leads somewhere


@pytest.mark.parametrize(("name", "profile"), COMBINATIONS)
def test_no_recipe_and_no_profile_trusts_code_that_comes_with_a_model(compose, name, profile):
    config = compose(f"+recipe={name}", *([] if profile is None else [f"+profile={profile}"]))
    asked = {key: value for key, value in leaves(config).items() if key.endswith("trust_remote_code")}
    assert asked["actor_rollout_ref.model.trust_remote_code"] is False
    # the others repeat it, or have no model of their own
    assert {value for value in asked.values() if "${" not in str(value)} <= {False, None}


@pytest.mark.filterwarnings("ignore:Disabled critic")
@pytest.mark.parametrize("name", ["edge_grpo", "edge_grpo_paper", "grpo"])
def test_verl_builds_no_critic_and_accepts_each_recipe(compose, at_start, name):
    from verl.trainer.ppo.utils import need_critic
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    # verl asks for a micro-batch size otherwise, which belongs to the hardware
    config = compose(f"+recipe={name}", VLLM, "actor_rollout_ref.actor.use_dynamic_bsz=True")
    assert not need_critic(config)
    validate_config(config, use_reference_policy=False, use_critic=False)
    rollout = omega_conf_to_dataclass(config.actor_rollout_ref.rollout)
    assert rollout.n == 8
    assert rollout.agent.agent_loop_manager_class == AGENT_LOOP_MANAGER


def test_the_cpu_profile_is_accepted_by_verl(compose, at_start):
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    config = compose("+recipe=edge_grpo", "+profile=cpu")
    validate_config(config, use_reference_policy=False, use_critic=False)
    assert omega_conf_to_dataclass(config.actor_rollout_ref.rollout).enable_sleep_mode is False


GRPO = {"algorithm.adv_estimator": "grpo", "edge_grpo.eda.enabled": False}
NO_CORRECTION = {"edge_grpo.gec.enabled": False}
ALWAYS_REFLECT = {
    "edge_grpo.gec.probabilities.reflection": 1.0,
    "edge_grpo.gec.probabilities.answer": 0.0,
    "edge_grpo.gec.probabilities.solution": 0.0,
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
        ("dapo_edge", {"algorithm.filter_groups.enable": True}),
    ],
)
def test_an_ablation_differs_from_the_method_in_what_its_name_says_and_nothing_else(compose, name, difference):
    assert changes(compose("+recipe=edge_grpo"), compose(f"+recipe={name}")) == difference


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


def test_a_configuration_that_asks_for_nothing_of_ours_is_left_alone(compose):
    check_config(compose())
    check_config(compose("trainer.use_v1=False", "algorithm.adv_estimator=grpo"))


def test_the_estimator_without_the_recipe_is_refused(compose):
    assert "+recipe=edge_grpo" in refusal(compose("algorithm.adv_estimator=edge_grpo"))


def test_a_bad_setting_is_refused_with_its_key(compose):
    assert "edge_grpo.gec.max_new_tokens=0" in refusal(compose("+recipe=edge_grpo", "edge_grpo.gec.max_new_tokens=0"))


LOG_PROBS = "actor_rollout_ref.rollout.calculate_log_probs=True"
SAMPLED_ENTROPY = ["edge_grpo.eda.entropy=sampled", "edge_grpo.eda.tokens=sampled", LOG_PROBS]
SHAPED = ["edge_grpo.gec.injected_loss=shaped", "actor_rollout_ref.actor.policy_loss.loss_mode=edge_grpo_shaped"]

# (overrides after +recipe=…, what the message must contain: key and value, then the fix)
REFUSED = [
    ("edge_grpo", ["trainer.use_v1=False"], ["trainer.use_v1=False", "set trainer.use_v1=True"]),
    (
        "edge_grpo",
        ["trainer.v1.trainer_mode=synchronous"],
        ["trainer.v1.trainer_mode=synchronous", "edge_grpo_sync, edge_grpo_colocate_async, edge_grpo_separate_async"],
    ),
    *(
        (
            "edge_grpo",
            [f"trainer.v1.trainer_mode={base}"],
            ["algorithm.adv_estimator=edge_grpo", f"trainer_mode={base}", f"set trainer.v1.trainer_mode={ours}"],
        )
        for ours, base in TRAINER_MODES.items()
    ),
    (
        "edge_grpo",
        ["edge_grpo.eda.enabled=False"],
        ["edge_grpo.eda.enabled=False", "algorithm.adv_estimator=edge_grpo", "+recipe=grpo"],
    ),
    (
        "grpo",
        ["edge_grpo.eda.enabled=True"],
        ["edge_grpo.eda.enabled=True", "algorithm.adv_estimator=grpo", "+recipe=edge_grpo"],
    ),
    (
        "edge_grpo",
        ["algorithm.adv_estimator=gae"],
        ["edge_grpo.eda.enabled=True", "algorithm.adv_estimator=gae", "+recipe=edge_grpo"],
    ),
    (
        "edge_grpo",
        ["algorithm.rollout_correction.bypass_mode=True"],
        ["algorithm.rollout_correction.bypass_mode=True", "bypass_mode=False, or edge_grpo.eda.entropy=sampled"],
    ),
    (
        "eda_only",
        ["edge_grpo.eda.entropy=sampled", "actor_rollout_ref.rollout.calculate_log_probs=False"],
        ["edge_grpo.eda.entropy=sampled", "set actor_rollout_ref.rollout.calculate_log_probs=True"],
    ),
    (
        "edge_grpo",
        ["edge_grpo.eda.entropy=sampled", LOG_PROBS],
        ["edge_grpo.eda.entropy=sampled", "edge_grpo.eda.tokens=response", "set edge_grpo.eda.tokens=sampled"],
    ),
    *(
        (
            "edge_grpo",
            [*SAMPLED_ENTROPY, "algorithm.rollout_correction.bypass_mode=True", *overrides],
            ["bypass_mode=True", f"edge_grpo.gec.injected_loss={name}", "set edge_grpo.gec.injected_loss=mask"],
        )
        for name, overrides in (
            ("train", []),
            ("weight", ["edge_grpo.gec.injected_loss=weight", "edge_grpo.gec.injected_weight=0.5"]),
            ("shaped", SHAPED),
        )
    ),
    (
        "edge_grpo",
        ["edge_grpo.gec.injected_loss=shaped"],
        ["edge_grpo.gec.injected_loss=shaped", "policy_loss.loss_mode=vanilla", "edge_grpo_shaped; set both"],
    ),
    *(
        (
            "gec_only",
            [f"edge_grpo.gec.injected_loss={injected_loss}", SHAPED[1]],
            [f"edge_grpo.gec.injected_loss={injected_loss}", "policy_loss.loss_mode=edge_grpo_shaped", "or neither"],
        )
        for injected_loss in ("mask", "train")
    ),
    (
        "edge_grpo",
        [*SHAPED, "distillation.enabled=True"],
        ["distillation.enabled=True", "edge_grpo.gec.injected_loss=shaped"],
    ),
    (
        "edge_grpo",
        ["edge_grpo.gec.schedule=2/G", "actor_rollout_ref.rollout.n=3"],
        ["edge_grpo.gec.schedule=2/G", "actor_rollout_ref.rollout.n=3", "at least 4", "schedule=fixed"],
    ),
    (
        "gec_only",
        ["actor_rollout_ref.rollout.agent.agent_loop_manager_class=some.other.Manager"],
        ["agent_loop_manager_class=some.other.Manager", f"set it to {AGENT_LOOP_MANAGER}"],
    ),
    (
        "gec_only",
        ["actor_rollout_ref.rollout.agent.agent_loop_manager_class=null"],
        ["edge_grpo.gec.enabled=True", "agent_loop_manager_class=None", f"set it to {AGENT_LOOP_MANAGER}"],
    ),
    (
        "gec_only",
        ["trainer.v1.trainer_mode=sync"],
        ["edge_grpo.gec.enabled=True", "trainer.v1.trainer_mode=edge_grpo_sync"],
    ),
    (
        "edge_grpo",
        ["reward.reward_model.enable=True", "reward.reward_model.enable_resource_pool=False"],
        ["reward.reward_model.enable=True", "enable_resource_pool=False", "its own resource pool", "gec.enabled=False"],
    ),
    (
        "gec_only",
        ["actor_rollout_ref.rollout.enable_rollout_routing_replay=True"],
        ["enable_rollout_routing_replay=True", "set it to False", "edge_grpo.gec.enabled=False"],
    ),
    (
        "edge_grpo",
        ["edge_grpo.gec.first_pass_max_tokens=513", "data.max_response_length=512"],
        ["edge_grpo.gec.first_pass_max_tokens=513", "data.max_response_length=512"],
    ),
]


@pytest.mark.parametrize(
    ("name", "overrides", "parts"), REFUSED, ids=[f"{name} {' '.join(overrides)}" for name, overrides, _ in REFUSED]
)
def test_what_cannot_work_is_refused_with_key_value_and_fix(compose, name, overrides, parts):
    message = refusal(compose(f"+recipe={name}", *overrides))
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        # correction off: nothing that only correction needs is asked for
        ("grpo", ["trainer.v1.trainer_mode=sync"]),
        ("eda_only", ["actor_rollout_ref.rollout.agent.agent_loop_manager_class=some.other.Manager"]),
        ("eda_only", ["reward.reward_model.enable=True", "reward.reward_model.enable_resource_pool=False"]),
        ("edge_grpo", ["reward.reward_model.enable=True", "reward.reward_model.enable_resource_pool=True"]),
        ("edge_grpo", ["trainer.v1.trainer_mode=edge_grpo_colocate_async"]),
        ("edge_grpo", ["trainer.v1.trainer_mode=edge_grpo_separate_async"]),
        ("edge_grpo", ["edge_grpo.gec.first_pass_max_tokens=512", "data.max_response_length=512"]),
        ("edge_grpo", SHAPED),
        ("edge_grpo", SAMPLED_ENTROPY),
        ("eda_only", ["edge_grpo.eda.entropy=sampled", LOG_PROBS]),  # nothing is injected
        (
            "edge_grpo",
            [
                *SAMPLED_ENTROPY,
                "algorithm.rollout_correction.bypass_mode=True",
                "edge_grpo.gec.injected_loss=mask",
            ],
        ),
        ("edge_grpo", ["edge_grpo.gec.schedule=2/G", "actor_rollout_ref.rollout.n=4"]),
    ],
)
def test_what_can_work_is_not_refused(compose, name, overrides):
    check_config(compose(f"+recipe={name}", VLLM, *overrides))


def test_an_engine_that_is_not_chosen_is_refused_with_its_key_and_a_choice(compose):
    message = refusal(compose("+recipe=edge_grpo", "actor_rollout_ref.rollout.name=???"))
    assert "actor_rollout_ref.rollout.name" in message
    assert "vllm" in message


def test_a_missing_vllm_is_refused_with_the_command_that_installs_it(compose, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "vllm" else find_spec(name))
    message = refusal(compose("+recipe=edge_grpo", VLLM))
    assert "actor_rollout_ref.rollout.name=vllm" in message
    assert "make install" in message and "pip install .[gpu]" in message
    check_config(compose("+recipe=edge_grpo", "actor_rollout_ref.rollout.name=sglang"))


def test_at_the_start_of_a_run_all_is_arranged_once(compose, at_start, tmp_path):
    config = compose("+recipe=edge_grpo", VLLM, f"trainer.default_local_dir={tmp_path}")
    prepare_driver(config)
    assert [name for name, _ in at_start] == ["loopback", "last words", "SIGTERM"]
    assert [argument for _, argument in at_start[1:]] == [str(tmp_path)] * 2
    assert at_start[0][1] is config


@pytest.mark.parametrize("key", ["train_files", "val_files"])
def test_a_damaged_data_file_is_refused_at_the_start_with_its_key(compose, at_start, tmp_path, key):
    (tmp_path / "problems.parquet").write_bytes(b"PAR1")
    config = compose("+recipe=edge_grpo", VLLM, f"data.{key}={tmp_path}/problems.parquet")
    with pytest.raises(ValueError, match=rf"data\.{key}: {tmp_path}/problems\.parquet is damaged"):
        prepare_driver(config)
    assert at_start == []  # nothing is left behind of a start that is refused


def test_a_bad_configuration_is_refused_before_data_is_looked_at(compose, at_start, tmp_path):
    (tmp_path / "problems.parquet").write_bytes(b"PAR1")
    config = compose("+recipe=edge_grpo", "trainer.use_v1=False", f"data.train_files={tmp_path}/problems.parquet")
    with pytest.raises(ValueError, match="trainer.use_v1=False"):
        prepare_driver(config)


def test_a_run_that_asks_for_nothing_of_ours_starts_as_verl_has_it(compose, at_start, tmp_path):
    (tmp_path / "problems.parquet").write_bytes(b"PAR1")
    prepare_driver(compose(f"data.train_files={tmp_path}/problems.parquet"))
    assert at_start == []

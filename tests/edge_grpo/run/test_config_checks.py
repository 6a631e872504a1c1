"""Start-up checks on real compositions of verl's configuration: what cannot work is refused, what can is not."""

import pytest
from omegaconf import open_dict
from support.configurations import PROFILES, VLLM

from recipe.edge_grpo.names import AGENT_LOOP_MANAGER, TRAINER_MODES
from recipe.edge_grpo.run.config_checks import check_config, check_nodes


def refusal(config):
    with pytest.raises(ValueError) as refused:
        check_config(config)
    return str(refused.value)


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

OTHER_MANAGER = "actor_rollout_ref.rollout.agent.agent_loop_manager_class=some.other.Manager"

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
        "luffy",
        ["actor_rollout_ref.rollout.n=1"],
        ["edge_grpo.gec.solution_in_every_group=True", "actor_rollout_ref.rollout.n=1", "raise it or set"],
    ),
    (
        "luffy",
        ["edge_grpo.gec.injected_loss=train"],
        ["edge_grpo.gec.injected_loss=train", "policy_loss.loss_mode=edge_grpo_shaped", "or neither"],
    ),
    (
        "gec_only",
        [OTHER_MANAGER],
        ["agent_loop_manager_class=some.other.Manager", f"set it to {AGENT_LOOP_MANAGER}"],
    ),
    (
        "gec_only",
        ["actor_rollout_ref.rollout.agent.agent_loop_manager_class=null"],
        ["edge_grpo.gec.enabled=True", "agent_loop_manager_class=None", f"set it to {AGENT_LOOP_MANAGER}"],
    ),
    (
        "grpo",
        [OTHER_MANAGER],
        ["edge_grpo.gec.first_pass_max_tokens=2560", "some.other.Manager", "first_pass_max_tokens=null"],
    ),
    (
        "eda_only",
        [OTHER_MANAGER, "edge_grpo.gec.first_pass_max_tokens=null"],
        ["edge_grpo.seeds_responses=True", "some.other.Manager", "edge_grpo.seeds_responses=False"],
    ),
    *(
        (
            name,
            ["actor_rollout_ref.rollout.full_determinism=True"],
            ["actor_rollout_ref.rollout.full_determinism=True", "set it to False", "edge_grpo.seeds_responses=True"],
        )
        for name in ("edge_grpo", "grpo")
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
        "gec_only",
        ["algorithm.adv_estimator=reinforce_plus_plus", "edge_grpo.gec.injected_loss=mask"],
        [
            "injected_loss=mask with algorithm.adv_estimator=reinforce_plus_plus",
            "set edge_grpo.gec.injected_loss=train",
        ],
    ),
    (
        "grpo",
        ["algorithm.adv_estimator=remax"],
        ["algorithm.adv_estimator=remax", "verl's V1 trainer", "use one of grpo, edge_grpo"],
    ),
    (
        "edge_grpo",
        ["edge_grpo.gec.first_pass_max_tokens=513", "data.max_response_length=512"],
        ["edge_grpo.gec.first_pass_max_tokens=513", "data.max_response_length=512"],
    ),
    (
        "grpo",
        ["data.max_response_length=512"],
        ["edge_grpo.gec.first_pass_max_tokens=2560", "data.max_response_length=512"],
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
        ("eda_only", [OTHER_MANAGER, "edge_grpo.gec.first_pass_max_tokens=null", "edge_grpo.seeds_responses=False"]),
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
        ("gec_only", ["algorithm.adv_estimator=rloo", "edge_grpo.gec.injected_loss=mask"]),
        ("gec_only", ["algorithm.adv_estimator=gae"]),
        ("grpo", ["algorithm.adv_estimator=gae", "edge_grpo.gec.injected_loss=mask"]),  # nothing is injected
    ],
)
def test_what_can_work_is_not_refused(compose, name, overrides):
    check_config(compose(f"+recipe={name}", VLLM, *overrides))


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_megatron_with_a_profile_is_refused_until_its_strategy_is_set(compose, profile):
    chosen = [f"+profile={profile}", "+recipe=edge_grpo", "model_engine=megatron"]
    message = refusal(compose(*chosen, through_hydra=True))
    assert "actor_rollout_ref.actor.strategy=fsdp2" in message
    assert "McoreActorConfig" in message
    assert "set actor_rollout_ref.actor.strategy=megatron" in message
    strategies = ("actor_rollout_ref.actor.strategy=megatron", "critic.strategy=megatron")
    check_config(compose(*chosen, *strategies, VLLM, through_hydra=True))


def test_megatron_for_the_actor_alone_is_refused(compose):
    one = "actor@actor_rollout_ref.actor=megatron_actor"
    message = refusal(compose("+recipe=edge_grpo", one, through_hydra=True))
    assert "actor_rollout_ref.ref.strategy=megatron" in message
    assert "FSDPActorConfig" in message


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dp", "megatron", "veomni", "torchtitan"])
def test_each_training_engine_of_verl_is_accepted_as_verl_composes_it(compose, engine):
    check_config(compose("+recipe=edge_grpo", f"model_engine={engine}", VLLM, through_hydra=True))


@pytest.fixture
def no_ray(monkeypatch, tmp_path):
    """No cluster to join: neither by its address nor on this node."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    return tmp_path / "ray" / "ray_current_cluster"


def test_several_nodes_without_a_cluster_are_refused(compose, no_ray):
    check_nodes(compose("+recipe=edge_grpo"))
    with pytest.raises(ValueError) as refused:
        check_nodes(compose("+recipe=edge_grpo", "trainer.nnodes=2"))
    assert "trainer.nnodes=2" in str(refused.value)
    assert "ray_kwargs.ray_init.address=HOST:PORT or RAY_ADDRESS" in str(refused.value)


def test_several_nodes_may_join_a_cluster_by_address_or_on_this_node(compose, no_ray, monkeypatch):
    config = compose("+recipe=edge_grpo", "trainer.nnodes=2")
    with open_dict(config):
        config.ray_kwargs.ray_init.address = "10.0.0.1:6379"
    check_nodes(config)
    config = compose("+recipe=edge_grpo", "trainer.nnodes=2")
    no_ray.parent.mkdir()
    no_ray.touch()
    check_nodes(config)
    no_ray.unlink()
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    check_nodes(config)

"""What needs an accelerator is refused before Ray starts, by key, value and fix; what does not is not."""

import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.cpu.start_checks import check_engines, check_start
from recipe.edge_grpo.run.config_checks import check_config

CPU = ("+recipe=edge_grpo", "+profile=cpu")

# (overrides, what the message must contain: key and value, then the fix)
REFUSED = [
    *(
        (
            [f"actor_rollout_ref.rollout.name={name}"],
            [f"rollout.name={name}", "set actor_rollout_ref.rollout.name=vllm"],
        )
        for name in ("sglang", "hf", "trtllm")
    ),
    *(
        (
            [f"actor_rollout_ref.actor.strategy={strategy}"],
            [f"actor_rollout_ref.actor.strategy={strategy}", "set actor_rollout_ref.actor.strategy=fsdp2"],
        )
        for strategy in ("fsdp", "megatron")
    ),
    (["algorithm.adv_estimator=gae"], ["algorithm.adv_estimator=gae", "set algorithm.adv_estimator=grpo"]),
    (["critic.enable=true"], ["critic.enable=True", "critic.enable=null"]),
]


@pytest.mark.parametrize(("overrides", "parts"), REFUSED, ids=[" ".join(overrides) for overrides, _ in REFUSED])
def test_what_needs_an_accelerator_is_refused_with_key_value_and_fix(compose, overrides, parts):
    config = compose("+recipe=gec_only", "+profile=cpu", *overrides)
    with pytest.raises(ValueError) as refused:
        check_start(config)
    for part in ("VERL_PLATFORM=cpu", *parts):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["actor_rollout_ref.actor.use_kl_loss=true", "algorithm.use_kl_in_reward=true"],
        ["algorithm.adv_estimator=reinforce_plus_plus", "edge_grpo.eda.enabled=false"],
        ["algorithm.adv_estimator=gae", "edge_grpo.eda.enabled=false", "critic.enable=false"],
        ["actor_rollout_ref.model.lora_rank=8"],
        ["trainer.n_gpus_per_node=2"],
    ],
)
def test_what_runs_on_the_cpu_is_not_refused(compose, monkeypatch, overrides):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    config = compose(*CPU, *overrides)
    check_config(config)
    check_start(config)


def test_verl_still_builds_a_critic_by_this_rule(compose):
    """Fails when verl changes when it needs a critic, or how it loads one."""
    import inspect

    from verl.trainer.ppo.utils import need_critic
    from verl.utils.model import load_valuehead_model

    for estimator in ("gae", "grpo"):
        for enable in (None, True, False):
            config = compose(*CPU, f"algorithm.adv_estimator={estimator}")
            OmegaConf.update(config, "critic.enable", enable)
            try:
                check_engines(config)
                is_refused = False
            except ValueError:
                is_refused = True
            assert is_refused == need_critic(config)
    assert inspect.getsource(load_valuehead_model).count('attn_implementation="flash_attention_2"') == 2

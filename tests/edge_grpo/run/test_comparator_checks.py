"""Start-up checks of rival estimators, on real compositions: what would take away what they act on is refused."""

import pytest
from omegaconf import open_dict
from support.configurations import VLLM

from recipe.edge_grpo.run.config_checks import check_config
from recipe.edge_grpo.settings.comparators import CONSTANTS

FILTER = "algorithm.filter_groups.enable=true"
KL = "algorithm.use_kl_in_reward=true"
SAMPLED = ["edge_grpo.eda.entropy=sampled", "actor_rollout_ref.rollout.calculate_log_probs=True"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CONSTANTS, "dr_grpo", "dapo"])
@pytest.mark.parametrize("corrects", [False, True])
def test_every_comparator_starts_with_and_without_error_correction(compose, name, corrects):
    check_config(compose(f"+recipe={name}", VLLM, f"edge_grpo.gec.enabled={corrects}"))


@pytest.mark.slow
@pytest.mark.parametrize("name", CONSTANTS)
def test_masked_injected_text_keeps_its_reward(compose, name):
    check_config(compose(f"+recipe={name}", VLLM, "edge_grpo.gec.enabled=True", "edge_grpo.gec.injected_loss=mask"))


REFUSED = [
    *(
        (name, [FILTER], ["filter_groups.enable=True", f"adv_estimator={name}", "set it to False"])
        for name in ("ngrpo", "avspo", "egpo", "rl_zvp")
    ),
    *(
        (name, [KL], ["use_kl_in_reward=True", f"adv_estimator={name}", "set it to False"])
        for name in ("ngrpo", "avspo", "egpo", "rl_zvp")
    ),
    *(
        (name, SAMPLED, ["eda.entropy=sampled", f"adv_estimator={name}", "set edge_grpo.eda.entropy=exact"])
        for name in ("rl_zvp", "entropy_shaped")
    ),
    *(
        (name, ["algorithm.norm_adv_by_std_in_grpo=False"], ["norm_adv_by_std_in_grpo=False", f"adv_estimator={name}"])
        for name in CONSTANTS
    ),
    *(
        (name, ["trainer.v1.trainer_mode=sync"], [f"adv_estimator={name}", "trainer_mode=edge_grpo_sync"])
        for name in CONSTANTS
    ),
    ("ngrpo", ["edge_grpo.eda.enabled=True"], ["edge_grpo.eda.enabled=True", "adv_estimator=ngrpo"]),
    ("grpo", ["algorithm.adv_estimator=ngrpo"], ["adv_estimator=ngrpo and no edge_grpo.comparator", "+recipe=ngrpo"]),
    ("ngrpo", ["algorithm.adv_estimator=grpo"], ["edge_grpo.comparator=", "adv_estimator=grpo, which has no const"]),
    ("ngrpo", ["algorithm.adv_estimator=rl_zvp"], ["unknown key edge_grpo.comparator."]),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "overrides", "parts"), REFUSED, ids=[f"{name} {' '.join(overrides)}" for name, overrides, _ in REFUSED]
)
def test_what_would_take_away_what_it_acts_on_is_refused(compose, name, overrides, parts):
    with pytest.raises(ValueError) as refused:
        check_config(compose(f"+recipe={name}", VLLM, *overrides))
    for part in parts:
        assert part in str(refused.value)


@pytest.fixture
def weighted(compose):
    """weighted(recipe, weights, *overrides): a configuration with weights of the reward, which verl has no key for."""

    def weighted(name, weights, *overrides):
        config = compose(f"+recipe={name}", VLLM, *overrides)
        with open_dict(config):
            config.reward.custom_reward_function.reward_kwargs = weights
        return config

    return weighted


@pytest.mark.parametrize("name", ["egpo", "rl_zvp"])
def test_a_format_reward_that_would_make_a_wrong_response_count_as_right_is_refused(weighted, name):
    check_config(weighted(name, {"format_weight": 0.0}))
    with pytest.raises(ValueError, match=rf"reward_kwargs\.format_weight=0\.5 with .*={name}, .*set it to 0$"):
        check_config(weighted(name, {"format_weight": 0.5}))


@pytest.mark.parametrize("name", ["ngrpo", "avspo"])
@pytest.mark.parametrize(("weights", "highest"), [({"accuracy_weight": 2.0}, 2), ({"format_weight": 0.5}, 1.5)])
def test_a_highest_reward_that_no_response_gets_is_refused_with_the_one_that_it_does(weighted, name, weights, highest):
    with pytest.raises(ValueError, match=rf"comparator\.max_reward=1\.0 with .*={name} .*set it to {highest}, what"):
        check_config(weighted(name, weights))
    check_config(weighted(name, weights, f"edge_grpo.comparator.max_reward={highest}"))


@pytest.mark.parametrize("name", CONSTANTS)
def test_nothing_is_asked_of_the_weights_of_another_reward(weighted, name):
    check_config(weighted(name, {"format_weight": 0.5}, "reward.custom_reward_function.path=/a/reward.py"))


def test_the_shaped_advantage_goes_with_a_filter_and_a_penalty(compose):
    check_config(compose("+recipe=entropy_shaped", VLLM, FILTER, KL))


def test_without_the_block_the_estimator_is_refused_with_the_recipe(compose):
    with pytest.raises(ValueError, match=r"no block `edge_grpo:`"):
        check_config(compose("algorithm.adv_estimator=ngrpo"))

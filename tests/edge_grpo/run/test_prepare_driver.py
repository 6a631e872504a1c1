"""What the driver does before it starts Ray, on real compositions of verl's configuration."""

import pytest
from support.configurations import VLLM

from recipe.edge_grpo.names import AGENT_LOOP_MANAGER
from recipe.edge_grpo.run import lifecycle
from recipe.edge_grpo.run.lifecycle import prepare_driver

NOT_HERE = ("data.train_files=hdfs://host/a", "data.val_files=hdfs://host/b", "actor_rollout_ref.model.path=a/model")


@pytest.fixture
def at_start(monkeypatch):
    """What the driver does at its start, in order; loopback, the last words and SIGTERM are only noted."""
    calls = []
    monkeypatch.setattr(lifecycle, "keep_to_loopback", lambda config: calls.append(("loopback", config)))
    monkeypatch.setattr(lifecycle, "print_failure_at_exit", lambda folder: calls.append(("last words", folder)))
    monkeypatch.setattr(lifecycle, "stop_on_sigterm", lambda folder: calls.append(("SIGTERM", folder)))
    return calls


@pytest.mark.filterwarnings("ignore:Disabled critic")
@pytest.mark.parametrize("name", ["edge_grpo", "edge_grpo_paper", "grpo"])
def test_verl_builds_no_critic_and_accepts_each_recipe(compose, at_start, name):
    from verl.trainer.ppo.utils import need_critic
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    # verl asks for a micro-batch size otherwise, which belongs to the hardware
    config = compose(f"+recipe={name}", VLLM, "actor_rollout_ref.actor.use_dynamic_bsz=True", *NOT_HERE)
    assert not need_critic(config)
    validate_config(config, use_reference_policy=False, use_critic=False)
    rollout = omega_conf_to_dataclass(config.actor_rollout_ref.rollout)
    assert rollout.n == 8
    assert rollout.agent.agent_loop_manager_class == AGENT_LOOP_MANAGER


def test_the_cpu_profile_is_accepted_by_verl(compose, at_start):
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    config = compose("+recipe=edge_grpo", "+profile=cpu", *NOT_HERE)
    validate_config(config, use_reference_policy=False, use_critic=False)
    assert omega_conf_to_dataclass(config.actor_rollout_ref.rollout).enable_sleep_mode is False


def test_at_the_start_of_a_run_all_is_arranged_once(compose, at_start, tmp_path):
    config = compose("+recipe=edge_grpo", VLLM, *NOT_HERE, f"trainer.default_local_dir={tmp_path}")
    prepare_driver(config)
    assert [name for name, _ in at_start] == ["loopback", "last words", "SIGTERM"]
    assert [argument for _, argument in at_start[1:]] == [str(tmp_path)] * 2
    assert at_start[0][1] is config


@pytest.mark.parametrize("key", ["train_files", "val_files"])
def test_a_damaged_data_file_is_refused_at_the_start_with_its_key(compose, at_start, tmp_path, key):
    (tmp_path / "problems.parquet").write_bytes(b"PAR1")
    config = compose("+recipe=edge_grpo", VLLM, *NOT_HERE, f"data.{key}={tmp_path}/problems.parquet")
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


def test_switched_off_the_driver_checks_and_arranges_nothing(compose, at_start, tmp_path):
    switched_off = ("+recipe=edge_grpo", VLLM, *NOT_HERE, "edge_grpo.reliability=false")
    prepare_driver(compose(*switched_off))
    assert at_start == []
    (tmp_path / "problems.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="is damaged"):
        prepare_driver(compose(*switched_off, f"data.train_files={tmp_path}/problems.parquet"))

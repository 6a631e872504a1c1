"""What the mixin does beside verl's asynchronous trainers; tests/edge_grpo/test_async_trainers.py runs them."""

import inspect
import types

import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


def manager(*addresses, engine="vllm"):
    config = types.SimpleNamespace(name=engine)
    replicas = [types.SimpleNamespace(server_address=address, config=config) for address in addresses]
    return types.SimpleNamespace(get_replicas=lambda: replicas)


@pytest.fixture
def separate(monkeypatch, tmp_path, compose):
    """separate(beside_training, standalone, stall_seconds): a trainer without workers whose watchdogs only say so."""
    from verl.trainer.ppo.v1 import PPOTrainerSeparateAsync

    from recipe.edge_grpo.run import lifecycle
    from recipe.edge_grpo.settings.block import read_settings
    from recipe.edge_grpo.training_step import trainer

    calls = []

    class Watchdog(lifecycle.Watchdog):
        def start(self):
            calls.append("watchdog")

        def stop(self):
            calls.append("stopped")

    monkeypatch.setattr(lifecycle, "Watchdog", Watchdog)
    monkeypatch.setattr(PPOTrainerSeparateAsync, "on_init_end", lambda self: calls.append("first weights"))
    monkeypatch.setattr(PPOTrainerSeparateAsync, "fit", lambda self, manager: manager())

    def build(beside_training=(), standalone=("b:1",), stall_seconds=60):
        stall = f"edge_grpo.stall_seconds={'null' if stall_seconds is None else stall_seconds}"
        config = compose("+recipe=edge_grpo", f"trainer.default_local_dir={tmp_path}", stall)
        built = object.__new__(trainer.EdgeGRPOTrainerSeparateAsync)
        built.config, built.edge_grpo_settings, built.calls, built.global_steps = (
            config,
            read_settings(config),
            calls,
            0,
        )
        names = ("partitions", "pending_keys", "running_keys", "finished_keys", "failure_keys")
        built.replay_buffer = types.SimpleNamespace(**{name: {} for name in names})
        built.llm_server_manager = manager(*beside_training)
        built.standalone_server_manager = manager(*standalone)
        return built

    return build


@pytest.mark.parametrize(
    ("beside_training", "standalone"), [((), ("b:1",)), (("a:1",), ("b:1",)), (("a:1", "a:2"), ("b:1", "b:2"))]
)
def test_the_servers_outside_the_training_processes_are_watched_too(separate, beside_training, standalone):
    built = separate(beside_training, standalone)
    built.on_init_end()
    servers, _, _ = (watchdog.find_fault for watchdog in built.watchdogs)
    assert list(servers.num_failures) == built.vllm_addresses == [*beside_training, *standalone]


@pytest.mark.parametrize("engine", ["sglang", "trtllm"])
def test_a_server_of_another_engine_is_not_asked_for_its_health(separate, engine):
    """Healthy, it may not answer while verl pauses it: such a run was ended."""
    built = separate()
    built.llm_server_manager = built.standalone_server_manager = manager("b:1", engine=engine)
    built.on_init_end()
    servers, _, _ = (watchdog.find_fault for watchdog in built.watchdogs)
    assert servers.num_failures == {}
    assert built.vllm_addresses == []


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
def test_a_replica_of_verls_knows_its_engine(compose, engine):
    """Fails when verl changes there."""
    from verl.workers.rollout.replica import RolloutReplica

    from recipe.edge_grpo.run.dead_servers import addresses_of_vllm

    class Replica(RolloutReplica):
        async def launch_servers(self):
            pass

    config = compose("+recipe=edge_grpo", f"actor_rollout_ref.rollout.name={engine}")
    replica = Replica(replica_rank=0, config=config.actor_rollout_ref.rollout, model_config=None)
    replica._server_address = "a:1"
    servers = types.SimpleNamespace(get_replicas=lambda: [replica])
    assert addresses_of_vllm([servers]) == (["a:1"] if engine == "vllm" else [])


def test_all_is_watched_from_before_the_first_transfer_of_weights(separate):
    built = separate()
    built.on_init_end()
    servers, actors, progress = built.watchdogs
    assert type(servers.find_fault).__name__ == "VLLMHealth"
    assert actors.find_fault.__name__ == "find_dead_actor_of_this_process"
    assert (type(progress.find_fault).__name__, progress.find_fault.limit_seconds) == ("Stall", 60)
    assert built.calls == ["watchdog"] * 3 + ["first weights"]


def test_without_a_limit_progress_is_not_watched(separate):
    built = separate(stall_seconds=None)
    built.on_init_end()
    assert len(built.watchdogs) == 2


def test_the_fault_that_a_watchdog_finds_is_left_in_the_run_folder(separate, monkeypatch, tmp_path):
    from recipe.edge_grpo.run import failure_report

    ended = []
    monkeypatch.setattr(failure_report.os, "_exit", ended.append)
    monkeypatch.setattr(failure_report.time, "sleep", lambda _: None)
    built = separate()
    built.on_init_end()
    built.watchdogs[0].end_run("the server is dead")
    assert ended == [1]
    assert (tmp_path / failure_report.FAILURE_FILE).read_text() == "the server is dead"


@pytest.mark.parametrize("is_failing", [False, True])
def test_the_watchdogs_stop_with_the_run_and_an_error_of_it_is_explained(separate, monkeypatch, tmp_path, is_failing):
    from recipe.edge_grpo.run import dead_actors, failure_report
    from recipe.edge_grpo.verl_patches.file_logger import PATH_VARIABLE

    monkeypatch.setenv(PATH_VARIABLE, "")  # so that monkeypatch restores it after the code under test has set it
    monkeypatch.delenv(PATH_VARIABLE)
    built = separate()
    built.on_init_end()
    built.calls.clear()

    def fit():
        built.calls.append("fit")
        if is_failing:
            raise KeyError("groups without responses")

    monkeypatch.setattr(dead_actors, "find_dead_actor_of_this_process", lambda: "the reward worker is dead")
    if is_failing:
        with pytest.raises(RuntimeError, match="EDGE-GRPO: the reward worker is dead"):
            built.fit(fit)
        assert (tmp_path / failure_report.FAILURE_FILE).read_text() == "the reward worker is dead"
    else:
        built.fit(fit)
        assert not (tmp_path / failure_report.FAILURE_FILE).exists()
    assert built.calls == ["fit"] + ["stopped"] * 3


def test_the_asynchronous_replay_buffer_waits_as_long_as_the_mixin_tells_it():
    """Fails when verl changes there."""
    from verl.trainer.ppo.v1.replay_buffer import ReplayBufferAsync

    assert "poll_interval" in inspect.signature(ReplayBufferAsync.__init__).parameters
    assert "time.sleep(self.poll_interval)" in inspect.getsource(ReplayBufferAsync._wait_for_next_poll)
    assert "self._wait_for_next_poll(" in inspect.getsource(ReplayBufferAsync.wait_for_sampleable)

"""What the mixin does beside verl's asynchronous trainers; tests/edge_grpo/test_async_trainers.py runs them."""

import inspect
import types

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def manager(*addresses):
    replicas = [types.SimpleNamespace(server_address=address) for address in addresses]
    return types.SimpleNamespace(get_replicas=lambda: replicas)


@pytest.mark.parametrize(
    ("beside_training", "standalone"), [((), ("b:1",)), (("a:1",), ("b:1",)), (("a:1", "a:2"), ("b:1", "b:2"))]
)
def test_the_servers_outside_the_training_processes_are_watched_too(monkeypatch, beside_training, standalone):
    from verl.trainer.ppo.v1 import PPOTrainerSeparateAsync

    from recipe.edge_grpo import lifecycle, trainer

    watched, calls = [], []
    watchdog = types.SimpleNamespace(start=lambda: calls.append("watchdog"))
    monkeypatch.setattr(lifecycle, "VLLMWatchdog", lambda addresses: watched.extend(addresses) or watchdog)
    monkeypatch.setattr(PPOTrainerSeparateAsync, "on_init_end", lambda self: calls.append("first weights"))
    separate = object.__new__(trainer.EdgeGRPOTrainerSeparateAsync)
    separate.llm_server_manager = manager(*beside_training)
    separate.standalone_server_manager = manager(*standalone)
    separate.on_init_end()
    assert watched == separate.vllm_addresses == [*beside_training, *standalone]
    assert calls == ["watchdog", "first weights"]  # a server that dies during the first transfer is noticed


def test_the_asynchronous_replay_buffer_waits_as_long_as_the_mixin_tells_it():
    """Fails when verl changes there."""
    from verl.trainer.ppo.v1.replay_buffer import ReplayBufferAsync

    assert "poll_interval" in inspect.signature(ReplayBufferAsync.__init__).parameters
    assert "time.sleep(self.poll_interval)" in inspect.getsource(ReplayBufferAsync._wait_for_next_poll)
    assert "self._wait_for_next_poll(" in inspect.getsource(ReplayBufferAsync.wait_for_sampleable)

"""What the trainer's mixin takes for granted of verl's trainer."""

import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


def test_verls_trainer_still_stores_and_fetches_what_the_mixin_stands_on():
    """Fails when verl changes there."""
    import inspect

    from verl.trainer.ppo.v1 import PPOTrainerSync

    assert list(inspect.signature(PPOTrainerSync._compute_advantage).parameters) == ["self", "batch", "metrics"]
    assert list(inspect.signature(PPOTrainerSync._compute_old_log_prob).parameters) == ["self", "batch", "metrics"]
    assert 'select("old_log_probs", "entropy")' in inspect.getsource(PPOTrainerSync._compute_old_log_prob)
    assert '"entropy"' not in inspect.getsource(PPOTrainerSync._compute_advantage)  # else the mixin is not needed


@pytest.mark.parametrize("name", ["edge_grpo", "grpo"])
def test_verl_balances_a_batch_that_is_in_the_order_of_its_prompts(build, store, table, monkeypatch, name):
    from verl.trainer.ppo.v1 import PPOTrainerSync

    given = {}

    def balance(trainer, batch, metrics, **others):
        given.update(keys=list(batch.keys), tags=list(batch.tags), metrics=metrics, others=others)
        return batch

    monkeypatch.setattr(PPOTrainerSync, "_balance_batch", balance)
    batch, metrics = store(), {}
    tags = dict(zip(batch.keys, batch.tags, strict=True))
    assert build(name)._balance_batch(batch, metrics=metrics, keep_minibatch=True) is batch
    expected = ["a_0_0", "a_1_0", "a_2_0", "b_0_0", "b_1_0", "c_0_0", "d_0_0", "d_1_0"]  # index: the letter of the uid
    assert given["keys"] == expected != [row.key for row in table]
    assert given["tags"] == [tags[key] for key in expected]
    assert given["metrics"] is metrics and given["others"] == {"keep_minibatch": True}


def test_verl_still_balances_between_sampling_and_its_first_pass():
    """Where the rows are put in order: nothing before that depends on it. Fails when verl changes there."""
    import inspect

    from verl.trainer.ppo.v1 import PPOTrainerColocateAsync, PPOTrainerSeparateAsync, PPOTrainerSync
    from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

    for trainer in (PPOTrainerSync, PPOTrainerColocateAsync, PPOTrainerSeparateAsync):
        source = inspect.getsource(trainer._step_once)
        assert source.index("replay_buffer.sample(") < source.index("_balance_batch(")
        assert source.index("_balance_batch(") < source.index("_compute_old_log_prob(")
    assert "sorted" not in inspect.getsource(ReplayBuffer._materialize_batch)

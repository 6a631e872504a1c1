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

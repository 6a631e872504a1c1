"""Settings that verl documents and no V1 trainer reads are refused, by key and default."""

from pathlib import Path

import pytest

from recipe.edge_grpo.run.config_checks import PASSED_OVER, check_config

PASSED_OVER_SET = [
    ("trainer.esi_redundant_time", 60, 0),
    ("actor_rollout_ref.rollout.over_sample_rate", 0.2, 0),
    ("actor_rollout_ref.rollout.multi_turn.num_repeat_rollouts", 4, "null"),
    ("data.return_raw_input_ids", True, False),
]


@pytest.mark.parametrize(("key", "value", "default"), PASSED_OVER_SET, ids=[key for key, *_ in PASSED_OVER_SET])
def test_what_no_v1_trainer_reads_is_refused(compose, key, value, default):
    with pytest.raises(ValueError) as refused:
        check_config(compose("+recipe=edge_grpo", f"{key}={value}"))
    assert f"{key}={value}: verl's V1 trainers pass over it; leave it at {default}" in str(refused.value)


def test_no_v1_trainer_reads_these_still():
    """Fails when verl begins to read one of them; its old trainer and its experiments do."""
    import verl

    folder = Path(verl.__file__).parent
    elsewhere = ("ppo/ray_trainer.py", "experimental", "trainer/config", "workers/config/rollout.py")
    files = [path for path in folder.rglob("*.py") if not any(part in str(path) for part in elsewhere)]
    for key in PASSED_OVER:
        name = key.rpartition(".")[2]
        assert [path for path in files if name in path.read_text(encoding="utf-8")] == []

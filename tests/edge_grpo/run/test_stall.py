"""A run that makes no progress is found, and what counts as progress of verl's trainers."""

import types
from collections import defaultdict

import pytest

from recipe.edge_grpo.run.stall import Stall, progress_of_trainer

LIMIT = 100.0


class Run:
    """A run whose progress and clock are set by hand, and the search for its stall."""

    def __init__(self):
        self.progress, self.now = 0, 5.0
        self.stall = Stall(lambda: self.progress, LIMIT, clock=lambda: self.now)

    def look(self, seconds_later, progress):
        self.now += seconds_later
        self.progress = progress
        return self.stall()


@pytest.fixture
def run():
    return Run()


def test_a_run_that_stands_still_is_found_after_the_limit_and_told_with_its_key(run):
    assert run.look(99.0, progress=0) is None
    message = run.look(1.0, progress=0)
    assert "for 100 s (edge_grpo.stall_seconds)" in message
    assert "resumes from the last checkpoint" in message


def test_a_run_that_gets_on_is_never_found(run):
    assert [run.look(40.0, progress=step) for step in range(1, 30)] == [None] * 29


def test_the_time_counts_from_the_last_progress(run):
    run.look(90.0, progress=1)
    assert run.look(1.0, progress=1) is None
    assert run.look(99.0, progress=1) is None
    assert "for 100 s" in run.look(1.0, progress=1)


def test_a_list_that_verl_is_just_filling_is_no_progress(run):
    """Whenever it looks for finished groups, verl empties its lists and fills them again."""
    for number in range(9):
        assert run.look(10.0, progress=-number if number % 2 else 0) is None
    assert run.look(10.0, progress=0) is not None


@pytest.fixture
def trainer():
    """What `progress_of_trainer` reads of a trainer, as it is before the first step."""
    names = ("partitions", "pending_keys", "running_keys", "finished_keys", "failure_keys")
    buffer = types.SimpleNamespace(**{name: defaultdict(set) for name in names})
    return types.SimpleNamespace(replay_buffer=buffer, global_steps=0)


def step_begins(trainer):
    trainer.global_steps += 1


def part_of_the_step_ends(trainer):
    trainer.timing_raw = {"gen": 1.0}


def stored(name, partition):
    def put(trainer):
        getattr(trainer.replay_buffer, name)[partition].add("key")

    return put


@pytest.mark.parametrize(
    "change",
    [
        step_begins,
        part_of_the_step_ends,
        stored("partitions", "train"),  # a response
        stored("partitions", "val"),
        stored("pending_keys", "train"),
        stored("running_keys", "train"),
        stored("finished_keys", "val"),
        stored("failure_keys", "train"),
    ],
)
def test_each_change_of_the_trainer_is_progress(trainer, change):
    before = progress_of_trainer(trainer)
    assert progress_of_trainer(trainer) == before
    change(trainer)
    assert progress_of_trainer(trainer) != before


def test_a_sampler_of_the_users_without_verls_lists_is_looked_at_by_steps():
    trainer = types.SimpleNamespace(replay_buffer=object(), global_steps=3, timing_raw={})
    before = progress_of_trainer(trainer)
    trainer.timing_raw["gen"] = 1.0
    assert progress_of_trainer(trainer) != before


def test_looking_leaves_verls_lists_as_they_are(trainer):
    progress_of_trainer(trainer)
    assert not any(vars(trainer.replay_buffer).values())


@pytest.mark.process
def test_verls_trainers_and_replay_buffers_still_have_what_is_read():
    """Fails when verl changes there."""
    import inspect

    from omegaconf import OmegaConf
    from verl.trainer.ppo.v1 import PPOTrainerSync
    from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer, ReplayBufferAsync

    for buffer_class in (ReplayBuffer, ReplayBufferAsync):
        buffer = buffer_class(
            trainer_mode="sync",
            trainer_config=OmegaConf.create({}),
            max_off_policy_threshold=1,
            max_off_policy_strategy="drop",
            sampler_kwargs=OmegaConf.create({}),
        )
        trainer = types.SimpleNamespace(replay_buffer=buffer, global_steps=3, timing_raw={"gen": 1.0})
        assert progress_of_trainer(trainer)[:2] == (3, 1)
    source = inspect.getsource(inspect.getmodule(PPOTrainerSync.__mro__[1]))
    assert "self.replay_buffer = " in source and 'partition_id="train"' in source and 'partition_id="val"' in source
    fit = inspect.getsource(PPOTrainerSync.fit)
    assert "self.timing_raw = {}" in fit and "self.step(metrics, self.timing_raw)" in fit
    assert "self.global_steps += 1" in fit

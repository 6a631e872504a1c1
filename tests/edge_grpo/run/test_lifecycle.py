"""The course of a run, on a trainer that only notes what reaches it."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from recipe.edge_grpo.run import lifecycle
from recipe.edge_grpo.run.lifecycle import RunLifecycleMixin

HOOKS = ["init", "on_init_end", "fit", "on_step_end", "_save_checkpoint", "_load_checkpoint"]


class VerlsTrainer:
    """Stands for verl's trainer: notes which of its methods are called, and whether `fit` would validate first."""

    def __init__(self):
        self.calls = []

    def fit(self, agent_loop_manager):
        self.calls.append(("fit", self.config.trainer.val_before_train))


for _name in set(HOOKS) - {"fit"}:
    setattr(VerlsTrainer, _name, lambda self, _name=_name: self.calls.append((_name,)))


class Trainer(RunLifecycleMixin, VerlsTrainer):
    pass


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """Of a run that was resumed from step 3 and has no servers to ask."""
    monkeypatch.delenv("VERL_FILE_LOGGER_PATH", raising=False)
    monkeypatch.setattr(lifecycle, "log_metrics_below_run_folder", lambda *_, **__: None)
    trainer = Trainer()
    trainer.edge_grpo_settings = SimpleNamespace(reliability=True, stall_seconds=None)
    trainer.config = OmegaConf.create(
        {"trainer": {"default_local_dir": str(tmp_path), "val_before_train": True, "val_only": False}}
    )
    trainer.global_steps, trainer.watchdogs, trainer.vllm_addresses = 3, [], []
    return trainer


def test_a_resumed_run_does_not_validate_the_step_of_its_checkpoint_again(trainer):
    trainer.fit(None)
    assert trainer.calls == [("fit", False)]


def test_a_run_leaves_its_configuration_in_its_folder_before_verl_loads_anything(trainer, tmp_path, monkeypatch):
    left = []
    monkeypatch.setattr(VerlsTrainer, "init", lambda self: left.append((tmp_path / "config.yaml").read_text()))
    trainer.init()
    assert OmegaConf.create(left[0]) == trainer.config
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_run_that_shall_only_validate_does_so_with_a_checkpoint_too(trainer):
    trainer.config.trainer.val_only = True
    trainer.fit(None)
    assert trainer.calls == [("fit", True)]


def test_switched_off_every_method_is_verls_own(trainer):
    trainer.edge_grpo_settings.reliability = False
    for name in HOOKS:
        getattr(trainer, name)(*([None] if name == "fit" else []))
    assert trainer.calls == [("fit", True) if name == "fit" else (name,) for name in HOOKS]
    assert not list(Path(trainer.run_folder).iterdir())


def test_the_switch_covers_every_method_of_verls_that_the_mixin_takes_over():
    looks_at_data = {"_init_dataloader"}  # a check, which stays
    own = {"run_folder", "_watchdogs"}
    overridden = {name for name, thing in vars(RunLifecycleMixin).items() if callable(thing)} - own
    assert overridden - looks_at_data == set(HOOKS)

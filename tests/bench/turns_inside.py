"""What makes a run of verl take turns: loaded into each of its processes by VERL_USE_EXTERNAL_MODULES, so it is light.

Where the trainer and the agent-loop worker are imported, they are told to ask the plan whose turn a step is.
"""

import functools
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import wrapt


@functools.cache
def read_plan() -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(Path(os.environ["BENCH_TURNS"]).read_text())
    return plan


def turn_of(step: int) -> tuple[int, dict[str, Any]]:
    """Return the round of a step, counted from 1, and its way."""
    number, name = read_plan()["turns"][step - 1]
    return number, read_plan()["ways"][name]


def settings_of_turn(way: dict[str, Any]) -> Any:
    from recipe.edge_grpo.settings.block import parse_settings

    return parse_settings(way["edge_grpo"])


def change_trainer(trainer: ModuleType) -> None:
    """Let each step of the trainer begin with the settings of its way."""
    original = trainer.EdgeGRPOMixin.step

    def step(self: Any, *args: Any) -> Any:
        from omegaconf import open_dict

        _, way = turn_of(self.global_steps)
        self.edge_grpo_settings = settings_of_turn(way)
        with open_dict(self.config):
            self.config.algorithm.update(way["algorithm"])
        return original(self, *args)

    trainer.EdgeGRPOMixin.step = step  # type: ignore[attr-defined]


def change_worker(rollout: ModuleType) -> None:
    """Put the worker that takes turns in the place of the recipe's, where the manager looks for it."""
    if "turns_worker" not in sys.modules:  # else that is what imports the recipe's worker, in a process of its own
        from turns_worker import TurnsWorker

        rollout.EdgeGRPOAgentLoopWorker = TurnsWorker  # type: ignore[attr-defined]


wrapt.register_post_import_hook(change_trainer, "recipe.edge_grpo.training_step.trainer")
wrapt.register_post_import_hook(change_worker, "recipe.edge_grpo.correction.rollout")

"""verl's own GRPO, where the plugin is installed and where it is not: nothing is changed that is not asked for."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import support.training_runs
from support.training_runs import Run

pytestmark = [pytest.mark.run, pytest.mark.timeout(900)]

STOCK = [
    "algorithm.adv_estimator=grpo",
    *("+profile=cpu", "~edge_grpo"),  # the profile sizes our block too, and has resolvers of the plugin
    *("actor_rollout_ref.actor.ppo_max_token_len_per_gpu=8192", "critic.ppo_max_token_len_per_gpu=8192"),
    "actor_rollout_ref.rollout.engine_kwargs.vllm.distributed_executor_backend=mp",  # as verl has it
    *("actor_rollout_ref.rollout.max_model_len=256", "actor_rollout_ref.rollout.max_num_batched_tokens=4096"),
    *("trainer.total_training_steps=1", "trainer.val_before_train=false", "trainer.test_freq=-1"),
    *("trainer.save_freq=-1", "trainer.logger=[console,file]"),
    *("actor_rollout_ref.rollout.name=vllm", "actor_rollout_ref.rollout.n=4"),
    *("actor_rollout_ref.actor.ppo_mini_batch_size=8", "actor_rollout_ref.actor.use_dynamic_bsz=true"),
    "reward.custom_reward_function.path=pkg://reward_fns.math_reward",
]
WITHOUT_PLUGIN = {
    "VERL_USE_EXTERNAL_PLUGINS": "none",
    "VERL_USE_EXTERNAL_MODULES": "support.cpu_platform_alone",
    "VERL_PLATFORM": "cpu",
    "PYTHONPATH": os.pathsep.join(
        [str(Path(support.training_runs.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    ),
}


@pytest.fixture
def train(start_run: Callable[..., Any], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """train(*overrides, **variables): what a stock run of one step leaves; each call takes the same folder."""

    def train(*overrides: str, **variables: str) -> dict[str, Any]:
        folder = tmp_path / "run"
        variables = {"VERL_FILE_LOGGER_PATH": str(folder / "metrics.jsonl"), **variables}
        run: Run = start_run(folder, *STOCK, *overrides, variables=variables).finished()
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        return {
            "lines": [(line["step"], sorted(line["data"])) for line in lines],
            "files": sorted(path.name for path in folder.iterdir()),
            "names us": "EDGE-GRPO" in run.log(),
        }

    return train


def test_a_stock_run_is_the_same_with_the_plugin_and_without_also_when_it_is_started_again(
    train: Callable[..., dict[str, Any]],
) -> None:
    without = train("hydra.searchpath=[pkg://recipe.edge_grpo.config]", **WITHOUT_PLUGIN)
    assert [step for step, _ in without["lines"]] == [1]
    assert not without["names us"]
    assert train() == without  # verl's file logger starts afresh where there is a file already

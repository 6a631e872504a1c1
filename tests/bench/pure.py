"""What the pure functions cost: the advantage against verl's estimators, each rival against ours, the mean entropy."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measures import Row, Skipped, ratios
from response_entropy import response_entropy_row

GROUP_SIZE, NUM_TOKENS = 8, 16
QUICK_SIZES, FULL_SIZES = (1_024, 65_536), (1_024, 16_384, 65_536, 262_144, 1_048_576)
PART = "Pure functions"


def measure(folder: Path, is_quick: bool) -> list[Row | Skipped]:
    """Measure in this process; returns the rows."""
    torch.set_num_threads(1)  # what threads wait for one another depends on the rest of the machine
    rows: list[Row | Skipped] = []
    for num_responses in QUICK_SIZES if is_quick else FULL_SIZES:
        rows += advantage_rows(num_responses, num_pairs=5 if num_responses < 100_000 else 3)
    rows += comparator_rows(65_536, num_pairs=7)
    return [*rows, response_entropy_row(num_pairs=5)]


def batch_of(num_responses: int) -> dict[str, Any]:
    """Return what verl hands to an estimator, and the entropy of each token."""
    generator = torch.Generator().manual_seed(0)
    rewards = torch.zeros(num_responses, NUM_TOKENS)
    rewards[:, -1] = torch.randint(0, 2, (num_responses,), generator=generator).float()
    return {
        "rewards": rewards,
        "mask": torch.ones(num_responses, NUM_TOKENS),
        "entropy": torch.rand(num_responses, NUM_TOKENS, generator=generator),
        "names": np.array([f"prompt-{row // GROUP_SIZE}" for row in range(num_responses)], dtype=object),
    }


def ours_of(batch: dict[str, Any]) -> Callable[[], None]:
    """Return the whole entropy-driven advantage as verl calls it, the grouping by names included."""
    from recipe.edge_grpo.advantage import entropy_ratio, mean_response_entropy
    from recipe.edge_grpo.training_step.estimator import edge_grpo_advantage, entropy_ratio_for_estimator, group_numbers

    def ours() -> None:
        entropy = mean_response_entropy(batch["entropy"], batch["mask"])
        with entropy_ratio_for_estimator(entropy_ratio(entropy, group_numbers(batch["names"]), (0.1, 10.0))):
            edge_grpo_advantage(batch["rewards"], batch["mask"], batch["names"])

    return ours


def advantage_rows(num_responses: int, num_pairs: int) -> list[Row]:
    """Ours, with the entropy scaling, against verl's GRPO without, in its two versions."""
    from verl.trainer.ppo import core_algos

    batch = batch_of(num_responses)
    ours = ours_of(batch)
    verls = {
        "grpo": core_algos.compute_grpo_outcome_advantage,
        "grpo_vectorized": core_algos.compute_grpo_vectorized_outcome_advantage,
    }
    rows = []
    for name, estimator in verls.items():

        def theirs(estimator: Callable[..., Any] = estimator) -> None:
            estimator(batch["rewards"], batch["mask"], batch["names"])

        if num_responses > 300_000 and name == "grpo":
            num_pairs = 1  # it takes a minute
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(num_pairs + 1)][-num_pairs:]
        what = f"advantage of {num_responses:,} responses, `edge_grpo` / verl's `{name}`"
        rows.append(Row(PART, what, ratios(pairs)))
    return rows


def comparator_rows(num_responses: int, num_pairs: int) -> list[Row]:
    """Each rival estimator against ours, both as verl calls them."""
    from verl.trainer.ppo import core_algos
    from ways import recipe_config

    from recipe.edge_grpo.settings.comparators import read_constants
    from recipe.edge_grpo.training_step.comparator_estimators import (
        ESTIMATORS,
        ComparatorInputs,
        inputs_for_comparator,
    )

    batch = batch_of(num_responses)
    ours = ours_of(batch)
    is_padding = torch.zeros(num_responses, dtype=torch.bool)
    rows = []
    for name in ESTIMATORS:
        constants = read_constants(name, dict(recipe_config(name).edge_grpo.comparator))
        assert constants is not None
        inputs = ComparatorInputs(constants, batch["entropy"], -batch["entropy"], is_padding)
        estimator = core_algos.get_adv_estimator_fn(name)

        def theirs(estimator: Callable[..., Any] = estimator, inputs: ComparatorInputs = inputs) -> None:
            with inputs_for_comparator(inputs):
                estimator(batch["rewards"], batch["mask"], index=batch["names"])

        pairs = [(seconds(theirs), seconds(ours)) for _ in range(num_pairs + 1)][1:]
        rows.append(Row(PART, f"advantage of {num_responses:,}, `{name}` / `edge_grpo`", ratios(pairs), at_most=2.0))
    return rows


def seconds(call: Callable[[], None]) -> float:
    """CPU time: other work on the machine lengthens wall time only."""
    begin = time.process_time()
    call()
    return time.process_time() - begin

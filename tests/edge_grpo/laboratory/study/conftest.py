"""Runs that are made up: records with curves that a test chooses."""

import pytest

from recipe.edge_grpo.laboratory.study.plan import LABORATORY, Confirmation, Job, Study
from recipe.edge_grpo.laboratory.study.records import (
    ACCURACY,
    ENTROPY,
    EQUAL_AFTER,
    EQUAL_BEFORE,
    TOKENS,
    Origin,
    RunRecord,
)

ORIGIN = Origin("abc", "2026-01-02", "x86_64, 2 cores, 24 GiB", 1800.0)


@pytest.fixture
def study():
    """A plan: two methods and the control on one task, two seeds, two learning rates."""
    confirmation = Confirmation({"carry": 10}, ("grpo",), (0, 1), 3e-4)
    return Study({"carry": 20, "carry_hard": 20}, ("grpo", "sft"), (0, 1), (1e-4, 1e-3), (100,), confirmation)


@pytest.fixture
def record():
    """record(method, accuracies, …): one run; a curve without values is null throughout."""

    def record(method="grpo", accuracies=(0.25, 0.5), task="carry", seed=0, rate=1e-4, engine=LABORATORY, **curves):
        steps = [10 * number for number in range(len(accuracies))]
        given = {
            TOKENS: [1000.0 * step for step in steps],
            **dict.fromkeys((ENTROPY, EQUAL_BEFORE, EQUAL_AFTER), [None] * len(steps)),
            **{name: list(values) for name, values in curves.items()},
        }
        return RunRecord(
            Job(task, method, rate, seed, steps[-1], engine), steps, {ACCURACY: list(accuracies), **given}, ORIGIN
        )

    return record

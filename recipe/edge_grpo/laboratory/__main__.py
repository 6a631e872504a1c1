"""Trains a tiny policy with some recipes and seeds in this process, without verl, and prints a table of them.

    python -m recipe.edge_grpo.laboratory --model DIR --train FILE --val FILE --output-dir DIR
        [--recipe grpo edge_grpo …] [--seeds 0 1 2] [--steps 50] [edge_grpo.KEY=VALUE …]

`sft` in the place of a recipe is supervised fine-tuning on the reference solutions of the same rows, a control. Each
run writes `metrics.jsonl` into DIR/RECIPE-seed-N, which `python -m recipe.edge_grpo.report` draws.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from recipe.edge_grpo.laboratory.configuration import read_recipe
from recipe.edge_grpo.laboratory.supervised import SUPERVISED
from recipe.edge_grpo.laboratory.training import TrainingPlan, load_policy, read_rows, train, validation_accuracy
from recipe.edge_grpo.settings.block import BLOCK

COLUMNS = {
    "groups without variance, before": "edge_grpo/groups/zero_variance_before_gec",
    "after": "edge_grpo/groups/zero_variance_after_gec",
}
"""{column of the table: the metric whose mean over the steps it shows}."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m recipe.edge_grpo.laboratory", description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="folder of a Hugging Face model")
    parser.add_argument("--train", type=Path, required=True, help="Parquet file of verl's rows")
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--recipe", nargs="+", default=["grpo", "edge_grpo"], help="or sft (default: %(default)s)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="(default: %(default)s)")
    parser.add_argument("--steps", type=int, default=50, help="(default: %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-4, help="(default: %(default)s)")
    options, overrides = parser.parse_known_args(arguments)
    torch.set_num_threads(1)  # at this size threads mostly wait for one another
    try:
        configs = {
            (recipe, seed): None if recipe == SUPERVISED else read_recipe(recipe, [f"{BLOCK}.seed={seed}", *overrides])
            for recipe in options.recipe
            for seed in options.seeds
        }
        train_rows, val_rows = read_rows(options.train), read_rows(options.val)
        runs = {}
        for (recipe, seed), config in configs.items():
            plan = TrainingPlan(options.steps, seed, options.learning_rate)
            folder = options.output_dir / f"{recipe}-seed-{seed}"
            runs[recipe, seed] = train(config, load_policy(options.model), train_rows, val_rows, plan, folder)
            last = max(runs[recipe, seed])
            print(f"{folder}: {validation_accuracy(runs[recipe, seed][last]):.3f} after {last} steps", flush=True)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(table(runs))
    return 0


def table(runs: Mapping[tuple[str, int], Mapping[int, Mapping[str, float]]]) -> str:
    """Return a table of the recipes: means over the seeds, and the deviation of the last validation.

    >>> steps = {0: {"val-core/a/acc/mean@1": 0.5}, 1: {"val-core/a/acc/mean@1": 0.75}}
    >>> print(table({("grpo", 0): steps}).splitlines()[-1])
    | grpo | 1 | 0.500 | 0.750 | - | - | - |
    """
    lines = [f"| recipe | seeds | validation, first | last | ± | {' | '.join(COLUMNS)} |", f"|---|{'--:|' * 6}"]
    for recipe in dict.fromkeys(recipe for recipe, _ in runs):
        of_recipe = [run for (name, _), run in runs.items() if name == recipe]
        first, last = ([validation_accuracy(run[step(run)]) for run in of_recipe] for step in (min, max))
        deviation = f"{statistics.stdev(last):.3f}" if len(last) > 1 else "-"
        all_steps = [metrics for run in of_recipe for metrics in run.values()]
        means = [_mean([each[name] for each in all_steps if name in each]) for name in COLUMNS.values()]
        lines.append(f"| {' | '.join([recipe, str(len(of_recipe)), _mean(first), _mean(last), deviation, *means])} |")
    return "\n".join(lines)


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.3f}" if values else "-"


if __name__ == "__main__":
    sys.exit(main())

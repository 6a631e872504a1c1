"""`make band`: is what verl trains within the band of the laboratory over its seeds, with one recipe and one task?

    python tests/bench/laboratory_band.py --verl RUN_DIR --laboratory DIR --recipe grpo edge_grpo

RUN_DIR holds a run of verl below the name of each recipe, as `make quickstart COMPARE=grpo` leaves it; DIR the runs of
the laboratory, RECIPE-seed-N. The two differ in the order of the prompts and in the engine that samples, so that only
curves can be compared. The band is the 95 % interval for one run more, mean ± t s √(1 + 1/n) over the n seeds, at each
step of training that both validate. Exit code 1 if a validation of verl is outside.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recipe.edge_grpo.intervals import cut_interval, next_value_interval
from recipe.edge_grpo.names import METRICS_FILE
from recipe.edge_grpo.quickstart.learning import validations_of


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--verl", type=Path, required=True)
    parser.add_argument("--laboratory", type=Path, required=True)
    parser.add_argument("--recipe", nargs="+", default=["grpo", "edge_grpo"])
    options = parser.parse_args(arguments)
    rows = [row for recipe in options.recipe for row in compare(options.verl, options.laboratory, recipe)]
    print("| recipe | step | verl | laboratory, from | to | seeds |\n|---|--:|--:|--:|--:|--:|")
    for recipe, step, of_verl, (low, high), num_seeds in rows:
        mark = "" if low <= of_verl <= high else " (outside)"
        print(f"| {recipe} | {step} | {of_verl:.3f}{mark} | {low:.3f} | {high:.3f} | {num_seeds} |")
    return int(any(not low <= of_verl <= high for _, _, of_verl, (low, high), _ in rows))


def compare(
    verl_dir: Path, laboratory_dir: Path, recipe: str
) -> list[tuple[str, int, float, tuple[float, float], int]]:
    """Return recipe, step, accuracy of verl, band of the laboratory and its number of seeds, for each common step."""
    has_run = (verl_dir / recipe / METRICS_FILE).exists()
    of_verl = validations_of(verl_dir / recipe) if has_run else {}
    seeds = [validations_of(folder) for folder in sorted(laboratory_dir.glob(f"{recipe}-seed-*"))]
    if not of_verl or len(seeds) < 2:
        sys.exit(f"{recipe}: a run of verl with validations and two seeds of the laboratory or more are needed")
    steps = sorted(step for step in set(of_verl).intersection(*seeds) if step > 0)
    return [(recipe, step, of_verl[step], band([seed[step] for seed in seeds]), len(seeds)) for step in steps]


def band(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval for one accuracy more, within [0, 1].

    >>> low, high = band([0.5, 0.6])  # 0.55 ± 12.706 * 0.0707 * √1.5
    >>> low, high
    (0.0, 1.0)
    """
    return cut_interval(next_value_interval(values))


if __name__ == "__main__":
    sys.exit(main())
